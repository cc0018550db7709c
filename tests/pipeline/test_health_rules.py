"""Every check fails for its own reason, says why with numbers, and costs what the table says."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.health.rules import CHECKS, DEFAULTS, Deal, Thresholds, health, learned

TODAY = date(2026, 11, 22)
HEALTHY = Deal(
    today=TODAY,
    close_date=TODAY + timedelta(days=30),
    next_step="Send the offer",
    next_step_on=TODAY,
    days_silent=2,
    stage="Proposal",
    days_in_stage=5,
    amount_minor=100_00,
    highest_amount_minor=100_00,
    contact_count=3,
    has_decision_maker=True,
    p_won=0.6,
    is_commit=True,
)
YESTERDAY = TODAY - timedelta(days=1)
SICK = {
    "close_date_passed": ({"close_date": YESTERDAY}, "on 21\xa0Nov"),
    "no_next_step": ({"next_step": " "}, "no next step"),
    "next_step_overdue": ({"next_step_on": TODAY - timedelta(days=3)}, "on 19\xa0Nov"),
    "silent": ({"days_silent": 14}, "since 8\xa0Nov"),
    "stalled": ({"days_in_stage": 31}, "since 22\xa0Oct"),
    "pushed_often": ({"push_count": 2}, "2 times"),
    "pushed_this_week": ({"last_push_on": TODAY - timedelta(days=6)}, "16\xa0Nov"),
    "amount_fell": ({"amount_minor": 80_00}, "20 %"),
    "single_threaded": ({"contact_count": 1}, "Only 1"),
    "no_decision_maker": ({"has_decision_maker": False}, "decision maker"),
    "milestone_missing": ({"missing_milestones": ("Budget agreed",)}, "Budget agreed"),
    "moved_backward": ({"moved_back_from": "Negotiation"}, "Negotiation to Proposal"),
    "close_date_implausible": ({"close_date": TODAY + timedelta(days=2)}, "24\xa0Nov"),
    "no_amount": ({"amount_minor": None}, "no amount"),
    "commit_at_risk": ({"p_won": 0.49}, "49%"),
}


def failed(deal: Deal, thresholds: Thresholds = DEFAULTS) -> list[str]:
    return [check.check for check in health(deal, thresholds=thresholds).failed]


def test_a_healthy_deal_has_a_hundred():
    assert (health(HEALTHY).score, health(HEALTHY).failed) == (100, ())


def test_there_are_fifteen_checks_and_each_has_a_case():
    assert [check.key for check in CHECKS] == list(SICK) and len(CHECKS) == 15


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.key)
def test_each_check_fails_alone_and_says_why(check):
    change, words = SICK[check.key]
    found = health(replace(HEALTHY, **change))
    assert [f.check for f in found.failed] == [check.key]
    assert found.score == 100 - check.penalty and words in found.failed[0].detail


@pytest.mark.parametrize(
    "change",
    [
        {"close_date": TODAY + timedelta(days=3)},
        {"close_date": TODAY + timedelta(days=365)},
        {"days_silent": 13},
        {"days_in_stage": 30},
        {"push_count": 1},
        {"last_push_on": TODAY - timedelta(days=7)},
        {"amount_minor": 80_01},
        {"amount_minor": 200_00},
        {"contact_count": 2},
        {"p_won": 0.5},
        {"p_won": None},
        {"p_won": 0.1, "is_commit": False},
    ],
)
def test_a_deal_on_the_limit_is_still_healthy(change):
    assert failed(replace(HEALTHY, **change)) == []


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"close_date": None}, "close_date_implausible"),
        ({"close_date": TODAY + timedelta(days=366)}, "close_date_implausible"),
        ({"days_silent": None}, "silent"),
        ({"late_milestones": ("Demo held",)}, "milestone_missing"),
        ({"contact_count": 0}, "single_threaded"),
        ({"amount_minor": 0, "highest_amount_minor": None}, "no_amount"),
    ],
)
def test_a_check_fails_for_its_other_reason_too(change, check):
    assert failed(replace(HEALTHY, **change)) == [check]


def test_a_close_date_that_passed_is_not_called_implausible_as_well():
    assert failed(replace(HEALTHY, close_date=TODAY - timedelta(days=400))) == ["close_date_passed"]


def test_health_does_not_go_below_zero():
    assert sum(check.penalty for check in CHECKS) > 100
    assert (
        health(Deal(today=TODAY, close_date=YESTERDAY, days_in_stage=99, push_count=9, p_won=0.1)).score == 0
    )


@given(keys=st.sets(st.sampled_from(sorted(SICK))))
def test_health_is_a_hundred_less_the_penalties(keys):
    deal = HEALTHY
    for key in keys:
        deal = replace(deal, **SICK[key][0])
    found = health(deal)
    assert found.score == max(0, 100 - sum(f.penalty for f in found.failed))


def test_few_won_deals_keep_the_stated_defaults():
    thresholds = learned(won_deals=19, stage_days_p80=90)
    assert thresholds.is_default and thresholds.stalled_days == DEFAULTS.stalled_days
    assert "a default" in health(replace(HEALTHY, days_in_stage=31), thresholds=thresholds).failed[0].detail


def test_enough_won_deals_set_the_thresholds():
    thresholds = learned(won_deals=20, stage_days_p80=44.6, silence_days_p80=20, days_to_close_p20=9)
    assert (thresholds.stalled_days, thresholds.silent_days, thresholds.least_days_to_close) == (45, 20, 9)
    assert failed(replace(HEALTHY, days_in_stage=45, days_silent=19), thresholds) == []
    detail = health(replace(HEALTHY, days_in_stage=46), thresholds=thresholds).failed[0].detail
    assert "4 of 5 won deals needed 45 days" in detail
