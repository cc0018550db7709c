"""The list of deals as a spreadsheet: typed into, saved and gone on by keys; blocks copied, pasted and filled down."""

from datetime import UTC, date, datetime

import pytest

from otc.tenancy.context import use
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create, opportunity_edit
from tests.browser.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
UNDO = "#toasts [data-undo]"
PASTE = """text => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
}"""
COPY = """() => {
  const data = new DataTransfer();
  document.activeElement.dispatchEvent(new ClipboardEvent("copy", {clipboardData: data, bubbles: true}));
  return data.getData("text/plain");
}"""


@pytest.fixture
def rows(desk):
    """Three deals of Ana's in the order of their amounts: 100, 90 and 80 EUR."""
    house, first = desk
    with use(house.organization.id):
        ids = [first] + [
            opportunity_create(
                name=f"More {number}",
                owner_id=house.ana.id,
                amount_minor=(90 - 10 * number) * 100,
                now=datetime.now(UTC),
            ).opportunity.id
            for number in range(2)
        ]
    return house, ids


def values(house, ids, column) -> list:
    with use(house.organization.id):
        found = Opportunity.objects.in_bulk(ids)
    return [getattr(found[deal_id], column) for deal_id in ids]


def cell(seat, deal_id, field):
    return seat.page.locator(f"#deal-{deal_id} a.cell-value[href$='/{field}/']")


def at_list(sit, house):
    seat = sit("ana@example.org")
    seat.open(house.url("deals/?sort=-amount"))
    return seat


def entered(seat) -> None:
    seat.page.locator("table[data-entered]").wait_for(timeout=PATIENCE)


def saved(seat) -> None:
    seat.page.locator("#toasts [data-toast]").first.wait_for(timeout=PATIENCE)
    seat.page.locator(".is-saving").first.wait_for(state="detached", timeout=PATIENCE)


def becomes(seat, claim) -> bool:
    """Whether it comes true in time; toasts that say so may be gone by the time that the next comes."""
    for _ in range(PATIENCE // 50):
        if claim():
            return True
        seat.page.wait_for_timeout(50)
    return claim()


def test_typing_edits_enter_saves_and_goes_down_tab_goes_right(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    cell(seat, ids[0], "amount").focus()
    seat.page.keyboard.type("3k")
    seat.page.keyboard.press("Enter")
    seat.page.locator(f"#deal-{ids[1]} a.cell-value[href$='/amount/']:focus").wait_for(timeout=PATIENCE)
    seat.page.keyboard.type("2.5k")
    seat.page.keyboard.press("Tab")
    seat.page.locator(f"#deal-{ids[1]} a.cell-value[href$='/close/']:focus").wait_for(timeout=PATIENCE)
    seat.page.keyboard.type("2027-03-31")
    seat.page.keyboard.press("Enter")
    assert becomes(seat, lambda: values(house, ids, "close_date")[1] == date(2027, 3, 31))
    assert becomes(seat, lambda: values(house, ids, "amount_minor") == [3_000_00, 2_500_00, 80_00])
    saved(seat)
    assert seat.complaints == []


def test_what_is_done_before_the_modules_have_come_is_done_then(sit, rows):
    house, ids = rows
    seat = sit("ana@example.org")
    held = []
    seat.page.route("**/js/deals-grid*.js", lambda asked: held.append(asked))
    seat.open(house.url("deals/?sort=-amount"))
    assert held == []
    cell(seat, ids[0], "amount").focus()
    seat.page.keyboard.type("3k")
    cell(seat, ids[1], "amount").focus()
    seat.page.evaluate(PASTE, "2k")
    seat.page.wait_for_timeout(200)
    assert len(held) == 1 and values(house, ids, "amount_minor") == [100_00, 90_00, 80_00]
    held[0].continue_()
    saved(seat)
    field = seat.page.locator(f"#deal-{ids[0]} [data-cell-input]")
    field.wait_for(timeout=PATIENCE)
    assert field.input_value() == "3k"
    field.press("Enter")
    assert becomes(seat, lambda: values(house, ids, "amount_minor") == [3_000_00, 2_000_00, 80_00])
    saved(seat)


def test_f2_edits_and_escape_leaves_the_cell_then_its_row(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    cell(seat, ids[0], "next").focus()
    seat.page.keyboard.press("F2")
    seat.page.locator("[data-cell-input]:focus").wait_for(timeout=PATIENCE)
    seat.page.keyboard.type("Never mind")
    seat.page.keyboard.press("Escape")
    assert seat.page.locator("[data-cell-input]").count() == 0
    seat.page.keyboard.press("Escape")
    seat.page.locator(f"#deal-{ids[0]} .cell-title a:focus").wait_for(timeout=PATIENCE)
    seat.page.keyboard.press("x")
    assert seat.page.locator("[data-pick]:checked").count() == 1
    assert values(house, ids, "next_step") == ["", "", ""]


def test_a_refused_value_rolls_back_to_its_editor_with_what_was_typed(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    cell(seat, ids[0], "amount").focus()
    seat.page.keyboard.type("lots")
    seat.page.keyboard.press("Enter")
    seat.page.locator("[data-cell-input][aria-invalid=true]:focus").wait_for(timeout=PATIENCE)
    assert seat.page.locator("[data-cell-input]").input_value() == "lots"
    assert seat.page.locator("td.is-refused").count() == 1
    assert values(house, ids, "amount_minor")[0] == 100_00
    seat.page.keyboard.press("Escape")
    assert "100" in cell(seat, ids[0], "amount").inner_text()


def test_what_somebody_changed_meanwhile_is_shown_and_one_chooses(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    with use(house.organization.id, person_id=house.max.id):
        opportunity_edit(ids[0], changes={"amount_minor": 555_00})
    cell(seat, ids[0], "amount").focus()
    seat.page.keyboard.type("3k")
    seat.page.keyboard.press("Enter")
    note = seat.page.locator("[data-conflict] .cell-note")
    note.wait_for(timeout=PATIENCE)
    assert "Max Brandt" in note.inner_text() and "555" in note.inner_text()
    assert values(house, ids, "amount_minor")[0] == 555_00
    seat.page.get_by_role("button", name="Keep mine").click()
    saved(seat)
    assert values(house, ids, "amount_minor")[0] == 3_000_00


def test_theirs_is_taken_with_one_button(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    with use(house.organization.id, person_id=house.max.id):
        opportunity_edit(ids[0], changes={"amount_minor": 555_00})
    cell(seat, ids[0], "amount").focus()
    seat.page.keyboard.type("3k")
    seat.page.keyboard.press("Enter")
    seat.page.get_by_role("button", name="Take theirs").click()
    assert becomes(seat, lambda: "555" in cell(seat, ids[0], "amount").inner_text())
    assert becomes(seat, lambda: seat.page.locator(".is-saving, [data-conflict]").count() == 0)
    assert values(house, ids, "amount_minor")[0] == 555_00


def test_a_block_is_pasted_and_one_undo_takes_it_back(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    cell(seat, ids[0], "amount").focus()
    seat.page.evaluate(PASTE, "1k\t2027-01-31\n2k\t2027-02-28\n3k\t2027-03-31\n")
    saved(seat)
    assert values(house, ids, "amount_minor") == [1_000_00, 2_000_00, 3_000_00]
    assert values(house, ids, "close_date") == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)]
    with seat.sending():
        seat.page.keyboard.press("Control+z")
    assert values(house, ids, "amount_minor") == [100_00, 90_00, 80_00]
    assert seat.complaints == []


def test_one_bad_cell_is_named_nothing_is_written_and_a_choice_writes_the_rest(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    cell(seat, ids[0], "amount").focus()
    seat.page.evaluate(PASTE, "1k\t2027-01-31\n2k\tsomeday\n3k\t2027-03-31")
    panel = seat.page.locator("#block-answer")
    panel.get_by_text("Nothing was written").wait_for(timeout=PATIENCE)
    assert "Row 2, Close date" in panel.inner_text() and "someday" in panel.inner_text()
    assert values(house, ids, "amount_minor") == [100_00, 90_00, 80_00]
    assert seat.page.locator(f"#deal-{ids[1]} td.is-refused").count() == 1
    assert "100" in cell(seat, ids[0], "amount").inner_text()
    panel.get_by_role("button", name="Write the other 5").click()
    saved(seat)
    assert values(house, ids, "amount_minor") == [1_000_00, 2_000_00, 3_000_00]
    assert values(house, ids, "close_date") == [date(2027, 1, 31), None, date(2027, 3, 31)]


def test_shift_selects_copy_gives_a_block_and_control_d_fills_down(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    cell(seat, ids[0], "stage").focus()
    entered(seat)
    for key in ("Shift+ArrowRight", "Shift+ArrowDown", "Shift+ArrowDown"):
        seat.page.keyboard.press(key)
    assert seat.page.locator("td.is-in-block").count() == 6
    assert seat.page.evaluate(COPY) == "Qualify\t100\nQualify\t90\nQualify\t80"
    seat.page.keyboard.press("Control+d")
    saved(seat)
    assert values(house, ids, "amount_minor") == [100_00, 100_00, 100_00]


def test_control_enter_writes_what_is_typed_into_the_whole_block(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    cell(seat, ids[0], "amount").focus()
    entered(seat)
    seat.page.keyboard.press("Shift+ArrowDown")
    seat.page.keyboard.press("Shift+ArrowDown")
    seat.page.keyboard.type("3k")
    seat.page.locator("[data-cell-input]").wait_for(timeout=PATIENCE)
    seat.page.keyboard.press("Control+Enter")
    saved(seat)
    assert values(house, ids, "amount_minor") == [3_000_00] * 3
    with seat.sending():
        seat.page.keyboard.press("Control+z")
    assert values(house, ids, "amount_minor") == [100_00, 90_00, 80_00]


def test_undo_after_anothers_edit_says_so_and_keeps_theirs(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    cell(seat, ids[0], "amount").focus()
    seat.page.evaluate(PASTE, "1k\n2k")
    saved(seat)
    with use(house.organization.id, person_id=house.max.id):
        opportunity_edit(ids[1], changes={"amount_minor": 555_00})
    with seat.sending():
        seat.page.keyboard.press("Control+z")
    said = seat.page.locator("#toasts [data-toast]").first
    said.wait_for(timeout=PATIENCE)
    assert "changed" in said.inner_text()
    assert values(house, ids, "amount_minor")[1] == 555_00


def test_the_keys_dialog_lists_what_the_list_does(sit, rows):
    house, _ = rows
    seat = at_list(sit, house)
    seat.page.keyboard.press("?")
    dialog = seat.page.locator("#keys")
    dialog.get_by_text("Write it into the whole block").wait_for(timeout=PATIENCE)
    for words in ("Type over the cell", "Fill down", "Copy, paste a block", "Pick the row"):
        assert dialog.get_by_text(words).count() == 1, words
    seat.open(house.url("inspection/"))
    assert seat.page.get_by_text("Fill down").count() == 0
    assert seat.complaints == []


def test_what_would_run_in_a_spreadsheet_is_copied_as_text_and_pasted_back_as_it_was(sit, rows):
    house, ids = rows
    with use(house.organization.id):
        opportunity_edit(ids[0], changes={"next_step": "=1+1"})
    seat = at_list(sit, house)
    cell(seat, ids[0], "next").focus()
    entered(seat)
    copied = seat.page.evaluate(COPY)
    assert copied == "'=1+1"
    cell(seat, ids[1], "next").focus()
    seat.page.evaluate(PASTE, copied)
    saved(seat)
    assert values(house, ids, "next_step") == ["=1+1", "=1+1", ""]


def test_a_block_that_is_higher_than_the_page_is_refused_whole(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    cell(seat, ids[2], "amount").focus()
    seat.page.evaluate(PASTE, "1k\n2k")
    seat.page.locator("#block-answer").get_by_text("1 stand from this cell").wait_for(timeout=PATIENCE)
    assert values(house, ids, "amount_minor") == [100_00, 90_00, 80_00]


def test_without_a_connection_the_typed_value_stays_and_is_tried_again(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)

    def late(asked):
        seat.page.wait_for_timeout(300)
        asked.continue_()

    # How the value was understood comes when it is known already that nothing was saved.
    seat.page.route("**/understand/**", late)
    seat.page.route(
        "**/edit/amount/",
        lambda asked: asked.abort() if asked.request.method == "POST" else asked.continue_(),
    )
    cell(seat, ids[0], "amount").focus()
    seat.page.keyboard.type("3k")
    seat.page.wait_for_timeout(200)
    seat.page.keyboard.press("Enter")
    seat.page.get_by_text("Not saved").wait_for(timeout=PATIENCE)
    seat.page.wait_for_timeout(600)
    assert seat.page.get_by_text("Not saved").is_visible()
    field = seat.page.locator("[data-cell-input]")
    assert field.input_value() == "3k" and values(house, ids, "amount_minor")[0] == 100_00
    seat.page.unroute("**/edit/amount/")
    field.press("Enter")
    seat.page.locator(UNDO).wait_for(timeout=PATIENCE)
    assert values(house, ids, "amount_minor")[0] == 3_000_00


def test_a_block_that_never_arrives_shows_what_stood_there(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    seat.page.route("**/deals/block/", lambda asked: asked.abort())
    cell(seat, ids[0], "amount").focus()
    seat.page.evaluate(PASTE, "1k\n2k")
    seat.page.get_by_text("No connection").wait_for(timeout=PATIENCE)
    assert "100" in cell(seat, ids[0], "amount").inner_text()
    assert seat.page.locator(".is-saving").count() == 0
    assert values(house, ids, "amount_minor") == [100_00, 90_00, 80_00]


def test_a_list_is_grouped_edited_and_saved_as_a_view(sit, rows):
    house, ids = rows
    seat = at_list(sit, house)
    seat.page.locator("summary[aria-label^='Group by']").click()
    seat.page.locator(".control-group a", has_text="Category").click()
    seat.page.locator("tr.group", has_text="Pipeline").wait_for(timeout=PATIENCE)
    cell(seat, ids[0], "amount").focus()
    seat.page.keyboard.type("3k")
    seat.page.keyboard.press("Enter")
    saved(seat)
    seat.page.locator("summary[aria-label=View]").click()
    name = seat.page.get_by_label("Name of the view")
    name.fill("By category")
    name.press("Enter")
    seat.page.locator("summary[aria-label='View: By category']").wait_for(timeout=PATIENCE)
    assert "group=category" in seat.page.url and "view=" in seat.page.url
    assert seat.complaints == []
