"""What people call: every Friday, each rep, manager and executive submits numbers for the running quarter.

A rep's call is what is won, a share of what is open by category, and hope for what is yet to come; and then their
habit: some say less than they know (sandbaggers), some hear yes in every maybe (happy ears). A manager adds the
reports' calls up and corrects them by a habit of their own. Some say it on Monday only, when it was due on Friday.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp
from random import Random

from otc.calendar.rules import Kind, Period, following, month_years, period_of
from otc.demo import market
from otc.demo.company import DemoCompany
from otc.demo.deals import DemoDeal
from otc.demo.draw import Weighted, stream
from otc.demo.rates import base_rate

CALLS_SALT = 5
FRIDAY = 4
COMMIT, MOST_LIKELY, BEST_CASE = "commit_cumulative", "most_likely_cumulative", "best_case_cumulative"
WON, IN_COMMIT, IN_MOST_LIKELY, IN_BEST_CASE = range(4)
PLACE = {"closed": WON, "commit": IN_COMMIT, "most_likely": IN_MOST_LIKELY, "best_case": IN_BEST_CASE}
HABIT = Weighted(market.CALL_HABITS)
NOTES = (
    *("", "", "", ""),
    *("Two signatures promised", "One deal at risk", "Procurement is slow", "On plan", "Upside left out"),
)
LATE_BY = timedelta(days=2, hours=18)
MIDDLE = 0.45  # of the way from commit to best case lies most likely
Sums = list[int]


@dataclass(frozen=True, slots=True)
class DemoCall:
    """`amount_minor` corporate minor units for `period` (2026-Q4) in `column`."""

    person: str
    period: str
    column: str
    amount_minor: int
    note: str
    at: datetime


class CallDays:
    """The Fridays of each quarter up to today, and which quarter a day belongs to."""

    def __init__(self, company: DemoCompany) -> None:
        days = company.workdays
        self.periods: list[Period] = []
        self.fridays: list[list[int]] = []
        self.period_at: list[int] = []
        period = period_of(days.first, kind=Kind.QUARTER, calendar=month_years(company.plan.fiscal_month))
        for day, found in enumerate(days.dates):
            if found >= period.end:
                period = following(period)
            if not self.periods or self.periods[-1].key != period.key:
                self.periods.append(period)
                self.fridays.append([])
            self.period_at.append(len(self.periods) - 1)
            if found.weekday() == FRIDAY and day < days.today:
                self.fridays[-1].append(day)


class Ledger:
    """What every person's deals come to on every Friday, by quarter and category, in corporate minor units.

    Deals are added one by one, in any order and by any process; `merge` adds another ledger's. Sums are kept as
    differences from Friday to Friday, so that a state costs the same whether it stood for a day or a quarter.
    """

    def __init__(self, company: DemoCompany, *, call_days: CallDays) -> None:
        self.days, self.call_days = company.workdays, call_days
        corporate = company.plan.currency
        digits = market.MINOR_DIGITS
        self.factors = {
            currency: base_rate(currency, corporate=corporate) * 10 ** (digits[corporate] - digits[currency])
            for currency in market.EUR_FOR_ONE
        }
        self.changes: dict[tuple[str, int], list[Sums]] = {}

    def add(self, deal: DemoDeal) -> None:
        opening, first, last = self.days.opens[0] - timedelta(hours=2), self.days.first, self.days.last
        until = self.days.today
        for state, later in zip(deal.states, (*deal.states[1:], None), strict=True):
            place = PLACE.get(state.category)
            if place is None or state.owner is None or not state.amount_minor or state.close_date is None:
                continue
            closes = min(max((state.close_date - first).days, 0), last)
            period = self.call_days.period_at[closes]
            fridays = self.call_days.fridays[period]
            start = bisect_right(fridays, (state.at - opening).days)
            end = bisect_right(fridays, until if later is None else (later.at - opening).days)
            if start == end:
                continue
            amount = round(state.amount_minor * self.factors[state.currency])
            found = self.changes.get((state.owner, period))
            if found is None:
                found = self.changes[state.owner, period] = [[0] * (len(fridays) + 1) for _ in PLACE]
            found[place][start] += amount
            found[place][end] -= amount

    def merge(self, changes: dict[tuple[str, int], list[Sums]]) -> None:
        for key, theirs in changes.items():
            ours = self.changes.get(key)
            if ours is None:
                self.changes[key] = theirs
                continue
            for our_sums, their_sums in zip(ours, theirs, strict=True):
                for place, amount in enumerate(their_sums):
                    our_sums[place] += amount

    def standing(self, person: str, period: int) -> list[tuple[int, int, int, int]]:
        """(won, commit, most likely, best case) of the person's own deals on each Friday of the period."""
        fridays = self.call_days.fridays[period]
        changes = self.changes.get((person, period))
        if changes is None:
            return [(0, 0, 0, 0)] * len(fridays)
        rows, sums = [], [0, 0, 0, 0]
        for friday in range(len(fridays)):
            sums = [total + change[friday] for total, change in zip(sums, changes, strict=True)]
            rows.append((sums[WON], sums[IN_COMMIT], sums[IN_MOST_LIKELY], sums[IN_BEST_CASE]))
        return rows


def build_calls(company: DemoCompany, ledger: Ledger) -> list[DemoCall]:
    """Everybody's calls, quarter by quarter, Friday by Friday."""
    calls: list[DemoCall] = []
    rng = Random(stream(company.seed, salt=CALLS_SALT))
    habits = {person.key: HABIT.draw(rng) for person in company.people}
    quotas = {(quota.person, quota.period): quota.amount_minor for quota in company.quotas}
    for number, period in enumerate(ledger.call_days.periods):
        fridays = ledger.call_days.fridays[number]
        standing = {person.key: ledger.standing(person.key, number) for person in company.people}
        for place, friday in enumerate(fridays):
            passed = (place + 1) / 13
            own = {
                key: own_estimate(rows[place], quota_minor=quotas.get((key, period.key), 0), passed=passed)
                for key, rows in standing.items()
            }
            given = weeks_calls(rng, company, own=own, habits=habits, friday=friday, passed=passed)
            for person, column, amount in given:
                at = company.workdays.opens[friday] + timedelta(hours=6, seconds=rng.randrange(9000))
                if is_late(person, company, friday=friday, period=period):
                    at += LATE_BY
                note = NOTES[rng.randrange(len(NOTES))] if column == COMMIT else ""
                calls.append(DemoCall(person, period.key, column, amount, note, at))
    return calls


def is_late(person: str, company: DemoCompany, *, friday: int, period: Period) -> bool:
    """Whether what was due on a Friday was said on Monday: one in CALL_LATE_EVERY, while the quarter runs."""
    monday = friday + 3
    runs = monday < company.workdays.today and company.workdays.dates[monday] < period.end
    return runs and (int(person[2:]) + friday // 7) % market.CALL_LATE_EVERY == 0


def own_estimate(
    row: tuple[int, int, int, int], *, quota_minor: int, passed: float
) -> tuple[float, float, float]:
    """(won, what else is committed, what else at best) by the person's own deals; early on, hope helps out."""
    won, commit, most_likely, best_case = row
    hope = quota_minor * market.CALL_HOPE * max(1 - passed, 0)
    sure = market.CALL_COMMIT * commit + market.CALL_MOST_LIKELY * most_likely + hope
    return won, sure, sure + market.CALL_BEST_CASE * (most_likely + best_case)


def weeks_calls(
    rng: Random,
    company: DemoCompany,
    *,
    own: dict[str, tuple[float, float, float]],
    habits: dict[str, float],
    friday: int,
    passed: float,
) -> Iterable[tuple[str, str, int]]:
    """(person, column, amount) of one Friday, from the bottom of the lines up."""
    at, day = company.workdays.midnight(friday), company.workdays.dates[friday]
    gone = {person.key for person in company.people if person.left is not None and person.left <= day}
    reports: dict[str, list[str]] = {}
    there = []
    for line in company.lines:
        if line.valid_from <= at and (line.valid_to is None or at < line.valid_to):
            there.append(line.person)
            if line.manager is not None:
                reports.setdefault(line.manager, []).append(line.person)
    called: dict[str, tuple[float, float]] = {}
    found: list[tuple[str, str, int]] = []

    def call(person: str) -> tuple[float, float]:
        if person in called:
            return called[person]
        won, sure, best = own[person]
        # A habit works on what isn't signed yet; the noise shrinks as the quarter ends.
        bend = habits[person] * exp(rng.gauss(0, market.CALL_NOISE * (1.15 - min(passed, 1))))
        commit, at_best = won + sure * bend, won + best * bend
        if below := [call(report) for report in reports.get(person, ())]:
            # Few deals are a manager's own: their won ones are added to what the reports say.
            bend = 1 + (bend - 1) * market.MANAGERS_BEND
            commit = won + bend * sum(one for one, _ in below)
            at_best = max(won + bend * sum(one for _, one in below), commit)
        called[person] = (commit, at_best)
        if person not in gone and rng.random() >= market.CALL_FORGOTTEN:
            found.append((person, COMMIT, said(commit)))
            found.append((person, MOST_LIKELY, said(commit + MIDDLE * (at_best - commit))))
            found.append((person, BEST_CASE, said(at_best)))
        return called[person]

    for person in there:
        call(person)
    return found


def said(amount: float) -> int:
    """Two to three leading digits, as people say numbers: 1,234,567 -> 1,230,000."""
    whole = max(round(amount), 0)
    step = 10 ** max(len(str(whole)) - 3, 0)
    return round(whole / step) * step
