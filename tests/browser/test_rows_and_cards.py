"""Without a mouse: rows, cells and cards by keys; a deal is closed with its reason."""

from datetime import UTC, datetime

import pytest

from otc.tenancy.context import use
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create
from pipeline.process.models import Milestone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SECOND = 5_000


def stored(house, deal_id) -> Opportunity:
    with use(house.organization.id):
        return Opportunity.objects.select_related("stage", "reason").get(id=deal_id)


def picked(seat) -> str:
    return seat.page.locator("tr.is-selected .cell-title a").inner_text()


def test_arrows_move_rows_and_cells_and_enter_edits(sit, desk):
    house, deal_id = desk
    with use(house.organization.id):
        opportunity_create(
            name="Aldersey Water", owner_id=house.ana.id, amount_minor=70_00, now=datetime.now(UTC)
        )
    seat = sit("ana@example.org")
    seat.open(house.url("deals/?sort=-amount"))
    seat.page.keyboard.press("j")
    assert picked(seat) == "Kestrel Rail"
    seat.page.keyboard.press("ArrowDown")
    assert picked(seat) == "Aldersey Water"
    seat.page.keyboard.press("ArrowUp")
    assert picked(seat) == "Kestrel Rail"
    focused = seat.page.locator("a.cell-value[href*='/amount/']:focus")
    for _ in range(4):
        if focused.count():
            break
        seat.page.keyboard.press("ArrowRight")
    seat.page.keyboard.press("Enter")
    seat.page.locator("[data-cell-input]:focus").wait_for(timeout=SECOND)
    seat.page.keyboard.type("3k")
    seat.page.keyboard.press("Enter")
    seat.page.locator("#toasts [data-toast]").wait_for(timeout=SECOND)
    assert stored(house, deal_id).amount_minor == 3_000_00
    # The hands stay where they were.
    seat.page.locator("a.cell-value[href*='/amount/']:focus").wait_for(timeout=SECOND)
    assert seat.complaints == []


def test_a_card_moves_by_keys_once_its_milestone_is_met_and_is_undone(sit, desk):
    house, deal_id = desk
    with use(house.organization.id):
        first = Milestone.objects.get(name="Problem confirmed by the buyer")
        milestone_mark(deal_id, milestone_id=first.id, state="met", now=datetime.now(UTC))
    seat = sit("ana@example.org")
    seat.open(house.url("deals/board/"))
    card = seat.page.locator(f"[data-card='{deal_id}']")
    card.focus()
    with seat.page.expect_response(lambda answer: "/move/" in answer.url) as answer:
        card.press("Shift+ArrowRight")
    assert answer.value.status == 200
    seat.page.locator("#toasts [data-toast]").wait_for(timeout=SECOND)
    assert stored(house, deal_id).stage.name == "Discover"
    assert seat.page.locator("[data-board-status]").inner_text() == "Kestrel Rail moved."
    with seat.page.expect_response(lambda answer: "/undo/" in answer.url):
        seat.page.keyboard.press("z")
    seat.page.locator("[data-column]").first.locator(f"[data-card='{deal_id}']").wait_for(timeout=SECOND)
    assert stored(house, deal_id).stage.name == "Qualify"
    assert seat.complaints == []


def test_a_refused_card_is_back_in_its_column_with_the_reason_in_the_other(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url("deals/board/"))
    columns = seat.page.locator("[data-column]")
    card = seat.page.locator(f"[data-card='{deal_id}']")
    card.focus()
    card.press("Shift+ArrowRight")
    refusal = columns.nth(1).locator("[data-refusal]")
    refusal.wait_for(timeout=SECOND)
    assert "Problem confirmed by the buyer" in refusal.inner_text()
    assert columns.nth(0).locator(f"[data-card='{deal_id}']").count() == 1
    assert seat.page.evaluate("document.activeElement.dataset.card") == str(deal_id)


def test_a_deal_is_closed_only_with_a_reason(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url(f"deals/{deal_id}/"))
    seat.page.keyboard.press("c")
    seat.page.wait_for_url("**/close/**", timeout=SECOND)
    seat.page.locator(".switch a", has_text="Lost").click()
    seat.page.wait_for_url("**outcome=lost", timeout=SECOND)
    button = seat.page.get_by_role("button", name="Close as lost")
    button.click()
    assert seat.page.url.endswith("outcome=lost")
    assert stored(house, deal_id).outcome is None
    seat.page.get_by_label("Price").check()
    button.click()
    seat.page.wait_for_url(f"**/deals/{deal_id}/", timeout=SECOND)
    deal = stored(house, deal_id)
    assert (deal.outcome, deal.reason.name) == ("lost", "Price")
    assert seat.page.locator("#toasts [data-toast]").count() == 1
    assert seat.complaints == []
