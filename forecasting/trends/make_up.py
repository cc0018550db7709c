"""What the open pipeline of a period is made of: how old its deals are, and how much hangs on the largest."""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.rollup.queries import part_condition, part_minor
from forecasting.trends.queries import (
    COUNTS_WHEN_CLOSING,
    COUNTS_WHEN_CREATED,
    frame_parameters,
    source_sql,
)
from forecasting.trends.rules import BANDS, Band, Sums
from otc.money.queries import corporate_minor_sql
from otc.money.rules import CurrencySum
from otc.question import Question
from otc.tenancy.lines import ALL_OWNERS
from pipeline.parts.queries import splits_count
from pipeline.team.queries import seen_sql

LARGEST = 10


@dataclass(frozen=True)
class Age:
    """The open deals of one age."""

    band: Band
    count: int
    amount_minor: int


@dataclass(frozen=True)
class Largest:
    """One of the largest deals or accounts: `id` None where the viewer can't see the deal today, or no account."""

    id: UUID | None
    name: str
    count: int
    amount_minor: int


@dataclass(frozen=True)
class MakeUp:
    """`deals` and `accounts` are the largest ten, the largest first. A deal without a rate is in no sum here: those are
    in `unconvertible`, by currency.
    """

    open_minor: int
    open_count: int
    ages: tuple[Age, ...]
    deals: tuple[Largest, ...]
    accounts: tuple[Largest, ...]
    unconvertible: tuple[CurrencySum, ...]

    def share_of_largest(self, count: int) -> Fraction | None:
        """What the largest so many deals are of the open pipeline, 0..1; None where there is none."""
        return _share(self.deals[:count], self.open_minor)

    def share_of_largest_accounts(self, count: int) -> Fraction | None:
        return _share(self.accounts[:count], self.open_minor)


def _share(largest: tuple[Largest, ...], whole_minor: int) -> Fraction | None:
    return Fraction(sum(one.amount_minor for one in largest), whole_minor) if whole_minor else None


@dataclass(frozen=True)
class Present:
    """A period as of the question: the sums that a week has too, and what is open made of."""

    sums: Sums
    make_up: MakeUp


def present_of(question: Question) -> Present:
    """The question's period in its scope, as of its instant. One query: the deals are looked at once."""
    is_seen, seen_by = _seen_today_sql(question)
    starts = sorted(question.start_of(question.day - timedelta(days=band.first - 1)) for band in BANDS)
    is_split = splits_count()
    minor = part_minor(
        corporate_minor_sql("v"), "v", owners=question.owners, prefix="scope", is_split=is_split
    )
    is_owned = part_condition("v", prefix="scope", is_split=is_split)
    # As in the weeks: a split deal is counted with its largest share.
    is_counted = "true"
    if is_split:
        is_counted = (
            "(v.split_people IS NULL OR %(scope_all)s OR v.split_people[1] = ANY(%(scope_ids)s::uuid[]))"
        )
    sql = f"""
WITH d AS MATERIALIZED (
  SELECT v.id, v.account_id, v.outcome, v.category, v.amount_minor, v.currency, {minor} AS minor,
    {is_counted} AS is_counted, {is_seen} AS is_seen,
    -- How many bands begin after the deal was made: a band's first day goes back in time.
    greatest({len(BANDS)} - width_bucket(v.created_at, %(starts)s::timestamptz[]), 1) AS band
  FROM {source_sql(question)} v WHERE v.close_date >= %(first)s AND v.close_date < %(end)s
    AND {COUNTS_WHEN_CLOSING.format("v")} AND {is_owned}
), open AS (
  SELECT * FROM d WHERE outcome IS NULL
), deal AS (
  SELECT id, minor, is_seen FROM open WHERE minor IS NOT NULL ORDER BY minor DESC, id LIMIT {LARGEST}
), account AS (
  SELECT account_id, count(*) AS deals, sum(minor) AS minor, bool_and(is_seen) AS is_seen FROM open
  WHERE minor IS NOT NULL AND account_id IS NOT NULL
  GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT {LARGEST}
)
SELECT 'age', NULL::uuid, NULL, band::int, count(*), coalesce(sum(minor), 0)::bigint FROM open GROUP BY band
UNION ALL
SELECT 'none', NULL, currency, 0, count(*), sum(amount_minor)::bigint FROM open
WHERE amount_minor IS NOT NULL AND minor IS NULL GROUP BY currency
UNION ALL
SELECT 'sum', NULL, coalesce(outcome, category, 'no_category'), 0, count(*) FILTER (WHERE is_counted),
  coalesce(sum(minor), 0)::bigint
FROM d GROUP BY 3
UNION ALL
SELECT 'unconvertible', NULL, NULL, 0, count(*), 0 FROM d
WHERE is_counted AND amount_minor IS NOT NULL AND minor IS NULL
UNION ALL
SELECT 'created', NULL, NULL, 0, count(*) FILTER (WHERE {is_counted}), coalesce(sum({minor}), 0)::bigint
FROM {source_sql(question)} v WHERE v.created_at >= %(start)s AND v.created_at < %(as_of)s
  AND {COUNTS_WHEN_CREATED.format("v")} AND {is_owned}
UNION ALL
SELECT 'deal', CASE WHEN is_seen THEN o.id END, CASE WHEN is_seen THEN o.name ELSE '' END, 0, 1, deal.minor
FROM deal JOIN pipeline_opportunity o ON o.organization_id = %(organization)s AND o.id = deal.id
UNION ALL
SELECT 'account', CASE WHEN is_seen THEN a.id END, CASE WHEN is_seen THEN a.name ELSE '' END, 0,
  account.deals, account.minor::bigint
FROM account JOIN pipeline_account a ON a.organization_id = %(organization)s AND a.id = account.account_id"""
    with connection.cursor() as cursor:
        cursor.execute(sql, frame_parameters(question) | seen_by | {"starts": starts})
        rows = cursor.fetchall()
    return Present(_sums(rows), _read(rows))


def _sums(rows: list[tuple[Any, ...]]) -> Sums:
    found = {name: (count, minor) for kind, _, name, _, count, minor in rows if kind == "sum"}
    others = {
        kind: (count, minor) for kind, _, _, _, count, minor in rows if kind in ("unconvertible", "created")
    }
    won_count, won_minor = found.pop("won", (0, 0))
    return Sums(
        **{f"{name}_minor": minor for name, (_, minor) in found.items()},
        open_count=sum(count for count, _ in found.values()),
        won_minor=won_minor,
        won_count=won_count,
        created_minor=others["created"][1],
        created_count=others["created"][0],
        unconvertible_count=others["unconvertible"][0],
    )


def _seen_today_sql(question: Question) -> tuple[str, dict[str, Any]]:
    """SQL: the viewer may see the deal of `v` today. What is owned in scope today always is, a part may not be."""
    sees_all = question.visible.owners == ALL_OWNERS
    if not question.is_past and (sees_all or not splits_count()):
        return "true", {}
    condition, values = seen_sql(question.visible, deal="o.id", owner="o.owner_id", prefix="today_")
    is_seen = (
        "EXISTS (SELECT 1 FROM pipeline_opportunity o WHERE o.organization_id = %(organization)s AND o.id = v.id "
        f"AND {condition})"
    )
    return (is_seen if question.is_past else f"(v.split_people IS NULL OR {is_seen})"), values


def _read(rows: list[tuple[Any, ...]]) -> MakeUp:
    by_band = {band: (count, minor) for kind, _, _, band, count, minor in rows if kind == "age"}
    # The first start lies behind the day itself, so a deal of the first band was there before one start.
    ages = tuple(Age(band, *by_band.get(number, (0, 0))) for number, band in enumerate(BANDS, start=1))
    return MakeUp(
        open_minor=sum(age.amount_minor for age in ages),
        open_count=sum(age.count for age in ages),
        ages=ages,
        deals=_largest(rows, "deal"),
        accounts=_largest(rows, "account"),
        unconvertible=tuple(
            CurrencySum(*found)
            for found in sorted(
                (name, count, minor) for kind, _, name, _, count, minor in rows if kind == "none"
            )
        ),
    )


def _largest(rows: list[tuple[Any, ...]], kind: str) -> tuple[Largest, ...]:
    found = [Largest(id, name, count, minor) for of, id, name, _, count, minor in rows if of == kind]
    return tuple(sorted(found, key=lambda one: (-one.amount_minor, one.name)))
