"""Undo after an edit in the list, on the deal's page and without htmx; an editor is sent once."""

import pytest

from otc.tenancy.context import use
from pipeline.opportunities.models import Opportunity
from tests.browser.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
UNDO = "#toasts [data-undo] button"


def amount(house, deal_id) -> int:
    with use(house.organization.id):
        return Opportunity.objects.get(id=deal_id).amount_minor


def type_amount(seat):
    """Edit the first amount of the open page; the writes that the browser sent until the toast stood there."""
    writes = []
    seat.page.on("request", lambda asked: writes.append(asked.url) if asked.method == "POST" else None)
    seat.page.locator("a.cell-value[href*='/amount/']").first.click()
    field = seat.page.locator("[data-cell-input]")
    field.fill("2.5k")
    field.press("Enter")
    seat.page.locator(UNDO).wait_for(timeout=PATIENCE)
    return writes


@pytest.mark.parametrize("place", ["list", "deal"])
@pytest.mark.parametrize("by", ["key", "click"])
def test_an_edit_is_undone(sit, desk, place, by):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url("deals/" if place == "list" else f"deals/{deal_id}/"))
    type_amount(seat)
    assert amount(house, deal_id) == 2_500_00
    with seat.sending():
        if by == "key":
            seat.page.keyboard.press("z")
        else:
            seat.page.click(UNDO)
    assert amount(house, deal_id) == 100_00
    assert seat.complaints == []


def test_enter_sends_an_editor_once(sit, desk):
    house, _ = desk
    seat = sit("ana@example.org")
    seat.open(house.url("deals/"))
    writes = type_amount(seat)
    seat.page.wait_for_timeout(300)
    assert len(writes) == 1


def test_the_editors_own_page_saves_and_offers_undo_on_the_deals_page(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url(f"deals/{deal_id}/edit/amount/"))
    seat.page.locator("[data-cell-input]").fill("2.5k")
    seat.page.locator("[data-cell-input]").press("Enter")
    seat.page.wait_for_url(f"**/deals/{deal_id}/", timeout=PATIENCE)
    assert amount(house, deal_id) == 2_500_00
    assert seat.page.locator(UNDO).count() == 1
