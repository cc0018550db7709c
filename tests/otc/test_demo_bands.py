"""Is the demo believable? Rates that a sales organization would recognize, for several seeds."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from statistics import mean, median

import pytest

from otc.calendar.rules import Period, following, period_of
from otc.demo import market
from otc.demo.company import build_company
from otc.demo.deals import DemoState
from otc.demo.organizations import PLANS
from otc.demo.rates import base_rate
from otc.demo.simulation import simulate

TODAY = date(2026, 11, 22)
SEEDS = (1, 2, 3)
DEALS = 2400


@dataclass
class Told:
    """A deal's states with their days; `eur` values a state at the base rates."""

    days: list[date]
    states: tuple[DemoState, ...]

    def on(self, day: date) -> DemoState | None:
        """How it stood on the morning of `day`."""
        place = bisect_left(self.days, day)
        return self.states[place - 1] if place else None


def eur(state: DemoState) -> float:
    return (
        (state.amount_minor or 0)
        / 10 ** market.MINOR_DIGITS[state.currency]
        * base_rate(state.currency, corporate="EUR")
    )


@cache
def told(seed: int) -> list[Told]:
    company = build_company(PLANS["halden"], deals=DEALS, seed=seed, today=TODAY)
    return [Told([state.at.date() for state in deal.states], deal.states) for deal in simulate(company)]


@cache
def quarters(seed: int) -> list[tuple[Period, float, float]]:
    """(quarter, won EUR of everybody, the top's quota in EUR) of the last five whole quarters."""
    company = build_company(PLANS["halden"], deals=DEALS, seed=seed, today=TODAY)
    quota = {q.period: q.amount_minor / 100 for q in company.quotas if q.person == company.people[0].key}
    found = []
    period = period_of(date(2025, 7, 1))
    for _ in range(5):
        ends = [deal.states[-1] for deal in told(seed)]
        won = sum(eur(s) for s in ends if s.outcome == "won" and s.close_date and s.close_date in period)
        found.append((period, won, quota[period.key]))
        period = following(period)
    return found


def slip_rate(seed: int, *, horizon: int) -> float:
    """Of deals open at t with a close date in [t, t+h), the share still open after it."""
    slipped = total = 0
    for weeks in range(24, 90, 3):
        start = TODAY - timedelta(days=700) + timedelta(weeks=weeks)
        for deal in told(seed):
            state = deal.on(start)
            if state is None or state.outcome is not None or state.close_date is None:
                continue
            if start <= state.close_date < start + timedelta(days=horizon):
                after = deal.on(state.close_date + timedelta(days=1))
                total += 1
                slipped += after is not None and after.outcome is None
    return slipped / total


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fifth_to_a_quarter_of_closed_deals_is_won(seed: int) -> None:
    ends = [deal.states[-1] for deal in told(seed)]
    closed = [state.outcome for state in ends if state.outcome]
    assert 0.20 <= closed.count("won") / len(closed) <= 0.28
    assert 0.13 <= closed.count("no_decision") / len(closed) <= 0.28
    assert 0.08 <= 1 - len(closed) / len(ends) <= 0.18


@pytest.mark.parametrize("seed", SEEDS)
def test_a_win_takes_two_to_four_months(seed: int) -> None:
    won = [deal for deal in told(seed) if deal.states[-1].outcome == "won"]
    assert 60 <= median((deal.days[-1] - deal.days[0]).days for deal in won) <= 120


@pytest.mark.parametrize("horizon", [30, 91])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_quarter_to_two_fifths_of_close_dates_slip(seed: int, horizon: int) -> None:
    assert 0.25 <= slip_rate(seed, horizon=horizon) <= 0.40


@pytest.mark.parametrize("seed", SEEDS)
def test_open_pipeline_covers_what_is_left_of_the_quota_about_three_times_in_mid_quarter(seed: int) -> None:
    found = []
    for period, _, quota in quarters(seed):
        middle = period.first + (period.end - period.first) / 2
        states = [state for deal in told(seed) if (state := deal.on(middle)) and state.close_date]
        inside = [state for state in states if state.close_date in period]
        won = sum(eur(state) for state in inside if state.outcome == "won")
        is_open = [state for state in inside if state.outcome is None and state.category != "omitted"]
        found.append(sum(map(eur, is_open)) / (quota - won))
    assert 2.5 <= mean(found) <= 3.5


@pytest.mark.parametrize("seed", SEEDS)
def test_the_organization_about_reaches_its_quota_and_reps_spread_around_theirs(seed: int) -> None:
    assert 0.80 <= mean(won / quota for _, won, quota in quarters(seed)) <= 1.20
    company = build_company(PLANS["halden"], deals=DEALS, seed=seed, today=TODAY)
    year = {period.key for period, _, _ in quarters(seed)[:4]}
    reps = {person.key for person in company.people if person.role == "rep" and person.left is None}
    quota = dict.fromkeys(sorted(reps), 0.0)
    for target in company.quotas:
        if target.person in reps and target.period in year:
            quota[target.person] += target.amount_minor / 100
    won = dict.fromkeys(quota, 0.0)
    for deal in told(seed):
        state = deal.states[-1]
        if state.outcome == "won" and state.owner in won and state.close_date:
            won[state.owner] += eur(state) if period_of(state.close_date).key in year else 0
    attained = [won[rep] / quota[rep] for rep in quota if quota[rep]]
    assert 0.15 <= sum(share >= 1 for share in attained) / len(attained) <= 0.60
    assert sum(share < 0.7 for share in attained) / len(attained) >= 0.15


@pytest.mark.parametrize("seed", SEEDS)
def test_a_deal_has_five_to_seven_versions(seed: int) -> None:
    assert 5 <= mean(len(deal.states) for deal in told(seed)) <= 7


def test_no_two_states_of_a_deal_are_the_same() -> None:
    assert all(a != b for deal in told(1) for a, b in pairwise(deal.states))
