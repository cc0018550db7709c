"""Where the pipeline of a period went between two instants, each bucket with its deals."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from forecasting.rollup.scope import chart_for
from forecasting.waterfall.queries import DealLabel, End, parts_between
from forecasting.waterfall.rules import (
    EVERYONE as EVERY_OWNER,
)
from forecasting.waterfall.rules import (
    Frame,
    Part,
    PartState,
    Scope,
    Total,
    Waterfall,
    waterfall,
    waterfalls_by_group,
)
from otc.calendar.rules import Period
from otc.money.rules import CurrencySum, sum_by_currency
from otc.tenancy.lines import EVERYONE, Owners, scope_owners
from otc.tenancy.models import Organization, Person
from otc.tenancy.reach import visible_reach

GROUPS: dict[str, Callable[[PartState], Hashable | None]] = {
    "stage": lambda state: state.stage,
    "category": lambda state: state.category,
    "product": lambda state: state.product,
}
HIDDEN = DealLabel("", "", "", False)


@dataclass(frozen=True)
class WaterfallReport:
    """The waterfall in corporate minor units. `deals` names every deal of its lines, by id.

    A deal that the viewer can't see today (it was transferred away) keeps its effect and shows no name; it is
    in `hidden`. `groups` holds a waterfall per stage id, product id or category where one was asked for.
    """

    period: Period
    scope: str
    since: datetime
    as_of: datetime
    org_chart: str
    currency: str
    waterfall: Waterfall
    groups: Mapping[Hashable | None, Waterfall]
    deals: Mapping[UUID, DealLabel]
    hidden: frozenset[UUID]
    unconvertible_sums: tuple[CurrencySum, ...] = ()


def waterfall_report(
    organization: Organization,
    *,
    viewer: Person,
    period: Period,
    since: datetime,
    as_of: datetime,
    now: datetime,
    scope: str = EVERYONE,
    org_chart: str = "then",
    knowledge: str = "then",
    currency: str | None = None,
    group_by: str | None = None,
) -> WaterfallReport:
    """The waterfall of `period` from `since` to `as_of`, as far as `viewer` may see today. Raises
    UnknownScope.

    `group_by` is stage, category, product or None. `knowledge` "now" shows both ends as they are known today.
    """
    corporate = currency or organization.currency
    if since > as_of:
        raise ValueError("A waterfall starts before it ends.")
    visible = visible_reach(viewer, organization=organization, now=now)
    before, after = (
        End(
            instant,
            now if knowledge == "now" else instant,
            scope_owners(
                scope, chart=chart_for(instant, org_chart=org_chart, now=now), visible=visible.owners
            ),
        )
        for instant in (since, as_of)
    )
    parts, labels = parts_between(
        period, before=before, after=after, own=organization.currency, corporate=corporate, visible=visible
    )
    frame = Frame(period, _scope(before.owners), _scope(after.owners), corporate)
    hidden = frozenset(deal for deal, label in labels.items() if not label.is_visible)
    found = _without_later_amounts(waterfall(parts, frame=frame), hidden)
    groups = waterfalls_by_group(parts, frame=frame, group_of=GROUPS[group_by]) if group_by else {}
    return WaterfallReport(
        period=period,
        scope=scope,
        since=since,
        as_of=as_of,
        org_chart=org_chart,
        currency=corporate,
        waterfall=found,
        groups={group: _without_later_amounts(found, hidden) for group, found in groups.items()},
        deals={deal: HIDDEN if deal in hidden else label for deal, label in labels.items()},
        hidden=hidden,
        unconvertible_sums=_native_sums(parts, frozenset(found.unconvertible), hidden=hidden),
    )


def _native_sums(
    parts: Iterable[Part], keys: frozenset[Hashable], *, hidden: frozenset[UUID]
) -> tuple[CurrencySum, ...]:
    """What the parts of these keys come to in their own currencies: as they are at the later end, or as they were at
    the earlier one where they aren't there any more or are hidden.
    """
    states = [
        part.after if part.after.exists and part.key not in hidden else part.before
        for part in parts
        if part.key in keys
    ]
    return sum_by_currency((state.currency, state.amount_minor or 0) for state in states)


def _scope(owners: Owners) -> Scope:
    if owners.person_ids is None and owners.unassigned:
        return EVERY_OWNER
    if owners.person_ids is None:
        raise ValueError("Every owner but nobody is no scope.")
    return Scope(owners.person_ids | ({None} if owners.unassigned else frozenset()))


def _without_later_amounts(found: Waterfall, hidden: frozenset[UUID]) -> Waterfall:
    """The same waterfall without what hidden deals are worth now."""
    if not hidden:
        return found

    def shown[Name](total: Total[Name]) -> Total[Name]:
        lines = tuple(
            replace(line, after_minor=None) if line.part in hidden else line for line in total.lines
        )
        return replace(total, lines=lines)

    return replace(
        found,
        opening=shown(found.opening),
        buckets=tuple(shown(bucket) for bucket in found.buckets),
        closing=shown(found.closing),
        bookings=tuple(shown(booking) for booking in found.bookings),
    )
