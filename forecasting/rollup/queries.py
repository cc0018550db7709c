"""What each person's parts of a period's deals come to by category, and which of them have no rate: SQL over
versions.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from forecasting.types.queries import EVERY_DEAL, TypeCondition
from otc.calendar.rules import Period
from otc.money.queries import corporate_minor_sql
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import Owners
from pipeline.history.queries import as_of_condition
from pipeline.parts.queries import is_first_sql, parts_of_sql, parts_sql, share_sql, splits_count


class OwnRow(NamedTuple):
    """One person and category: corporate minor units of the parts that convert, and of how many deals they are.
    A tuple, because a large organization has tens of thousands of them.

    `first_count` leaves out the deals of which somebody of the scope who stands before has a part: summed over people
    it counts every deal once. `without_amount` does so too. `without_rate` are the parts that don't convert.
    """

    owner_id: UUID | None
    category: str | None
    amount_minor: int
    deal_count: int
    first_count: int
    without_amount: int
    without_rate: int


@dataclass(frozen=True)
class UnconvertibleDeal:
    """A part that counts and has no rate: shown beside the total, in its deal's currency."""

    opportunity_id: UUID
    name: str
    owner_id: UUID | None
    amount_minor: int
    currency: str


def owner_condition(alias: str, *, prefix: str) -> str:
    """SQL: the version `alias` belongs to the owners given by `owner_parameters` under the same prefix."""
    return (
        f"(({alias}.owner_id IS NULL AND %({prefix}_nobody)s) OR ({alias}.owner_id IS NOT NULL AND "
        f"(%({prefix}_all)s OR {alias}.owner_id = ANY(%({prefix}_ids)s::uuid[]))))"
    )


def part_condition(alias: str, *, prefix: str, is_split: bool) -> str:
    """SQL: the same where deals are split: the version is the owners' whole, or one of them has a part of it."""
    owned = owner_condition(alias, prefix=prefix)
    if not is_split:
        return owned
    return (
        f"(({alias}.split_people IS NULL AND {owned}) OR ({alias}.split_people IS NOT NULL "
        f"AND (%({prefix}_all)s OR {alias}.split_people && %({prefix}_ids)s::uuid[])))"
    )


def part_minor(minor: str, alias: str, *, owners: Owners, prefix: str, is_split: bool) -> str:
    """SQL: what the owners, given under the prefix, have together of the version's amount `minor`."""
    if not is_split or owners.person_ids is None:
        return minor
    return parts_of_sql(minor, alias, people=f"{prefix}_ids")


def owner_parameters(owners: Owners, *, prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}_nobody": owners.unassigned,
        f"{prefix}_all": owners.person_ids is None,
        f"{prefix}_ids": sorted(str(person_id) for person_id in owners.person_ids or ()),
    }


def counted_sql(*, is_split: bool, condition: str = "true") -> str:
    """SQL: open deals by their category, won ones as closed: the parts of the rollup (DEFINITIONS 5)."""
    corporate = share_sql(corporate_minor_sql("v"), "v", is_split=is_split)
    # Said of the version too: who has no part of it needs no look at its parts.
    among = ""
    if is_split:
        among = " AND (v.part_place IS NULL OR %(scope_all)s OR v.split_people && %(scope_ids)s::uuid[])"
    return f"""
    SELECT v.opportunity_id, v.name, v.owner_id, {share_sql("v.amount_minor", "v", is_split=is_split)} AS amount_minor,
      v.currency, v.close_date, v.stage_id, CASE WHEN v.outcome = 'won' THEN 'closed' ELSE v.category END AS category,
      v.amount_minor IS NULL AS lacks_amount, {corporate} AS corporate_minor,
      {is_first_sql("v", prefix="scope", is_split=is_split)} AS is_first
    FROM {parts_sql(is_split=is_split)} v
    WHERE v.organization_id = %(organization)s
      AND v.close_date >= %(first)s AND v.close_date < %(end)s
      AND v.deleted_at IS NULL AND (v.outcome IS NULL OR v.outcome = 'won')
      AND {as_of_condition("v", instant="as_of", known="known")}
      AND {owner_condition("v", prefix="scope")}{among}
      AND {condition}
"""


def counted_parameters(
    period: Period,
    *,
    as_of: datetime,
    known: datetime,
    owners: Owners,
    corporate: str,
    condition: TypeCondition,
) -> dict[str, Any]:
    return {
        **condition.parameters,
        "organization": str(current_organization_id()),
        "first": period.first,
        "end": period.end,
        "as_of": as_of,
        "known": known,
        "corporate": corporate,
        **owner_parameters(owners, prefix="scope"),
    }


def own_amounts(
    period: Period,
    *,
    as_of: datetime,
    known: datetime,
    owners: Owners,
    corporate: str,
    condition: TypeCondition = EVERY_DEAL,
) -> list[OwnRow]:
    """Sums of each person and category over the parts of open and won deals that close in the period."""
    sql = f"""
        SELECT owner_id, category, coalesce(sum(corporate_minor), 0)::bigint, count(*),
          count(*) FILTER (WHERE is_first), count(*) FILTER (WHERE is_first AND lacks_amount),
          count(*) FILTER (WHERE amount_minor IS NOT NULL AND corporate_minor IS NULL)
        FROM ({counted_sql(is_split=splits_count(), condition=condition.sql)}) AS counted GROUP BY owner_id, category
    """
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            counted_parameters(
                period, as_of=as_of, known=known, owners=owners, corporate=corporate, condition=condition
            ),
        )
        return [OwnRow._make(row) for row in cursor.fetchall()]


def unconvertible_deals(
    period: Period,
    *,
    as_of: datetime,
    known: datetime,
    owners: Owners,
    corporate: str,
    condition: TypeCondition = EVERY_DEAL,
) -> list[UnconvertibleDeal]:
    """The parts of the same set that have an amount but no rate, by their deals' names."""
    sql = f"""
        SELECT opportunity_id, name, owner_id, amount_minor, currency
        FROM ({counted_sql(is_split=splits_count(), condition=condition.sql)}) AS counted
        WHERE amount_minor IS NOT NULL AND corporate_minor IS NULL ORDER BY name, opportunity_id, owner_id
    """
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            counted_parameters(
                period, as_of=as_of, known=known, owners=owners, corporate=corporate, condition=condition
            ),
        )
        return [UnconvertibleDeal(*row) for row in cursor.fetchall()]
