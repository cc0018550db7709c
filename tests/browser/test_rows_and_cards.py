"""Without a mouse: rows, cells and cards by keys; a deal is closed with its reason."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from otc.tenancy.context import use
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.opportunities.services import opportunity_create
from pipeline.process.models import Milestone
from tests.browser.conftest import PATIENCE
from tests.browser.looking import troubles_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
    seat.page.locator("[data-cell-input]:focus").wait_for(timeout=PATIENCE)
    seat.page.keyboard.type("3k")
    seat.page.keyboard.press("Enter")
    seat.page.locator("#toasts [data-toast]").wait_for(timeout=PATIENCE)
    assert stored(house, deal_id).amount_minor == 3_000_00
    # The hands stay where they were.
    seat.page.locator("a.cell-value[href*='/amount/']:focus").wait_for(timeout=PATIENCE)
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
    seat.page.locator("#toasts [data-toast]").wait_for(timeout=PATIENCE)
    assert stored(house, deal_id).stage.name == "Discover"
    assert seat.page.locator("[data-board-status]").inner_text() == "Kestrel Rail moved."
    with seat.page.expect_response(lambda answer: "/undo/" in answer.url):
        seat.page.keyboard.press("z")
    seat.page.locator("[data-column]").first.locator(f"[data-card='{deal_id}']").wait_for(timeout=PATIENCE)
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
    refusal.wait_for(timeout=PATIENCE)
    assert "Problem confirmed by the buyer" in refusal.inner_text()
    assert columns.nth(0).locator(f"[data-card='{deal_id}']").count() == 1
    # The hands stand in the form that cures it; Esc brings them back to the card.
    assert seat.page.evaluate("document.activeElement.value") == "met"
    seat.page.keyboard.press("Escape")
    assert refusal.count() == 0
    assert seat.page.evaluate("document.activeElement.dataset.card") == str(deal_id)


def test_a_refused_card_is_ticked_with_its_evidence_by_keys_and_moves_on(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url("deals/board/"))
    seat.page.locator(f"[data-card='{deal_id}']").press("Shift+ArrowRight")
    refusal = seat.page.locator("[data-refusal]")
    refusal.wait_for(timeout=PATIENCE)
    assert troubles_of(seat, "the gate") == []
    seat.page.keyboard.press("Tab")
    seat.page.keyboard.type("Mail of 12 May")
    seat.page.keyboard.press("Enter")
    expect(refusal.locator(".field-error")).to_contain_text("Say whether it is met")
    assert refusal.get_by_label("Evidence for").input_value() == "Mail of 12 May"
    refusal.get_by_label("Met", exact=True).press("Space")
    seat.page.keyboard.press("Enter")
    moved = seat.page.locator("[data-column]").nth(1).locator(f"[data-card='{deal_id}']")
    expect(moved).to_be_focused()
    assert refusal.count() == 0 and seat.page.locator("#toasts [data-undo]").count() == 1
    with use(house.organization.id):
        mark = OpportunityMilestone.objects.get(opportunity_id=deal_id)
    assert (mark.note, mark.met_at is not None) == ("Mail of 12 May", True)
    assert [said for said in seat.complaints if "422" not in said] == []


@pytest.fixture
def two_deals(desk):
    """The desk with a second deal below the first, 70 EUR."""
    house, deal_id = desk
    with use(house.organization.id):
        second = opportunity_create(
            name="Aldersey Water", owner_id=house.ana.id, amount_minor=70_00, now=datetime.now(UTC)
        ).opportunity
    return house, deal_id, second.id


def sums(seat) -> list[str]:
    return [head.inner_text() for head in seat.page.locator(".board-head").all()]


def test_a_card_that_is_won_asks_why_over_the_board_leaves_and_comes_back_by_undo(sit, two_deals):
    house, deal_id, second_id = two_deals
    seat = sit("ana@example.org")
    seat.open(house.url("deals/board/"))
    page, dialog = seat.page, seat.page.locator("#board-dialog")
    card = page.locator(f"[data-card='{deal_id}']")
    before, place = sums(seat), [one.get_attribute("data-card") for one in page.locator("[data-card]").all()]
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-card]").first).to_be_focused()
    card.locator("a.board-name").press("c")
    expect(dialog).to_be_visible()
    assert page.evaluate("document.activeElement.name") == "reason", "the first question has the hands"
    assert troubles_of(seat, "the closing dialog") == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(card).to_be_focused()
    assert [one.get_attribute("data-card") for one in page.locator("[data-card]").all()] == place
    assert sums(seat) == before and stored(house, deal_id).outcome is None
    card.drag_to(page.locator("#column-won"))
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(card).to_be_focused()
    card.press("c")
    dialog.get_by_label("Closed on").fill("today")
    for outcome in ("Lost", "Won"):
        dialog.get_by_role("link", name=outcome, exact=True).click()
        expect(dialog.get_by_role("button", name=f"Close as {outcome.lower()}")).to_be_visible()
        expect(dialog.get_by_label("Closed on")).to_have_value("today")
    dialog.get_by_role("button", name="Close as won").click()
    expect(dialog.locator(".field-error")).to_contain_text("Say the primary reason")
    dialog.get_by_label("Best fit").press("Space")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("#column-won .board-card")).to_contain_text("Kestrel Rail")
    expect(card).to_have_count(0)
    assert "70" in sums(seat)[0] and "100" in sums(seat)[-1]
    # The next card takes the hands on.
    expect(page.locator(f"[data-card='{second_id}']")).to_be_focused()
    assert stored(house, deal_id).outcome == "won"
    with page.expect_response(lambda answer: "/undo/" in answer.url):
        page.keyboard.press("z")
    expect(card).to_have_count(1)
    assert sums(seat) == before and stored(house, deal_id).outcome is None
    assert [said for said in seat.complaints if "422" not in said] == []


def test_a_card_that_is_lost_is_dropped_at_the_foot_of_the_screen(sit, two_deals):
    house, deal_id, _ = two_deals
    seat = sit("ana@example.org")
    seat.open(house.url("deals/board/"))
    page, dialog = seat.page, seat.page.locator("#board-dialog")
    lost = page.locator("[data-column=lost]")
    expect(lost).to_be_hidden()
    box = page.locator(f"[data-card='{deal_id}']").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 80, steps=4)
    expect(lost).to_be_visible()
    there = lost.bounding_box()
    page.mouse.move(there["x"] + 60, there["y"] + 30, steps=4)
    page.mouse.up()
    expect(dialog.get_by_role("button", name="Close as lost")).to_be_visible()
    expect(lost).to_be_hidden()
    # The outcome may still be another one.
    dialog.get_by_role("link", name="No decision").click()
    expect(dialog.get_by_role("button", name="Close without a decision")).to_be_visible()
    dialog.get_by_role("link", name="Lost", exact=True).click()
    expect(dialog.get_by_role("button", name="Close as lost")).to_be_visible()
    dialog.get_by_label("Price").check()
    dialog.get_by_role("button", name="Close as lost").click()
    expect(page.locator(f"[data-card='{deal_id}']")).to_have_count(0)
    deal = stored(house, deal_id)
    assert (deal.outcome, deal.reason.name) == ("lost", "Price")


def test_a_deal_is_closed_only_with_a_reason(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url(f"deals/{deal_id}/"))
    seat.page.keyboard.press("c")
    seat.page.wait_for_url("**/close/**", timeout=PATIENCE)
    seat.page.locator(".switch a", has_text="Lost").click()
    seat.page.wait_for_url("**outcome=lost", timeout=PATIENCE)
    button = seat.page.get_by_role("button", name="Close as lost")
    button.click()
    assert seat.page.url.endswith("outcome=lost")
    assert stored(house, deal_id).outcome is None
    seat.page.get_by_label("Price").check()
    button.click()
    seat.page.wait_for_url(f"**/deals/{deal_id}/", timeout=PATIENCE)
    deal = stored(house, deal_id)
    assert (deal.outcome, deal.reason.name) == ("lost", "Price")
    assert seat.page.locator("#toasts [data-toast]").count() == 1
    assert seat.complaints == []
