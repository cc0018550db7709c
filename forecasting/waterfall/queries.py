"""The sums of a waterfall in one statement; the deals behind one of its steps, or of a cell of the flow, in another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.rollup.queries import owner_parameters
from forecasting.waterfall.moves import (
    CELLS,
    EFFECTS,
    TO_KEY,
    TO_KIND,
    again_sql,
    alike_sql,
    cells_again_sql,
    facts_sql,
    levels_sql,
    moves_sql,
    narrow_sql,
)
from forecasting.waterfall.spans import ScopeInTime
from forecasting.waterfall.steps import endpoint_steps, path_steps
from otc.calendar.rules import Period
from otc.money.models import Rate
from otc.money.queries import converted_sql
from otc.tenancy.context import current_organization_id
from otc.tenancy.reach import Reach
from pipeline.parts.queries import splits_count
from pipeline.team.queries import seen_sql

UNCONVERTIBLE = "unconvertible"
# What a step moved the total by; of a deal that lacks a rate, nothing.
NET = """CASE WHEN NOT is_lacking
    THEN (CASE WHEN b_is_in THEN b_minor ELSE 0 END) - (CASE WHEN a_is_in THEN a_minor ELSE 0 END) END"""
# What one would say happened to a deal in a step.
VERB = """coalesce(leaving, CASE WHEN wins THEN 'won' END, entering,
    CASE WHEN direction > 0 THEN 'increased' WHEN direction < 0 THEN 'decreased' WHEN has_rate THEN 'currency' END)"""

# What the parts of a split deal count again is taken off once for the whole, for each group and for each week: by
# the number that PostgreSQL gives these three.
WHOLE, OF_GROUP, OF_WEEK = 3, 1, 2
IS_PART = "a_place IS NOT NULL OR b_place IS NOT NULL"
VERB_FACTS = ("entering", "leaving", "wins", "direction", "has_rate")


@dataclass(frozen=True)
class Asked:
    """What a waterfall is of: both ends, whose knowledge counts at each, and how it is cut and grouped.

    `group` is a key of steps.GROUPS, "" for none; `zone` is where weeks begin, "" where nobody asks by week;
    `deals`, where given, are the only ones that are looked at (between two ends).
    """

    period: Period
    since: datetime
    as_of: datetime
    known: tuple[datetime, datetime]
    is_known_now: bool
    scope: ScopeInTime
    corporate: str
    is_path: bool
    group: str = ""
    zone: str = ""
    deals: tuple[UUID, ...] | None = None


@dataclass(frozen=True)
class SumRow:
    """What all moves of a bucket come to, of one group and week: how many they are, and corporate minor units."""

    bucket: str
    group: str | None
    week: date | None
    count: int
    amount_minor: int


@dataclass(frozen=True)
class CellRow:
    """What went from a group (or a bucket that enters or revalues) to a group (or a bucket that leaves)."""

    from_kind: str
    from_key: str | None
    to_kind: str
    to_key: str | None
    count: int
    amount_minor: int


@dataclass(frozen=True)
class Mover:
    """A deal that changed the open pipeline, by how much, and through which bucket last."""

    deal_id: UUID
    bucket: str
    amount_minor: int


@dataclass(frozen=True)
class Line:
    """One deal in a bucket: before and after the step in corporate minor units, and its signed effect on the total.

    What the viewer can't see today has no name and no later amount. `at` is the step's instant, in endpoint mode the
    later end. `native_minor` and `currency` are the deal's own, after the step or, where it is gone, before it.
    """

    bucket: str
    group: str | None
    deal_id: UUID
    at: datetime
    before_minor: int | None
    after_minor: int | None
    amount_minor: int | None
    native_minor: int | None
    currency: str
    before_close: date | None
    after_close: date | None
    name: str
    account_name: str
    owner_name: str
    is_visible: bool

    @property
    def moved_day(self) -> bool:
        """Whether the close date is another after the step: both ends are there and seen."""
        is_both = self.before_minor is not None and self.after_minor is not None
        return is_both and self.before_close != self.after_close

    @property
    def shown_close(self) -> date | None:
        return self.before_close if self.after_minor is None else self.after_close


@dataclass(frozen=True)
class Sums:
    """All sums of a waterfall, and the deals that moved its total most with how many moved it at all.

    `rows` count the parts of a split deal; adding those of `again` (negative counts of no amount) it counts once: in
    the whole, in each group, in each week. `levels` is by how many deals each week changed what is open; None where
    steps say it.
    """

    rows: tuple[SumRow, ...]
    again: Mapping[int, tuple[SumRow, ...]]
    levels: Mapping[date, int] | None
    movers: tuple[Mover, ...]
    moved_count: int

    def counted(self, part: int) -> tuple[SumRow, ...]:
        """The rows by which the WHOLE, the groups or the weeks count every deal once."""
        return (*self.rows, *self.again.get(part, ()))


def sums_of(asked: Asked, *, movers: int = 0) -> Sums:
    """One statement: every bucket's sum by group and week, and the `movers` largest changes."""
    moves, parameters = _moves(asked)
    is_split = splits_count()
    more = f", deal, at, {NET} AS net" if movers else ", deal, at" if is_split else ""
    narrow = narrow_sql(moves, week=_week(asked), more=f"{more}, {IS_PART} AS is_part" if is_split else more)
    sql = f"""WITH move AS MATERIALIZED ({narrow}), alike AS ({alike_sql("move")})
      SELECT 'sum', effect.bucket, effect.grp, week, sum(cases)::bigint, sum(effect.amount_minor)::bigint
      FROM alike CROSS JOIN LATERAL {EFFECTS} WHERE effect.holds AND NOT is_lacking GROUP BY 2, 3, 4
      UNION ALL SELECT 'sum', '{UNCONVERTIBLE}', NULL, NULL, sum(cases)::bigint, 0 FROM alike WHERE is_lacking
      HAVING sum(cases) > 0
      {_once(asked) if is_split else ""} {_movers(asked) if movers else ""}"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | {"movers": movers})
        found = cursor.fetchall()
    again = [
        (part, SumRow(bucket, group, week, -count, 0))
        for kind, bucket, group, week, count, part in found
        if kind == "again"
    ]
    levels = {week: count for kind, _, _, week, count, _ in found if kind == "level"}
    return Sums(
        rows=tuple(SumRow(*row) for kind, *row in found if kind == "sum"),
        again={each: tuple(row for part, row in again if part == each) for each, _ in again},
        levels=levels if is_split and asked.zone else None,
        movers=tuple(
            Mover(UUID(deal), bucket, amount) for kind, bucket, deal, _, _, amount in found if kind == "mover"
        ),
        moved_count=next((count for kind, _, _, _, count, _ in found if kind == "moved"), 0),
    )


def cells_of(asked: Asked) -> list[CellRow]:
    """One statement: what went from where to where between the two ends; a cell counts a split deal once."""
    moves, parameters = _moves(asked)
    is_split = splits_count()
    more = f", deal, at, {IS_PART} AS is_part" if is_split else ""
    sql = f"""WITH move AS ({narrow_sql(moves, week="NULL::date", more=more)}), alike AS ({alike_sql("move")})
      SELECT from_kind, from_key, {TO_KIND}, {TO_KEY}, sum(cases)::bigint, sum(cell.amount_minor)::bigint
      FROM alike CROSS JOIN LATERAL {CELLS} WHERE cell.holds AND NOT is_lacking GROUP BY 1, 2, 3, 4
      UNION ALL SELECT '{UNCONVERTIBLE}', NULL, '', NULL, sum(cases)::bigint, 0 FROM alike WHERE is_lacking
      HAVING sum(cases) > 0
      {f"UNION ALL {cells_again_sql('move')}" if is_split else ""}"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [CellRow(*row) for row in cursor.fetchall()]


@dataclass(frozen=True)
class Wanted:
    """Which lines: those of a bucket ("" for all), of a group or week, of a cell; from where on, and how many."""

    bucket: str = ""
    group: str | None = None
    is_of_group: bool = False
    week: date | None = None
    cell: tuple[str, str | None, str, str | None] | None = None
    offset: int = 0
    limit: int | None = None


def lines_of(asked: Asked, wanted: Wanted, *, visible: Reach, order: Sequence[str]) -> list[Line]:
    """The deals behind a step, the largest effect first; buckets in `order`. One statement."""
    moves, parameters = _moves(asked)
    is_visible, seen_by = seen_sql(visible, deal="o.id", owner="o.owner_id")
    conditions, more = _conditions(asked, wanted)
    is_split = splits_count()
    owner = "line.{}_owner" if is_split else "{}.owner_id"
    if wanted.bucket == UNCONVERTIBLE:
        effects, is_counted = (
            f"(VALUES ('{UNCONVERTIBLE}', true, NULL::bigint, grp)) AS effect (bucket, holds, amount_minor, grp)",
            "is_lacking",
        )
        source = (
            f"(SELECT DISTINCT ON (deal) * FROM ({moves}) AS move WHERE is_lacking ORDER BY deal, at DESC)"
        )
    else:
        effects, is_counted, source = (CELLS if wanted.cell else EFFECTS), "NOT is_lacking", f"({moves})"
    shown = (
        "bucket, effect.grp AS of_group" if not wanted.cell else "from_kind AS bucket, from_key AS of_group"
    )
    sql = f"""WITH line AS (
        SELECT {shown}, deal, at, a_minor, b_minor, amount_minor, a_amount, b_amount, a_currency, b_currency,
          a_version, b_version{", a_owner, b_owner" if is_split else ""}
        FROM {source} AS move CROSS JOIN LATERAL {effects}
        WHERE holds AND {is_counted} AND {conditions}
        ORDER BY array_position(%(order)s::text[], {"from_kind" if wanted.cell else "bucket"}),
          abs(amount_minor) DESC NULLS LAST, deal, at
        LIMIT %(limit)s OFFSET %(offset)s)
      SELECT line.bucket, line.of_group, line.deal, line.at, line.a_minor, line.b_minor, line.amount_minor,
        a_amount, b_amount, a_currency, b_currency, a.opportunity_id, b.opportunity_id, a.close_date, b.close_date,
        coalesce(b.name, a.name),
        coalesce(account.name, ''), coalesce(person.name, ''), coalesce({is_visible}, false)
      FROM line LEFT JOIN pipeline_opportunity o
        ON o.organization_id = %(organization)s AND o.id = line.deal
      LEFT JOIN pipeline_opportunityversion a ON a.organization_id = %(organization)s AND a.id = line.a_version
      LEFT JOIN pipeline_opportunityversion b ON b.organization_id = %(organization)s AND b.id = line.b_version
      LEFT JOIN pipeline_account account ON account.organization_id = %(organization)s
        AND account.id = coalesce(b.account_id, a.account_id)
      LEFT JOIN otc_person person ON person.organization_id = %(organization)s
        AND person.id = CASE WHEN b.id IS NULL THEN {owner.format("a")} ELSE {owner.format("b")} END
      ORDER BY array_position(%(order)s::text[], line.bucket), abs(line.amount_minor) DESC NULLS LAST, deal, line.at"""
    given = {"order": list(order), "limit": wanted.limit, "offset": wanted.offset}
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | seen_by | more | given)
        return [_line(row) for row in cursor.fetchall()]


def page_of(lines: list[Line], size: int) -> tuple[list[Line], bool]:
    """A page of lines, of which one more was asked for than it holds, and whether there is a next one. A split deal
    has a line a part, so counts of deals don't say it.
    """
    return lines[:size], len(lines) > size


def _line(row: Sequence[Any]) -> Line:
    bucket, group, deal, at, before, after, amount, *rest = row
    a_amount, b_amount, a_currency, b_currency, a_deal, b_deal, a_close, b_close, *rest = rest
    name, account, owner, is_visible = rest
    is_after = b_deal is not None and is_visible
    return Line(
        bucket=bucket,
        group=group,
        deal_id=deal,
        at=at,
        before_minor=before if a_deal else None,
        after_minor=after if is_after else None,
        amount_minor=amount,
        native_minor=b_amount if is_after else a_amount,
        currency=(b_currency if is_after else a_currency) or "",
        before_close=a_close if a_deal else None,
        after_close=b_close if is_after else None,
        name=name if is_visible else "",
        account_name=account if is_visible else "",
        owner_name=owner if is_visible else "",
        is_visible=is_visible,
    )


def names_of_deals(deal_ids: Iterable[UUID], *, visible: Reach) -> dict[UUID, str]:
    """Today's names of those deals that the viewer may see."""
    is_visible, seen_by = seen_sql(visible, deal="o.id", owner="o.owner_id")
    sql = f"""SELECT o.id, o.name FROM pipeline_opportunity o
      WHERE o.organization_id = %(organization)s AND o.id = ANY(%(deals)s::uuid[]) AND {is_visible}"""
    parameters = {"organization": str(current_organization_id()), "deals": [str(one) for one in deal_ids]}
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | seen_by)
        return dict(cursor.fetchall())


def _conditions(asked: Asked, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    found = ["true"]
    parameters: dict[str, Any] = {}
    if wanted.bucket and wanted.bucket != UNCONVERTIBLE:
        found.append("bucket = %(bucket)s")
        parameters["bucket"] = wanted.bucket
    if wanted.is_of_group:
        found.append("effect.grp IS NOT DISTINCT FROM %(group)s")
        parameters["group"] = wanted.group
    if wanted.week:
        found.append(f"{_week(asked)} = %(week)s")
        parameters["week"] = wanted.week
    if wanted.cell:
        found.append(
            "from_kind = %(from_kind)s AND from_key IS NOT DISTINCT FROM %(from_key)s "
            f"AND {TO_KIND} = %(to_kind)s AND {TO_KEY} IS NOT DISTINCT FROM %(to_key)s"
        )
        parameters |= dict(zip(("from_kind", "from_key", "to_kind", "to_key"), wanted.cell, strict=True))
    return " AND ".join(found), parameters


def _week(asked: Asked) -> str:
    return "date_trunc('week', at AT TIME ZONE %(zone)s)::date" if asked.zone else "NULL::date"


def _once(asked: Asked) -> str:
    sql = f"UNION ALL SELECT 'again', * FROM ({again_sql('move')}) AS again"
    if asked.zone:
        sql += f" UNION ALL SELECT 'level', NULL, NULL, week, change, 0 FROM ({levels_sql('move')}) AS level"
    return sql


def _movers(asked: Asked) -> str:
    each = "SELECT deal, net, likeness, at FROM move WHERE net <> 0"
    if asked.is_path or splits_count():
        # The first step of a path stands still: what it is worth didn't move. A split deal takes a step a part.
        each = f"""SELECT deal, sum(net)::bigint AS net, (array_agg(likeness ORDER BY at DESC))[1] AS likeness
          FROM ({each}) AS step GROUP BY deal HAVING sum(net) <> 0"""
    return f"""UNION ALL (SELECT 'mover', {VERB}, deal::text, NULL, NULL, net FROM (
        SELECT deal, net, {facts_sql(only=VERB_FACTS)} FROM ({each}) AS mover
        ORDER BY abs(net) DESC, deal LIMIT %(movers)s) AS mover ORDER BY abs(net) DESC, deal)
      UNION ALL SELECT 'moved', NULL, NULL, NULL, count(*), 0 FROM ({each}) AS mover"""


def _moves(asked: Asked) -> tuple[str, dict[str, Any]]:
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "first": asked.period.first,
        "end": asked.period.end,
        "corporate": asked.corporate,
        "zone": asked.zone,
        "t0_instant": asked.since,
        "t0_known": asked.known[0],
        "t1_instant": asked.as_of,
        "t1_known": asked.known[1],
        **owner_parameters(asked.scope.before, prefix="t0"),
        **owner_parameters(asked.scope.after, prefix="t1"),
        **owner_parameters(asked.scope.ever, prefix="ever"),
        "span_owners": [str(span.owner_id) for span in asked.scope.spans],
        "span_starts": [span.starts for span in asked.scope.spans],
        "span_ends": [span.ends for span in asked.scope.spans],
        "span_teams": [span.team_id and str(span.team_id) for span in asked.scope.spans],
    }
    is_split = splits_count()
    if asked.is_path:
        cuts = _cuts(asked)
        for place, name in enumerate(("at", "kind", "currency", "owner")):
            parameters[f"cut_{name}"] = [cut[place] for cut in cuts]
        kinds = frozenset(kind for _, kind, _, _ in cuts)
        steps = path_steps(group=asked.group, is_split=is_split, is_known_now=asked.is_known_now, cuts=kinds)
    else:
        steps = endpoint_steps(group=asked.group, is_split=is_split, is_of_deals=asked.deals is not None)
        parameters["deals"] = [str(deal_id) for deal_id in asked.deals or ()]
    if not is_split:
        return moves_sql(steps, a_at_b=_at_rate_of_b("a_amount")), parameters
    # A share of what the whole deal comes to at the other rate.
    a_at_b = (
        f"CASE WHEN a_place IS NULL THEN {_at_rate_of_b('a_amount')} "
        f"ELSE pipeline_part({_at_rate_of_b('a_whole')}, a_shares, a_place) END"
    )
    is_unchanged = "a_amount = b_amount AND a_place IS NULL AND b_place IS NULL"
    return moves_sql(steps, a_at_b=a_at_b, is_unchanged=is_unchanged), parameters


def _at_rate_of_b(amount: str) -> str:
    return converted_sql(
        amount,
        currency="a_currency",
        day="b_close",
        organization="%(organization)s::uuid",
        known="known",
        corporate="%(corporate)s",
    )


def _cuts(asked: Asked) -> list[tuple[datetime, str, str | None, str | None]]:
    """Where a path is cut beside its versions: a rate that became known or was withdrawn, an owner whose line moved."""
    found: list[tuple[datetime, str, str | None, str | None]] = [
        (at, "owner", None, str(owner_id))
        for at, owner_id in asked.scope.moves_between(asked.since, asked.as_of)
    ]
    if asked.is_known_now:
        return found
    rates: set[tuple[datetime, str]] = set()
    for name in ("known_from", "known_to"):
        within = {f"{name}__gt": asked.since, f"{name}__lte": asked.as_of}
        rates |= set(Rate.objects.filter(**within).values_list(name, "currency").distinct())
    for at, currency in sorted(rates):
        # The currency of totals, where it isn't the organization's own, moves every amount that is in another.
        found.append((at, "every" if currency == asked.corporate else "currency", currency, None))
    return found
