"""Ten deals without the mouse, by the thumb, and without script; what was answered is counted, and undone."""

from datetime import UTC, datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from otc.tenancy.context import use
from pipeline.activities.models import Activity
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create
from pipeline.today.models import DealAnswer
from tests.browser.looking import troubles_at_both_widths

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)
MOST_INTERACTIONS, MOST_SECONDS = 3, 60


def today():
    return datetime.now(ZoneInfo("Europe/Berlin")).date()


@pytest.fixture
def queue(desk):
    """Eleven deals of ana's that need a decision: the larger, the further up."""
    house, first = desk
    with use(house.organization.id):
        Opportunity.objects.filter(id=first).update(amount_minor=1_00)
        for number in range(10):
            opportunity_create(
                name=f"Deal {number}",
                owner_id=house.ana.id,
                amount_minor=(10 - number) * 100_000_00,
                close_date=today() + 20 * DAY,
                next_step="Call the buyer",
                next_step_on=today() - DAY,
                now=datetime.now(UTC),
            )
    return house


class Hand:
    """Somebody at the keyboard: a key, or a field with what is typed into it, is one interaction."""

    def __init__(self, seat):
        self.page, self.interactions, self.keystrokes = seat.page, 0, 0
        self.most = 0

    def answer(self, name, *acts):
        """Answer the deal in focus by `acts`: keys, and ("type", text); then another one is in focus."""
        expect(self.page.locator(".today-card .today-top > a")).to_have_text(name)
        for act in acts:
            if isinstance(act, tuple):
                self.page.keyboard.type(act[1])
                self.keystrokes += len(act[1])
            else:
                self.page.keyboard.press(act)
                self.keystrokes += 1
        self.interactions += len(acts)
        self.most = max(self.most, len(acts))
        expect(self.page.locator(".today-done li a").first).to_have_text(name)


def boxes(seat, where):
    found = [one.bounding_box() for one in seat.page.locator(f".today-card {where}:visible").all()]
    assert found
    return found


def test_the_answers_fit_one_row_on_a_desk_and_a_thumb_on_a_phone(sit, queue):
    wide = sit("ana@example.org")
    wide.open(queue.url(""))
    assert len({box["y"] for box in boxes(wide, ".today-answers .button")}) == 1
    assert all(min(box["height"], box["width"]) >= 24 for box in boxes(wide, ".button"))
    wide.page.keyboard.press("s")
    expect(wide.page.locator(".today-card .today-top > a")).to_have_text("Deal 1")
    narrow = sit("ana@example.org", width=390)
    narrow.open(queue.url(""))
    assert all(min(box["height"], box["width"]) >= 44 for box in boxes(narrow, ".button"))
    assert wide.complaints == narrow.complaints == []


def test_ten_deals_take_less_than_a_minute_and_no_mouse(sit, queue):
    seat = sit("ana@example.org")
    seat.open(queue.url(""))
    expect(seat.page.locator("h1")).to_contain_text("11 deals need a decision from you")
    hand, began = Hand(seat), monotonic()
    hand.answer("Deal 0", "y")
    hand.answer("Deal 1", "1")
    hand.answer("Deal 2", "3")
    hand.answer("Deal 3", "p", ("type", "+3w"), "Enter")
    hand.answer("Deal 4", "a", ("type", "250k"), "Enter")
    hand.answer("Deal 5", "n", ("type", "Send the offer"), "Enter")
    hand.answer("Deal 6", "c")
    hand.answer("Deal 7", "l", ("type", "Price"), "Enter")
    hand.answer("Deal 8", "s")
    hand.answer("Deal 9", "d", ("type", "+2w"), "Enter")
    taken = monotonic() - began
    assert (hand.interactions, hand.most, hand.keystrokes) == (20, MOST_INTERACTIONS, 44)
    assert taken < MOST_SECONDS
    expect(seat.page.locator("h1")).to_contain_text("1 deal needs a decision from you")
    with use(queue.organization.id):
        deals = {deal.name: deal for deal in Opportunity.objects.all()}
        kinds = list(DealAnswer.objects.order_by("at").values_list("kind", flat=True))
        logged = list(Activity.objects.order_by("at").values_list("kind", "subject"))
    assert kinds == [
        *("on_track", "push", "push", "push", "amount"),
        *("next_step", "call", "lose", "snooze", "snooze"),
    ]
    assert deals["Deal 1"].close_date == today() + 27 * DAY
    assert deals["Deal 3"].close_date == today() + 41 * DAY
    assert deals["Deal 4"].amount_minor == 250_000_00
    assert (deals["Deal 5"].next_step, deals["Deal 5"].next_step_on) == ("Send the offer", today() + 7 * DAY)
    assert logged == [("note", "Done: Call the buyer"), ("call", "")]
    assert deals["Deal 7"].outcome == "lost"
    assert seat.complaints == []


def test_z_takes_the_answers_back_one_after_the_other(sit, queue):
    seat = sit("ana@example.org")
    seat.open(queue.url("today/"))
    hand = Hand(seat)
    hand.answer("Deal 0", "1")
    hand.answer("Deal 1", "l", ("type", "Price"), "Enter")
    for left in (1, 0):
        with seat.sending():
            seat.page.keyboard.press("z")
        expect(seat.page.locator(".today-done li")).to_have_count(left)
    with use(queue.organization.id):
        deals = {deal.name: deal for deal in Opportunity.objects.all()}
    assert deals["Deal 0"].close_date == today() + 20 * DAY
    assert deals["Deal 1"].outcome is None


def test_j_and_k_move_and_the_one_after_the_answered_is_next(sit, queue):
    seat = sit("ana@example.org")
    seat.open(queue.url("today/"))
    name = seat.page.locator(".today-card .today-top > a")
    for key, shown in (("j", "Deal 1"), ("j", "Deal 2"), ("k", "Deal 1")):
        seat.page.keyboard.press(key)
        expect(name).to_have_text(shown)
    Hand(seat).answer("Deal 1", "y")
    expect(name).to_have_text("Deal 2")
    assert seat.page.evaluate("document.activeElement.hasAttribute('data-today')")


def test_what_is_refused_stays_typed_and_says_what_to_do(sit, queue):
    seat = sit("ana@example.org")
    seat.open(queue.url("today/"))
    seat.page.keyboard.press("p")
    seat.page.keyboard.type("someday")
    seat.page.keyboard.press("Enter")
    note = seat.page.locator("#today-push-note")
    expect(note).to_contain_text("“someday” is not a date")
    field = seat.page.locator("#today-push-day")
    # Only the answer marks the field; the note says the same while one types.
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("someday")
    expect(field).to_be_focused()
    seat.page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    seat.page.keyboard.press("y")
    expect(seat.page.locator(".today-done li")).to_have_count(1)


def test_a_thumb_answers_at_390(sit, queue):
    seat = sit("ana@example.org", width=390)
    seat.open(queue.url("today/"))
    page = seat.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = "[...document.querySelectorAll('.today-queue .button')].filter(b => b.offsetParent)"
    assert page.evaluate(f"{small}.filter(b => b.getBoundingClientRect().height < 36).length") == 0
    page.get_by_role("button", name="On track", exact=False).first.click()
    expect(page.locator(".today-done li")).to_have_count(1)
    page.locator("[data-today-form=next_step]").click()
    page.locator("#today-next_step input[name=text]").fill("Send the offer")
    page.locator("#today-next_step button").click()
    expect(page.locator(".today-done li")).to_have_count(2)
    # From the row of a deal that isn't in focus, with one tap.
    page.locator(".today-row button", has_text="On track").first.click()
    expect(page.locator(".today-done li")).to_have_count(3)
    page.locator(".today-done button").first.click()
    expect(page.locator(".today-done li")).to_have_count(2)
    assert seat.complaints == []


def test_today_works_without_script(sit, queue):
    seat = sit("ana@example.org")
    seat.page.route("**/*.js", lambda route: route.abort())
    seat.open(queue.url("today/"))
    page = seat.page
    page.get_by_role("button", name="On track Y").click()
    expect(page.locator(".today-done li")).to_have_count(1)
    page.locator("[data-today-form=push]").click()
    page.locator("#today-push-day").fill("eom")
    page.locator("#today-push button").click()
    expect(page.locator(".today-done li, .today-note .bad")).not_to_have_count(0)
    page.locator("[data-today-form=lose]").click()
    page.locator("#today-lose button").click()
    expect(page.locator("#today-lose-note")).to_contain_text("Say the primary reason")
    page.locator("#today-ending").select_option(label="Price")
    page.locator("#today-lose button").click()
    page.locator(".today-done button").first.click()
    expect(page.locator(".toast-text")).to_contain_text("back as it was")


def test_today_is_readable_for_everyone_with_every_form_open(sit, queue):
    seat = sit("ana@example.org")
    troubles = []
    for path in (
        "today/",
        *(f"today/?form={form}" for form in ("push", "next_step", "amount", "lose", "snooze")),
    ):
        seat.open(queue.url(path))
        troubles += troubles_at_both_widths(seat, path)
    assert troubles + seat.complaints == []


def test_two_quick_keystrokes_answer_one_deal(sit, queue):
    seat = sit("ana@example.org")
    seat.open(queue.url("today/"))
    seat.page.evaluate("['y', 'y'].forEach(key => document.querySelector(`[data-key=${key}]`).click())")
    expect(seat.page.locator(".today-done li")).to_have_count(1)
    with use(queue.organization.id):
        assert DealAnswer.objects.count() == 1
