"""Why a deal is asked about, in what order, how long an answer holds, and where a push leads. Pure."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.health.rules import CHECKS
from pipeline.today.rules import (
    ANSWERS,
    BY_KEY,
    DUE,
    FROM_HEALTH,
    REASONS,
    Answered,
    NotNow,
    Standing,
    check_on_track,
    check_push,
    holds_until,
    pushes,
    reasons_of,
    still_open,
    urgency_of,
    worth,
)

TODAY = date(2026, 11, 19)
DAY = timedelta(days=1)
ANA, MAX = UUID(int=1), UUID(int=2)
FINE = {
    "today": TODAY,
    "close_date": TODAY + 40 * DAY,
    "next_step": "Send the offer",
    "next_step_on": TODAY + DAY,
    "amount_minor": 100_00,
}


def asked(**changes):
    return reasons_of(Standing(**{**FINE, **changes}))


def test_a_deal_that_runs_is_not_asked_about():
    assert asked() == ()


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"close_date": TODAY - DAY}, ("close_date_passed",)),
        ({"close_date": TODAY}, ()),
        ({"close_date": None}, ("no_close_date",)),
        ({"next_step": "  "}, ("no_next_step",)),
        ({"next_step_on": None}, ("next_step_undated",)),
        ({"next_step_on": TODAY}, ("next_step_due",)),
        ({"next_step_on": TODAY - DAY}, ("next_step_due",)),
        ({"amount_minor": None}, ("no_amount",)),
        ({"amount_minor": 0}, ("no_amount",)),
        ({"close_date": TODAY + 30 * DAY, "p_slip": 0.5}, ("likely_slip",)),
        ({"close_date": TODAY + 31 * DAY, "p_slip": 0.9}, ()),
        ({"close_date": TODAY + 30 * DAY, "p_slip": 0.49}, ()),
        ({"failed": {"silent", "single_threaded"}}, ("silent",)),
        ({"failed": {"single_threaded", "no_decision_maker", "pushed_this_week"}}, ()),
        ({"close_date": None, "failed": {"close_date_implausible"}}, ("no_close_date",)),
        (
            {"failed": {"stalled", "commit_at_risk"}, "next_step": ""},
            ("commit_at_risk", "no_next_step", "stalled"),
        ),
    ],
)
def test_each_reason_has_its_day_its_field_or_its_check(changes, reasons):
    assert asked(**changes) == reasons


def test_the_reasons_of_health_are_checks_of_health():
    assert set(FROM_HEALTH) <= {check.key for check in CHECKS}
    assert [one.urgency for one in REASONS] == sorted((one.urgency for one in REASONS), reverse=True)
    assert all(set(reason.answers) <= set(ANSWERS) for reason in REASONS)


def test_worth_is_amount_times_chance_times_urgency():
    assert worth(amount_minor=10_000_000, chance_bp=5_800, urgency=60) == 10_000_000 * 5_800 * 60
    assert worth(amount_minor=100, chance_bp=None, urgency=100) == 100 * 3_000 * 100
    assert worth(amount_minor=None, chance_bp=5_000, urgency=100) == 0
    # A smaller deal whose close date passed goes before a larger one that merely stands still.
    assert worth(amount_minor=60, chance_bp=5_000, urgency=100) > worth(
        amount_minor=100, chance_bp=5_000, urgency=40
    )
    assert urgency_of(["stalled", "close_date_passed"]) == 100
    assert urgency_of([]) == 0


def answered(kind="on_track", *, reasons=("silent", "next_step_due"), on=TODAY, days=7, person=ANA):
    return Answered(kind, person, reasons, on, on + days * DAY)


def left(answers, *, today=TODAY, reasons=("next_step_due", "silent"), watchers=(ANA,)):
    return still_open(reasons, answers, today=today, watchers=watchers)


def test_an_answer_settles_the_reasons_that_stood_then():
    assert left([]) == ("next_step_due", "silent")
    assert left([answered()]) == ()
    assert left([answered()], reasons=("silent", "stalled")) == ("stalled",)


def test_what_is_due_comes_back_the_next_day_and_the_rest_after_a_week():
    assert left([answered()], today=TODAY + DAY) == ("next_step_due",)
    assert left([answered()], today=TODAY + 6 * DAY) == ("next_step_due",)
    assert left([answered()], today=TODAY + 7 * DAY) == ("next_step_due", "silent")
    assert {"close_date_passed", "next_step_due"} == DUE


def test_a_snooze_covers_every_reason_for_whoever_snoozed():
    snooze = answered("snooze", reasons=(), days=3)
    assert left([snooze]) == ()
    assert left([snooze], today=TODAY + 2 * DAY) == ()
    assert left([snooze], today=TODAY + 3 * DAY) == ("next_step_due", "silent")
    assert left([snooze], watchers=(MAX,)) == ("next_step_due", "silent")
    assert left([answered(person=MAX)]) == ()


@given(st.lists(st.sampled_from(list(BY_KEY)), unique=True), st.integers(-40, 40))
def test_an_answer_never_adds_a_reason(reasons, days):
    remaining = left(
        [answered(reasons=tuple(reasons[::2]))], reasons=tuple(reasons), today=TODAY + days * DAY
    )
    assert set(remaining) <= set(reasons)
    assert list(remaining) == [key for key in reasons if key in remaining]


def test_a_snooze_leads_to_a_day_within_a_year():
    assert holds_until("snooze", today=TODAY, day=TODAY + DAY) == TODAY + DAY
    assert holds_until("push", today=TODAY, day=TODAY) == TODAY + 7 * DAY
    for day in (None, TODAY, TODAY - DAY, TODAY + 367 * DAY):
        with pytest.raises(NotNow):
            holds_until("snooze", today=TODAY, day=day)


def test_no_deal_is_on_track_for_a_day_that_passed_or_is_missing():
    check_on_track(["silent"])
    for key in ("close_date_passed", "no_close_date"):
        with pytest.raises(NotNow):
            check_on_track([key, "silent"])


def test_a_push_leads_to_another_day_from_today_on():
    assert check_push(TODAY, close_date=TODAY - DAY, today=TODAY) == TODAY
    for day in (None, TODAY - DAY, TODAY + DAY):
        with pytest.raises(NotNow):
            check_push(day, close_date=TODAY + DAY, today=TODAY)


@pytest.mark.parametrize(
    ("close_date", "days"),
    [
        (date(2026, 12, 18), ["2026-12-25", "2027-01-01", "2026-12-31"]),
        (date(2026, 12, 31), ["2027-01-07", "2027-01-14", "2027-01-31"]),
        (date(2026, 10, 1), ["2026-11-26", "2026-12-03", "2026-11-30"]),
        (None, ["2026-11-26", "2026-12-03", "2026-11-30"]),
    ],
)
def test_one_keystroke_pushes_from_the_close_date_or_from_today(close_date, days):
    assert [day.isoformat() for _, day in pushes(close_date, today=TODAY)] == days


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_every_quick_push_is_a_push(close_date, today):
    for _, day in pushes(close_date, today=today):
        assert check_push(day, close_date=close_date, today=today) == day > max(close_date, today)
