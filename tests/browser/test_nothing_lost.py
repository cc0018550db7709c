"""What somebody typed, and where they stood, is there after a long paste, an undo, a conflict and a refused form."""

import pytest

from otc.tenancy.context import use
from pipeline.accounts.services import account_create, contact_create
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_edit
from tests.browser.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
UNDO = "#toasts [data-undo]"
PASTE = """([selector, text]) => {
  const field = document.querySelector(selector);
  field.focus();
  document.execCommand("insertText", false, text);
  return field.value.length;
}"""


@pytest.mark.parametrize(
    ("path", "field", "words"),
    [
        ("deals/new/", "main [name=name]", "300 characters"),
        ("leads/new/", "main [name=campaign]", "200 characters"),
        ("accounts/new/", "main [name=industry]", "200 characters"),
    ],
)
def test_a_long_paste_stays_whole_and_is_refused_with_words(sit, desk, path, field, words):
    house, _ = desk
    seat = sit("ana@example.org")
    seat.open(house.url(path))
    if path != "leads/new/":
        seat.page.fill("main [name=name]", "Some name")
        seat.page.fill(field, "")
        if path == "deals/new/":
            seat.page.fill("main [name=next_step]", "Call")
    assert seat.page.evaluate(PASTE, [field, "x" * 10_000]) == 10_000
    seat.page.locator("main form .button-primary").click()
    error = seat.page.locator(".field-error").first
    error.wait_for(timeout=PATIENCE)
    assert words in error.inner_text()
    assert len(seat.page.input_value(field)) == 10_000


def test_undo_by_its_key_leads_back_to_the_cell(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url("deals/"))
    seat.page.keyboard.press("ArrowDown")
    amount = seat.page.locator(f"#deal-{deal_id} a.cell-value[href$='/amount/']")
    amount.focus()
    seat.page.keyboard.type("3k")
    seat.page.keyboard.press("Enter")
    seat.page.locator(UNDO).wait_for(timeout=PATIENCE)
    amount.focus()
    with seat.sending():
        seat.page.keyboard.press("z")
    seat.page.locator(f"#deal-{deal_id} a.cell-value[href$='/amount/']:focus").wait_for(timeout=PATIENCE)
    assert seat.complaints == []


def test_the_arrow_down_enters_the_list(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url("deals/"))
    seat.page.keyboard.press("ArrowDown")
    seat.page.locator(f"#deal-{deal_id} td:first-child a:focus").wait_for(timeout=PATIENCE)


def test_escape_in_a_conflict_leaves_what_the_other_wrote_and_shows_it(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url("deals/"))
    amount = seat.page.locator(f"#deal-{deal_id} a.cell-value[href$='/amount/']")
    amount.focus()
    seat.page.keyboard.type("3")
    field = seat.page.locator(f"#deal-{deal_id} [data-cell-input]")
    field.wait_for(timeout=PATIENCE)
    with use(house.organization.id, person_id=house.max.id):
        opportunity_edit(deal_id, changes={"amount_minor": 777_00})
    field.press("Enter")
    seat.page.locator("[data-conflict]").wait_for(timeout=PATIENCE)
    seat.page.keyboard.press("Escape")
    seat.page.locator(f"#deal-{deal_id} .deal-amount", has_text="777").wait_for(timeout=PATIENCE)
    assert seat.page.locator(".is-conflict").count() == 0
    with use(house.organization.id):
        assert Opportunity.objects.get(id=deal_id).amount_minor == 777_00


def test_a_new_links_page_goes_on_to_the_plan_when_the_link_is_revoked(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url(f"deals/{deal_id}/close-plan/"))
    seat.page.fill("[name=recipient]", "Lena Vogt")
    seat.page.get_by_role("button", name="Make a link").click()
    seat.page.get_by_text("opens the plan").first.wait_for(timeout=PATIENCE)
    seat.page.get_by_role("button", name="Revoke the link for Lena Vogt").click()
    seat.page.get_by_text("no longer opens").first.wait_for(timeout=PATIENCE)
    assert seat.page.url.endswith("/close-plan/") and seat.complaints == []


def test_a_browser_sent_to_a_forms_own_address_sees_its_page(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url(f"deals/{deal_id}/close-plan/links/"))
    assert seat.page.url.endswith("/close-plan/")


@pytest.mark.parametrize("way", ["Cancel", "Escape"])
def test_a_form_that_came_into_the_deals_page_goes_again_and_others_stay(sit, desk, way):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url(f"deals/{deal_id}/"))
    comment = seat.page.locator(".comment-form textarea").first
    comment.fill("Half a thought")
    seat.page.locator("h1").click()
    for slot, opener in (("#team-form", "Add a colleague"), ("#link-form", "Add a link")):
        seat.page.locator("#main a", has_text=opener).click()
        seat.page.locator(f"{slot} form").wait_for(timeout=PATIENCE)
        if way == "Cancel":
            seat.page.locator(f"{slot} form a", has_text="Cancel").click()
        else:
            seat.page.locator(f"{slot} form input:not([type=hidden]), {slot} form select").first.press(
                "Escape"
            )
        seat.page.locator(f"{slot} form").wait_for(state="detached", timeout=PATIENCE)
        assert seat.page.locator("#main a:focus", has_text=opener).count() == 1
    assert comment.input_value() == "Half a thought" and seat.complaints == []


def test_on_a_phone_the_form_of_an_answer_is_above_the_bar_of_places(sit, desk):
    house, deal_id = desk
    with use(house.organization.id):
        Opportunity.objects.filter(id=deal_id).update(next_step="Call", next_step_on="2020-01-01")
    seat = sit("ana@example.org", width=390)
    seat.page.set_viewport_size({"width": 390, "height": 480})
    seat.open(house.url("today/"))
    seat.page.locator("[data-today-form=next_step]").click()
    field = seat.page.locator(".today-form:not([hidden]) input.today-text")
    field.wait_for(timeout=PATIENCE)
    seat.page.wait_for_timeout(300)
    box, bar = field.bounding_box(), seat.page.locator(".tabbar").bounding_box()
    assert box["y"] + box["height"] <= bar["y"]


def test_a_key_leads_into_the_form_that_it_opens(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    with use(house.organization.id, channel="ui"):
        account = account_create(name="Kestrel Rail")
        contact_create(account.id, name="Helena Strand")
        opportunity_edit(deal_id, changes={"account_id": account.id})
    seat.open(house.url(f"deals/{deal_id}/"))
    seat.page.keyboard.press("b")
    seat.page.locator("details[open] select:focus").wait_for(timeout=PATIENCE)
