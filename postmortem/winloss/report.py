"""How often, to whom and why deals are won and lost, in a window and by group."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from forecasting.rollup.scope import chart_for
from otc.calendar.queries import calendar_of
from otc.calendar.rules import FIRST_YEAR, LAST_YEAR, Calendar, Kind, Period, period_of, periods_of_year
from otc.money.rules import CurrencySum, sum_by_currency
from otc.tenancy.lines import EVERYONE, scope_owners
from otc.tenancy.models import Organization, Person
from otc.tenancy.reach import visible_reach
from postmortem.winloss.queries import GROUPINGS, GroupRow, closed_by_group, unconvertible_closed
from postmortem.winloss.rules import Closed, Row, row

GROUPS = tuple(GROUPINGS)


@dataclass(frozen=True)
class Group:
    """One group with its rates (see Row). `key` is a person's, product's or reason's id, a text, or a
    quarter's key; None where the deals name none, and then `name` is empty.
    """

    key: Any
    name: str
    row: Row


@dataclass(frozen=True)
class UnconvertibleClosed:
    """A closed deal without a rate: counted as a deal, in no sum."""

    opportunity_id: Any
    name: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class WinLossReport:
    """Groups by money won, quarters by time; `total` is of all deals. Amounts are corporate minor units."""

    period: Period | None
    scope: str
    as_of: datetime
    group_by: str
    currency: str
    groups: tuple[Group, ...]
    total: Row
    unconvertible: tuple[UnconvertibleClosed, ...]
    without_amount: int

    @property
    def unconvertible_sums(self) -> tuple[CurrencySum, ...]:
        return sum_by_currency((deal.currency, deal.amount_minor) for deal in self.unconvertible)


def winloss_report(
    organization: Organization,
    *,
    viewer: Person,
    group_by: str,
    period: Period | None,
    as_of: datetime,
    now: datetime,
    scope: str = EVERYONE,
    org_chart: str = "then",
    knowledge: str = "then",
    currency: str | None = None,
) -> WinLossReport:
    """Deals closed in `period` (None: all time) as of an instant, as far as `viewer` may see today.

    `group_by` is one of GROUPS. Raises UnknownScope, and ValueError for another group.
    """
    if group_by not in GROUPINGS:
        raise ValueError(f"Group by one of {', '.join(GROUPINGS)}, not “{group_by}”.")
    corporate = currency or organization.currency
    chart = chart_for(as_of, org_chart=org_chart, now=now)
    visible = visible_reach(viewer, organization=organization, now=now).owners
    known = now if knowledge == "now" else as_of
    calendar = calendar_of(organization, known=known) if group_by == "quarter" else None
    asked: dict[str, Any] = {
        "period": period,
        "as_of": as_of,
        "known": known,
        "owners": scope_owners(scope, chart=chart, visible=visible),
        "corporate": corporate,
    }
    found = closed_by_group(
        group_by,
        chart=as_of if org_chart == "then" else now,
        timezone=organization.timezone,
        quarters=quarter_starts(calendar) if calendar else (),
        **asked,
    )
    whole = next((group for group in found if group.is_total), None)
    groups = [_group(group, calendar=calendar) for group in found if not group.is_total]
    return WinLossReport(
        period=period,
        scope=scope,
        as_of=as_of,
        group_by=group_by,
        currency=corporate,
        groups=tuple(sorted(groups, key=_by_time if group_by == "quarter" else _by_money)),
        total=row(
            None, closed=whole.closed if whole else Closed(), cycle_days=whole.cycle_days if whole else None
        ),
        unconvertible=tuple(UnconvertibleClosed(*deal) for deal in unconvertible_closed(**asked)),
        without_amount=whole.without_amount if whole else 0,
    )


def quarter_starts(calendar: Calendar) -> list[date]:
    """The first day of every fiscal quarter that there is, in order."""
    return [
        quarter.first
        for year in range(FIRST_YEAR, LAST_YEAR + 1)
        for quarter in periods_of_year(year, kind=Kind.QUARTER, calendar=calendar)
    ]


def _group(found: GroupRow, *, calendar: Calendar | None) -> Group:
    """`calendar` is given where the groups are quarters."""
    key, name = found.key, found.name or ""
    if calendar is not None and key is not None:
        quarter = period_of(key, kind=Kind.QUARTER, calendar=calendar)
        key, name = quarter.key, quarter.label
    return Group(key or None, name, row(key or None, closed=found.closed, cycle_days=found.cycle_days))


def _by_money(group: Group) -> tuple[int, int, str]:
    return (-group.row.closed.won_minor, -group.row.closed.count, group.name)


def _by_time(group: Group) -> str:
    return group.key or "9999"
