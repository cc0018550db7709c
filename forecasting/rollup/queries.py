"""What each owner's deals of a period come to by category, and which of them have no rate: SQL over
versions.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from otc.calendar.rules import Period
from otc.money.queries import corporate_minor_sql
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import Owners
from pipeline.history.queries import as_of_condition


@dataclass(frozen=True)
class OwnRow:
    """One owner and category: corporate minor units of the deals that convert, and how many deals there
    are.
    """

    owner_id: UUID | None
    category: str | None
    amount_minor: int
    deal_count: int
    without_amount: int


@dataclass(frozen=True)
class UnconvertibleDeal:
    """A deal that counts and has no rate: shown beside the total, in its own currency."""

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


def owner_parameters(owners: Owners, *, prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}_nobody": owners.unassigned,
        f"{prefix}_all": owners.person_ids is None,
        f"{prefix}_ids": sorted(str(person_id) for person_id in owners.person_ids or ()),
    }


# Open deals by their category, won ones as closed: the parts of the rollup (DEFINITIONS 5).
COUNTED = f"""
    SELECT v.opportunity_id, v.name, v.owner_id, v.amount_minor, v.currency,
      CASE WHEN v.outcome = 'won' THEN 'closed' ELSE v.category END AS category,
      {corporate_minor_sql("v")} AS corporate_minor
    FROM pipeline_opportunityversion v
    WHERE v.organization_id = %(organization)s
      AND v.close_date >= %(first)s AND v.close_date < %(end)s
      AND v.deleted_at IS NULL AND (v.outcome IS NULL OR v.outcome = 'won')
      AND {as_of_condition("v", instant="as_of", known="known")}
      AND {owner_condition("v", prefix="scope")}
"""


def _parameters(
    period: Period, *, as_of: datetime, known: datetime, owners: Owners, corporate: str
) -> dict[str, Any]:
    return {
        "organization": str(current_organization_id()),
        "first": period.first,
        "end": period.end,
        "as_of": as_of,
        "known": known,
        "corporate": corporate,
        **owner_parameters(owners, prefix="scope"),
    }


def own_amounts(
    period: Period, *, as_of: datetime, known: datetime, owners: Owners, corporate: str
) -> list[OwnRow]:
    """Sums of each owner and category over open and won deals that close in the period."""
    sql = f"""
        SELECT owner_id, category, coalesce(sum(corporate_minor), 0)::bigint, count(*),
          count(*) FILTER (WHERE amount_minor IS NULL)
        FROM ({COUNTED}) AS counted GROUP BY owner_id, category
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, _parameters(period, as_of=as_of, known=known, owners=owners, corporate=corporate))
        return [OwnRow(*row) for row in cursor.fetchall()]


def unconvertible_deals(
    period: Period, *, as_of: datetime, known: datetime, owners: Owners, corporate: str
) -> list[UnconvertibleDeal]:
    """The deals of the same set that have an amount but no rate, by name."""
    sql = f"""
        SELECT opportunity_id, name, owner_id, amount_minor, currency FROM ({COUNTED}) AS counted
        WHERE amount_minor IS NOT NULL AND corporate_minor IS NULL ORDER BY name, opportunity_id
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, _parameters(period, as_of=as_of, known=known, owners=owners, corporate=corporate))
        return [UnconvertibleDeal(*row) for row in cursor.fetchall()]
