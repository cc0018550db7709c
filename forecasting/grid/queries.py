"""The deals behind the people whose rows are opened: two looks at once, now and before."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.rollup.queries import counted_sql, owner_parameters
from forecasting.types.queries import EVERY_DEAL, TypeCondition
from otc.calendar.rules import Period
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import Owners
from pipeline.parts.queries import splits_count

DEALS_OF_ONE = 60


@dataclass(frozen=True, slots=True)
class DealRow:
    """A part that counts for `owner_id` in `category`; `corporate_minor` is None without an amount or a rate."""

    opportunity_id: UUID
    name: str
    owner_id: UUID | None
    category: str | None
    corporate_minor: int | None
    close_date: date | None


def deals_of(
    owners: Owners,
    *,
    period: Period,
    as_of: datetime,
    known: datetime,
    corporate: str,
    condition: TypeCondition = EVERY_DEAL,
) -> dict[UUID | None, list[DealRow]]:
    """By person the parts that their own amounts are made of, the largest first. One query, however many people."""
    sql = f"""
        SELECT opportunity_id, name, owner_id, category, corporate_minor, close_date FROM (
          SELECT counted.*, row_number() OVER (
            PARTITION BY owner_id ORDER BY corporate_minor DESC NULLS LAST, name, opportunity_id) AS place
          FROM ({counted_sql(is_split=splits_count(), condition=condition.sql)}) AS counted) AS placed
        WHERE place <= %(most)s ORDER BY place
    """
    parameters: dict[str, Any] = {
        **condition.parameters,
        "organization": str(current_organization_id()),
        "first": period.first,
        "end": period.end,
        "as_of": as_of,
        "known": known,
        "corporate": corporate,
        "most": DEALS_OF_ONE + 1,
        **owner_parameters(owners, prefix="scope"),
    }
    found: dict[UUID | None, list[DealRow]] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        for row in cursor.fetchall():
            deal = DealRow(*row)
            found.setdefault(deal.owner_id, []).append(deal)
    return found


def amounts_of(
    opportunity_ids: Collection[UUID],
    *,
    owners: Owners,
    period: Period,
    as_of: datetime,
    known: datetime,
    corporate: str,
    condition: TypeCondition = EVERY_DEAL,
) -> dict[tuple[UUID, UUID | None], tuple[str | None, int]]:
    """What parts of these deals counted at an instant: by (deal, person) the category and the amount."""
    if not opportunity_ids:
        return {}
    sql = f"""
        SELECT opportunity_id, owner_id, category, coalesce(corporate_minor, 0)
        FROM ({counted_sql(is_split=splits_count(), condition=condition.sql)}) AS counted
        WHERE opportunity_id = ANY(%(ids)s::uuid[])
    """
    parameters = {
        **condition.parameters,
        "organization": str(current_organization_id()),
        "first": period.first,
        "end": period.end,
        "as_of": as_of,
        "known": known,
        "corporate": corporate,
        "ids": [str(deal_id) for deal_id in opportunity_ids],
        **owner_parameters(owners, prefix="scope"),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {(deal, owner): (category, minor) for deal, owner, category, minor in cursor.fetchall()}
