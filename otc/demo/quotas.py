"""What every person is meant to win per quarter: the demo's targets, set from the market's constants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from otc.calendar.rules import Kind, following, month_years, period_of
from otc.demo import market
from otc.demo.organizations import OrganizationPlan
from otc.demo.people import DemoLine, Staff
from otc.demo.rates import base_rate
from otc.demo.workdays import Workdays

ROUND_TO_EUR = 10_000
ROUND_SMALL_TO_EUR = 1_000
QUARTERS = 8  # in the window of 24 months


@dataclass(frozen=True, slots=True)
class DemoQuota:
    """Corporate minor units to win in `period` (2026-Q4); a manager's is less than the reports' sum."""

    person: str
    period: str
    amount_minor: int


def build_quotas(plan: OrganizationPlan, *, staff: Staff, deals: int, workdays: Workdays) -> list[DemoQuota]:
    """Every quarter of the window and the one after today's, reps first, then everybody above them."""
    quotas = []
    period = period_of(workdays.first, kind=Kind.QUARTER, calendar=month_years(plan.fiscal_month))
    last = workdays.dates[workdays.today] + timedelta(days=92)
    first_key = period.key
    while period.first <= last:
        day = min(max((period.first - workdays.first).days, 0), workdays.today)
        weight = market.QUARTER_WEIGHT[int(period.key[-1]) - 1]
        years = max(day, 0) / 365 - market.MONTHS / 24
        weight *= (1 + market.GROWTH_PER_YEAR * years) * (
            market.FIRST_QUARTER_RAMP if period.key == first_key else 1
        )
        amount_minor = rep_quota(plan, deals=deals, reps=len(staff.slots), weight=weight)
        held = {slot.owner_on(day) for slot in staff.slots} - {None}
        totals = {person: amount_minor for person in held if person is not None}
        sum_upwards(totals, lines=staff.lines, workdays=workdays, day=day)
        quotas += [DemoQuota(key, period.key, totals[key]) for key in sorted(totals)]
        period = following(period)
    return quotas


def rep_quota(plan: OrganizationPlan, *, deals: int, reps: int, weight: float) -> int:
    """A rep's share of what a quarter should bring, in round corporate amounts, as minor units."""
    eur = market.WON_PER_DEAL * deals / QUARTERS / reps * weight * market.QUOTA_STRETCH
    step = ROUND_TO_EUR if eur > 20 * ROUND_TO_EUR else ROUND_SMALL_TO_EUR
    rounded = max(round(eur / step), 1) * step
    corporate = rounded * base_rate("EUR", corporate=plan.currency)
    digits = market.MINOR_DIGITS[plan.currency]
    return int(float(f"{corporate:.2g}")) * 10**digits


def sum_upwards(totals: dict[str, int], *, lines: tuple[DemoLine, ...], workdays: Workdays, day: int) -> None:
    """Add to `totals` everybody above a person with a quota, by the lines that stand on `day`.

    A manager is asked for OVER_ASSIGNED of what the reports are: somebody always fails.
    """
    at = workdays.midnight(day)
    reports: dict[str, list[str]] = {}
    for line in lines:
        if line.manager and line.valid_from <= at and (line.valid_to is None or at < line.valid_to):
            reports.setdefault(line.manager, []).append(line.person)

    def total(person: str) -> int:
        below = sum(total(report) for report in reports.get(person, ()))
        if below:
            is_manager_of_reps = any(report not in reports for report in reports[person])
            share = market.OVER_ASSIGNED if is_manager_of_reps else 1
            totals[person] = rounded(below * share, like=below)
        return totals.get(person, 0)

    below_somebody = {person for people in reports.values() for person in people}
    for top in sorted(set(reports) - below_somebody):
        total(top)


def rounded(amount: float, *, like: int) -> int:
    """Three leading digits of an amount about as large as `like`: 1,234,567.8 -> 1,230,000."""
    step = 10 ** max(len(str(like)) - 3, 0)
    return round(amount / step) * step
