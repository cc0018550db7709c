"""Rows are picked by key, click and Shift; one form changes them all, and Z takes that back."""

import pytest
from playwright.sync_api import expect

from otc.tenancy.context import use
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create
from tests.browser.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def four(desk):
    """The desk's deal and three more of Ana's, by name."""
    house, first = desk
    with use(house.organization.id):
        deal = Opportunity.objects.get(id=first)
        for number in range(3):
            opportunity_create(name=f"More {number}", owner_id=deal.owner_id, now=deal.created_at)
    return house


def next_steps(house) -> list[str]:
    with use(house.organization.id):
        return sorted(Opportunity.objects.values_list("next_step", flat=True))


def test_picked_by_keys_changed_and_taken_back(sit, four):
    seat = sit("ana@example.org")
    seat.open(four.url("deals/"))
    page = seat.page
    before = next_steps(four)
    for key in "jxjx":
        page.keyboard.press(key)
    expect(page.locator("[data-picks-count]")).to_have_text("2 picked")
    page.click("#picks summary")
    page.click("#picks button[value=next]")
    page.locator("#picks-form [data-bulk-input]").wait_for(timeout=PATIENCE)
    page.keyboard.type("Call the CFO")
    with seat.sending():
        page.keyboard.press("Enter")
    assert next_steps(four).count("Call the CFO") == 2
    with seat.sending():
        page.keyboard.press("z")
    assert next_steps(four) == before
    assert seat.complaints == []


def test_shift_picks_a_range_escape_lets_go(sit, four):
    seat = sit("ana@example.org")
    seat.open(four.url("deals/"))
    boxes = seat.page.locator("[data-pick]")
    boxes.nth(0).click(force=True)
    boxes.nth(3).click(force=True, modifiers=["Shift"])
    assert seat.page.locator("[data-pick]:checked").count() == 4
    seat.page.keyboard.press("Escape")
    assert seat.page.locator("[data-pick]:checked").count() == 0
    assert not seat.page.locator("#picks").is_visible()


def test_a_stage_is_chosen_from_a_list_and_without_htmx_a_page_leads_back(sit, four):
    seat = sit("ana@example.org")
    seat.open(four.url("deals/"))
    seat.page.locator("[data-pick]").nth(0).click(force=True)
    seat.page.click("#picks button[value=stage]")
    choice = seat.page.locator("#picks-form select")
    choice.wait_for(timeout=PATIENCE)
    assert choice.locator("option").count() > 3
    deal = seat.page.locator("[data-pick]").nth(0).get_attribute("value")
    seat.open(four.url(f"deals/bulk/?field=next&deal={deal}&next={four.url('deals/')}"))
    seat.page.fill("#bulk-value", "By hand")
    seat.page.press("#bulk-value", "Enter")
    seat.page.wait_for_url(f"**{four.url('deals/')}", timeout=PATIENCE)
    assert "By hand" in next_steps(four)
