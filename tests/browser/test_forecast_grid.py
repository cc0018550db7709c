"""The forecast by keyboard: adjusted in place, opened, and two who adjust one cell at the same time."""

import pytest

from forecasting.adjustments.models import AdjustmentStep
from otc.calendar.rules import period_of
from otc.tenancy.context import use
from pipeline.opportunities.services import opportunity_edit
from tests.browser.conftest import PATIENCE
from tests.days import day_in_house
from tests.forecasting.lives import deal_with

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


COPY = """() => {
  const data = new DataTransfer();
  const event = new ClipboardEvent("copy", {clipboardData: data, bubbles: true, cancelable: true});
  document.activeElement.dispatchEvent(event);
  return data.getData("text/plain");
}"""


def place_of(seat):
    """The row and the column that have the focus."""
    return seat.page.evaluate(
        "(() => { const c = document.activeElement.closest('td, th'); return [c.parentElement.id, c.cellIndex]; })()"
    )


@pytest.fixture
def filled(desk):
    """Ana commits to 300 thousand, and Max is her manager."""
    house, first = desk
    with use(house.organization.id, channel="ui"):
        opportunity_edit(first, changes={"close_date": period_of(day_in_house()).last})
        deal_with(
            name="Deal of Ana",
            owner_id=house.ana.id,
            category="commit",
            amount_minor=30_000_000,
            close_date=period_of(day_in_house()).last,
        )
    return house


def adjustment(seat, house):
    return seat.page.locator(f"#person-{house.ana.id} a.grid-adjust")


def typed(seat, amount, reason):
    seat.page.locator("#adjust-amount").fill(amount)
    seat.page.locator("#adjust-reason").fill(reason)
    seat.page.keyboard.press("Enter")


def test_an_adjustment_is_typed_into_its_cell_and_every_sum_moves(sit, filled):
    seat = sit("max@example.org")
    seat.open(filled.url("forecast/"))
    adjustment(seat, filled).focus()
    seat.page.keyboard.press("Enter")
    seat.page.locator("#adjust-amount:focus").wait_for(timeout=PATIENCE)
    typed(seat, "-40", "Legal is slow")
    seat.page.locator(f"#person-{filled.max.id} small", has_text="1 below").wait_for(timeout=PATIENCE)
    assert adjustment(seat, filled).inner_text() == "−40"
    seat.page.wait_for_function("() => document.activeElement.matches('a.grid-adjust')", timeout=PATIENCE)
    assert seat.page.evaluate("document.activeElement.closest('tr').id") == f"person-{filled.ana.id}"
    assert seat.page.locator("#toasts [data-undo]").count() == 1
    assert seat.complaints == []


def test_escape_leaves_the_cell_as_it_was(sit, filled):
    seat = sit("max@example.org")
    seat.open(filled.url("forecast/"))
    adjustment(seat, filled).click()
    seat.page.locator("#adjust-amount:focus").wait_for(timeout=PATIENCE)
    seat.page.keyboard.type("-40")
    seat.page.keyboard.press("Escape")
    assert seat.page.locator("#adjust-amount").count() == 0
    seat.page.wait_for_function("() => document.activeElement.matches('a.grid-adjust')", timeout=PATIENCE)
    with use(filled.organization.id):
        assert not AdjustmentStep.objects.exists()


def test_the_second_of_two_sees_the_first_and_takes_theirs(sit, filled):
    first, second = sit("max@example.org"), sit("max@example.org")
    for seat in (first, second):
        seat.open(filled.url("forecast/"))
        adjustment(seat, filled).click()
        seat.page.locator("#adjust-amount:focus").wait_for(timeout=PATIENCE)
    typed(first, "-40", "First")
    first.page.locator("#toasts [data-undo]").wait_for(timeout=PATIENCE)
    typed(second, "-60", "Second")
    note = second.page.locator("#adjust-note", has_text="Nothing was written")
    note.wait_for(timeout=PATIENCE)
    assert "First" in note.inner_text()
    assert second.page.locator("#adjust-amount").input_value() == "-60"
    second.page.get_by_role("button", name="Take theirs").click()
    second.page.locator("#adjust-amount").wait_for(state="detached", timeout=PATIENCE)
    assert adjustment(second, filled).inner_text() == "−40"


def test_the_keys_of_a_spreadsheet_move_expand_and_open(sit, filled):
    seat = sit("max@example.org")
    seat.open(filled.url("forecast/"))
    chevron = seat.page.locator(f"#open-{filled.max.id}")
    chevron.focus()
    seat.page.keyboard.press("Space")
    seat.page.locator(f"#person-{filled.ana.id}").wait_for(state="detached", timeout=PATIENCE)
    seat.page.wait_for_function("id => document.activeElement.id === id", arg=f"open-{filled.max.id}")
    seat.page.keyboard.press("Space")
    seat.page.locator(f"#person-{filled.ana.id}").wait_for(timeout=PATIENCE)
    seat.page.locator(f"#person-{filled.max.id} td[data-column=closed] a").focus()
    seat.page.keyboard.press("ArrowDown")
    assert seat.page.evaluate("document.activeElement.closest('tr').id") != f"person-{filled.max.id}"
    # From cell to cell, and over those that open nothing; a block is copied in full amounts.
    chevron.focus()
    for key in ("End", "Home", "ArrowRight", "ArrowRight"):
        seat.page.keyboard.press(key)
    assert place_of(seat) == [f"person-{filled.max.id}", 1]
    for key in (
        "Control+End",
        "PageUp",
        "Control+Home",
        "Shift+ArrowDown",
        "Shift+ArrowRight",
        "Shift+ArrowRight",
    ):
        seat.page.keyboard.press(key)
    assert seat.page.locator(".is-in-block").count() == 6
    copied = seat.page.evaluate(COPY)
    assert copied.splitlines()[0].split("\t")[::2] == [filled.max.name, "0.00"]
    seat.page.keyboard.press("Escape")
    assert seat.page.locator(".is-in-block").count() == 0
    # What is typed on an adjusted cell is its amount.
    adjustment(seat, filled).focus()
    seat.page.keyboard.type("-40")
    seat.page.wait_for_function(
        "() => document.querySelector('#adjust-amount')?.value === '-40'", timeout=PATIENCE
    )
    seat.page.keyboard.press("Escape")
    seat.page.wait_for_function("() => document.activeElement.matches('a.grid-adjust')", timeout=PATIENCE)
    seat.page.keyboard.press("F2")
    seat.page.locator("#adjust-amount:focus").wait_for(timeout=PATIENCE)
    seat.page.keyboard.press("Escape")
    seat.page.locator(f"#person-{filled.max.id} td[data-column=closed] a").focus()
    seat.page.keyboard.press("d")
    seat.page.wait_for_url("**/deals/?**", timeout=PATIENCE)
    assert seat.complaints == []
