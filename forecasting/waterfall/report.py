"""Where the pipeline of a period went between two instants, and the deals behind each step."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from forecasting.waterfall.queries import (
    OF_GROUP,
    OF_WEEK,
    UNCONVERTIBLE,
    WHOLE,
    Asked,
    Line,
    Mover,
    Sums,
    Wanted,
    lines_of,
    names_of_deals,
    sums_of,
)
from forecasting.waterfall.rules import STEPS, Bucket, Waterfall, chained, waterfall_of
from forecasting.waterfall.spans import scope_in_time
from otc.calendar.rules import Period
from otc.money.rules import CurrencySum, sum_by_currency
from otc.tenancy.lines import EVERYONE
from otc.tenancy.models import Organization, Person
from otc.tenancy.reach import Reach, visible_reach

ENDPOINT, PATH = "endpoint", "path"
MODES = (ENDPOINT, PATH)
WEEK = "week"
MOVED = (Bucket.MOVED_IN, Bucket.MOVED_OUT)
GROUPS = ("person", "team", "product", "stage", "category", WEEK)


@dataclass(frozen=True)
class WaterfallReport:
    """The waterfall in corporate minor units.

    `groups` holds a waterfall per stage, product, person or team (ids as text), category, or week (its Monday) where
    one was asked for; None is no stage, product ... `movers` are the deals that changed the total most, if asked for,
    of `moved_count`. A deal that the viewer can't see today (it was transferred away) keeps its effect and shows no
    name. `unconvertible` are the deals that belong here and lack a rate at an end that counts: in no sum.
    """

    asked: Asked
    scope: str
    org_chart: str
    visible: Reach
    waterfall: Waterfall
    groups: Mapping[str | None, Waterfall]
    group_by: str | None = None
    movers: tuple[Mover, ...] = ()
    moved_count: int = 0
    names: Mapping[UUID, str] | None = None
    unconvertible: tuple[Line, ...] = ()

    @property
    def period(self) -> Period:
        return self.asked.period

    @property
    def since(self) -> datetime:
        return self.asked.since

    @property
    def as_of(self) -> datetime:
        return self.asked.as_of

    @property
    def currency(self) -> str:
        return self.asked.corporate

    @property
    def mode(self) -> str:
        return PATH if self.asked.is_path else ENDPOINT

    @property
    def unconvertible_sums(self) -> tuple[CurrencySum, ...]:
        """What they come to in their own currencies, as they are at the later end or, where gone, were before."""
        return sum_by_currency((line.currency, line.native_minor or 0) for line in self.unconvertible)

    def lines(
        self,
        step: str = "",
        *,
        group: str | None = None,
        is_of_group: bool = False,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Line]:
        """The deals behind a step ("": of all steps, in order), of one group or week if asked, the largest first."""
        wanted = Wanted(bucket=step, offset=offset, limit=limit)
        if is_of_group and self.group_by == WEEK:
            wanted = replace(wanted, week=date.fromisoformat(group or ""))
        elif is_of_group:
            wanted = replace(wanted, group=group, is_of_group=True)
        return lines_of(self.asked, wanted, visible=self.visible, order=STEPS)


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
    mode: str = ENDPOINT,
    movers: int = 0,
) -> WaterfallReport:
    """The waterfall of `period` from `since` to `as_of`, as far as `viewer` may see today. Raises UnknownScope.

    `group_by` is one of GROUPS or None; by week it is a path, whose weeks add up to it. `knowledge` "now" shows both
    ends as they are known today. `movers` is how many of the largest changes to name.
    """
    visible = visible_reach(viewer, organization=organization, now=now)
    asked = asked_of(
        organization,
        visible=visible,
        period=period,
        since=since,
        as_of=as_of,
        now=now,
        scope=scope,
        org_chart=org_chart,
        knowledge=knowledge,
        currency=currency,
        group="" if group_by in (None, WEEK) else str(group_by),
        mode=PATH if group_by == WEEK else mode,
    )
    if group_by == WEEK:
        asked = replace(asked, zone=organization.timezone)
    sums = sums_of(asked, movers=movers)
    lacking = any(row.bucket == UNCONVERTIBLE for row in sums.rows)
    # What moves between groups moves nothing in the whole.
    rows = [row for row in sums.counted(WHOLE) if row.bucket not in (UNCONVERTIBLE, *MOVED)]
    return WaterfallReport(
        asked=asked,
        scope=scope,
        org_chart=org_chart,
        visible=visible,
        waterfall=waterfall_of((row.bucket, row.count, row.amount_minor) for row in rows),
        groups=_groups(sums, group_by=group_by),
        group_by=group_by,
        movers=sums.movers,
        moved_count=sums.moved_count,
        names=names_of_deals([mover.deal_id for mover in sums.movers], visible=visible)
        if sums.movers
        else None,
        unconvertible=tuple(lines_of(asked, Wanted(UNCONVERTIBLE), visible=visible, order=STEPS))
        if lacking
        else (),
    )


def asked_of(
    organization: Organization,
    *,
    visible: Reach,
    period: Period,
    since: datetime,
    as_of: datetime,
    now: datetime,
    scope: str,
    org_chart: str,
    knowledge: str,
    currency: str | None,
    group: str,
    mode: str,
) -> Asked:
    """What to compare with what: the scope at both ends, or all along a path. Raises UnknownScope."""
    if since > as_of:
        raise ValueError("A waterfall starts before it ends.")
    in_time = scope_in_time(
        scope,
        since=since,
        as_of=as_of,
        now=now,
        org_chart=org_chart,
        visible=visible.owners,
        is_path=mode == PATH,
        with_teams=group == "team",
    )
    is_known_now = knowledge == "now"
    return Asked(
        period=period,
        since=since,
        as_of=as_of,
        known=(now, now) if is_known_now else (since, as_of),
        is_known_now=is_known_now,
        scope=in_time,
        corporate=currency or organization.currency,
        is_path=mode == PATH,
        group=group,
    )


def _groups(sums: Sums, *, group_by: str | None) -> Mapping[str | None, Waterfall]:
    if group_by is None:
        return {}
    if group_by == WEEK:
        weeks = [
            (row.week, row.bucket, row.count, row.amount_minor) for row in sums.counted(OF_WEEK) if row.week
        ]
        return {str(week): falls for week, falls in chained(weeks, levels=sums.levels).items()}
    rows: dict[str | None, list[tuple[str, int, int]]] = {}
    for row in sums.counted(OF_GROUP):
        if row.bucket != UNCONVERTIBLE:
            rows.setdefault(row.group, []).append((row.bucket, row.count, row.amount_minor))
    return {group: waterfall_of(found) for group, found in rows.items()}
