"""What every person is meant to win per quarter: the demo's targets, set from the market's constants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from otc.calendar.rules import Kind, following, month_years, period_of
from otc.demo import market
from otc.demo.organizations import OrganizationPlan
from otc.demo.people import LEAD_TITLE, DemoLine, Slot, Staff
from otc.demo.rates import base_rate
from otc.demo.workdays import Workdays

ROUND_TO_EUR = 10_000
ROUND_SMALL_TO_EUR = 1_000
QUARTERS = 8  # in the window of 24 months


@dataclass(frozen=True, slots=True)
class DemoQuota:
    """Corporate minor units to win in `period` (2026-Q4); a manager's is less than the reports' sum.

    It was the target from `since` (None: ever) to `until` (None: still); `reason` says why it is another one.
    """

    person: str
    period: str
    amount_minor: int
    since: datetime | None = None
    until: datetime | None = None
    reason: str = ""


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
        held = {owner for slot in staff.slots if (owner := slot.owner_on(day)) is not None}
        if period.first > workdays.dates[workdays.today]:
            held |= successors(staff)
        totals = dict.fromkeys(held, amount_minor)
        sum_upwards(totals, staff=staff, workdays=workdays, day=day)
        whole = [DemoQuota(key, period.key, totals[key]) for key in sorted(totals)]
        end = (period.end - workdays.first).days
        quotas += shared_out(whole, staff=staff, days=workdays, first=day, end=end)
        period = following(period)
    return quotas


def successors(staff: Staff) -> set[str]:
    """Reps who haven't a deal yet: they came after somebody who left."""
    holders = {who for slot in staff.slots for who, _, _ in slot.tenures}
    return {person.key for person in staff.people if person.role == "rep"} - holders


def shared_out(
    quotas: list[DemoQuota], *, staff: Staff, days: Workdays, first: int, end: int
) -> list[DemoQuota]:
    """The quotas of a period of the days [first, end): what is left of a leaver's goes to the team of the same manager,
    from the next morning on. Who comes to a territory that nobody held takes nothing back.
    """
    found = {quota.person: [quota] for quota in quotas}
    for slot in staff.slots:
        for who, _, gone in slot.tenures:
            if who not in found or not first < gone < min(end, days.today):
                continue
            team = teammates(slot, staff=staff, day=gone) & found.keys()
            if not team:
                continue
            at = days.midnight(gone + 1)
            left = found[who][-1]
            rest = left.amount_minor * (end - gone) / (end - first)
            share = rounded(rest / len(team), like=round(rest / len(team)))
            found[who][-1:] = [
                replace(left, until=at),
                replace(left, amount_minor=left.amount_minor - share * len(team), since=at, reason="Left"),
            ]
            for mate in team:
                before = found[mate][-1]
                found[mate][-1:] = [
                    replace(before, until=at),
                    replace(
                        before,
                        amount_minor=before.amount_minor + share,
                        since=at,
                        reason=f"{slot.label} is shared out",
                    ),
                ]
    return [quota for person in sorted(found) for quota in found[person]]


def teammates(slot: Slot, *, staff: Staff, day: int) -> set[str]:
    """Who works for the same manager on a day, without who holds the slot."""
    boss = slot.boss_on(day)
    others = (one for one in staff.slots if one.number != slot.number and one.boss_on(day) == boss)
    return {owner for one in others if (owner := one.owner_on(day)) is not None}


def rep_quota(plan: OrganizationPlan, *, deals: int, reps: int, weight: float) -> int:
    """A rep's share of what a quarter should bring, in round corporate amounts, as minor units."""
    eur = market.WON_PER_DEAL * deals / QUARTERS / reps * weight * market.QUOTA_STRETCH
    step = ROUND_TO_EUR if eur > 20 * ROUND_TO_EUR else ROUND_SMALL_TO_EUR
    rounded = max(round(eur / step), 1) * step
    corporate = rounded * base_rate("EUR", corporate=plan.currency)
    digits = market.MINOR_DIGITS[plan.currency]
    return int(float(f"{corporate:.2g}")) * 10**digits


def sum_upwards(totals: dict[str, int], *, staff: Staff, workdays: Workdays, day: int) -> None:
    """Add to `totals` everybody above a person with a quota, by the lines that stand on `day`.

    A manager is asked for OVER_ASSIGNED of what the reports are: somebody always fails. A lead has what the report has.
    """
    at = workdays.midnight(day)
    lines: tuple[DemoLine, ...] = staff.lines
    leads = {person.key for person in staff.people if person.title == LEAD_TITLE}
    gone = {person.key for person in staff.people if person.left and person.left <= workdays.dates[day]}
    reports: dict[str, list[str]] = {}
    for line in lines:
        if line.manager and line.valid_from <= at and (line.valid_to is None or at < line.valid_to):
            reports.setdefault(line.manager, []).append(line.person)

    def total(person: str) -> int:
        below = sum(total(report) for report in reports.get(person, ()))
        if person in gone:
            return below
        if below:
            is_manager_of_reps = (
                any(report not in reports for report in reports[person]) and person not in leads
            )
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
