"""The rooms of a deal's page: a product whose sum becomes the amount, a colleague mentioned, a link, a split, fit."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from otc.notices.models import Notice
from otc.tenancy.context import use
from otc.tenancy.services import fold
from pipeline.accounts.services import account_create
from pipeline.comments.models import DealComment
from pipeline.fit.rules import Criterion
from pipeline.fit.services import scorecard_set
from pipeline.lines.rules import Terms
from pipeline.lines.services import line_add
from pipeline.links.services import link_add
from pipeline.opportunities.models import Opportunity, Product
from pipeline.opportunities.services import opportunity_edit
from tests.browser.looking import troubles_at_both_widths

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def furnished(desk):
    """Ana's deal at a railway, with a price list, a scorecard, a product and a link."""
    house, deal_id = desk
    now = datetime.now(UTC)
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        account = account_create(name="Kestrel Rail", industry="Rail")
        opportunity_edit(deal_id, changes={"account_id": account.id})
        products = [
            Product(name=name, name_folded=fold(name), list_price_minor=price, currency="EUR")
            for name, price in (("Licence", 40_00), ("Set-up", 5_000_00))
        ]
        for product in products:
            product.save()
        line_add(deal_id, product_id=products[1].id, terms=Terms(1000, 5_000_00), now=now)
        link_add(deal_id, name="Offer", url="https://docs.example.org/offer", now=now)
        criteria = [Criterion("Railway", "account.industry", "one_of", 7, ("Rail",))]
        scorecard_set(criteria=criteria, fair_percent=40, good_percent=70, now=now)
    return house, deal_id


def amount(house, deal_id):
    with use(house.organization.id):
        return Opportunity.objects.get(id=deal_id).amount_minor


def test_a_product_is_added_the_amount_follows_and_undo_takes_it_back(sit, furnished):
    house, deal_id = furnished
    seat = sit("ana@example.org")
    seat.open(house.url(f"deals/{deal_id}/"))
    page = seat.page
    page.click("text=Add a product")
    page.fill("#line-form [name=product]", "licence")
    page.fill("#line-form [name=quantity]", "25")
    page.fill("#line-form [name=discount]", "10")
    page.select_option("#line-form [name=charge]", "month")
    page.click("#line-form button[type=submit]")
    expect(page.locator("#line-form .form-errors, #line-form .field-error")).to_contain_text(
        "how many months"
    )
    page.fill("#line-form [name=term_months]", "36")
    page.press("#line-form [name=term_months]", "Enter")
    expect(page.locator(".deal-line")).to_have_count(2)
    page.click("text=Let the amount follow")
    expect(page.locator(".line-follow")).to_contain_text("follows these products")
    assert amount(house, deal_id) == 37_400_00
    page.locator("#toasts [data-undo] button").last.click()
    expect(page.locator(".line-follow")).to_contain_text("below these products")
    assert amount(house, deal_id) == 100_00
    # The form's refusal is what it is there for.
    assert [said for said in seat.complaints if "422" not in said] == []


def test_a_colleague_is_named_by_keys_and_told(sit, furnished):
    house, deal_id = furnished
    seat = sit("ana@example.org")
    seat.open(house.url(f"deals/{deal_id}/"))
    box = seat.page.locator("[data-mentions]")
    box.click()
    box.press_sequentially("Ask @bra")
    expect(seat.page.locator(".mention-list [role=option]")).to_have_count(1)
    box.press("Enter")
    expect(box).to_have_value("Ask @Max Brandt ")
    box.press_sequentially("today")
    box.press("Control+Enter")
    expect(seat.page.locator(".comment .mention")).to_have_text("@Max Brandt")
    with use(house.organization.id):
        assert Notice.objects.filter(person_id=house.max.id).count() == 1
    seat.page.click(".comment >> text=Change")
    seat.page.locator(".comment textarea").fill("Ask nobody")
    seat.page.click(".comment >> text=Save")
    expect(seat.page.locator(".comment-text")).to_have_text("Ask nobody")
    assert seat.complaints == []


def test_all_of_it_works_without_a_script(sit, furnished):
    house, deal_id = furnished
    seat = sit("max@example.org")
    context = seat.page.context.browser.new_context(java_script_enabled=False)
    context.add_cookies(seat.page.context.cookies())
    page = context.new_page()
    home = seat.address + house.url(f"deals/{deal_id}/")
    page.goto(home)
    page.fill("[name=text]", "@Ana Ruiz well done")
    page.locator("[name=text]").focus()
    page.click("text=Say it")
    assert page.locator(".comment .mention").text_content() == "@Ana Ruiz"
    page.goto(home)
    page.click("text=Add a link")
    page.fill("[name=url]", "javascript:alert(1)")
    page.click("button:text('Add')")
    assert "begin with https" in page.content()
    page.fill("[name=url]", "https://example.org/plan")
    page.click("button:text('Add')")
    assert page.url.startswith(home) and page.locator(".deal-links li").count() == 2
    page.goto(home)
    page.click(".deal-line a")
    page.fill("[name=quantity]", "2")
    page.click("button:text('Save')")
    assert "2 × 5,000.00" in page.locator(".deal-line").text_content()
    page.goto(home)
    page.click("a:text-is('Split')")
    page.locator("[name=share]").nth(0).fill("60")
    page.locator("[name=person]").nth(1).select_option(label="Jonas Feld")
    page.locator("[name=share]").nth(1).fill("40")
    page.click("button:text('Save')")
    assert page.locator(".shares li").count() == 2
    context.close()
    with use(house.organization.id):
        assert DealComment.objects.count() == 1


def test_every_room_is_for_everyone_and_fits(sit, furnished):
    house, deal_id = furnished
    with use(house.organization.id, person_id=house.max.id, channel="ui"):
        DealComment(
            opportunity_id=deal_id,
            author_id=house.max.id,
            text="مرحبا 👋🏽 <b>" + "x" * 3000,
            created_at=datetime.now(UTC),
        ).save()
    seat = sit("max@example.org")
    page = seat.page
    seat.open(house.url(f"deals/{deal_id}/"))
    for count, opener in enumerate(("text=Add a product", "text=Add a link", "a:text-is('Split')"), start=1):
        page.click(opener)
        expect(page.locator(".room-form")).to_have_count(count)
    page.click(".comment >> text=Change")
    expect(page.locator(".comment textarea")).to_be_focused()
    page.locator(".timeline-say [data-mentions]").press_sequentially("@a")
    expect(page.locator(".mention-list:visible [role=option]").first).to_be_visible()
    troubles = troubles_at_both_widths(seat)
    admin = sit("ops@example.org")
    admin.open(house.url("settings/fit/"))
    troubles += troubles_at_both_widths(admin)
    assert troubles + seat.complaints + admin.complaints == []
