"""Which deals moved between a lock and another instant, and by how much in a column? SQL over versions."""

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
from pipeline.history.models import OpportunityVersion
from pipeline.history.queries import versions_as_of
from pipeline.parts.queries import splits_count
from pipeline.process.columns import COLUMNS, NO_CATEGORY

SHOWN = 100


def moved_sql(*, is_split: bool, then_type: str, now_type: str) -> str:
    """SQL: the rollup's parts at both ends, summed by deal; the lock's end has parameters under names of its own."""
    now = counted_sql(is_split=is_split)
    then = (
        now.replace("%(as_of)s", "%(lock)s").replace("%(known)s", "%(lock)s").replace("%(scope_", "%(then_")
    )
    return f"""
WITH ends AS (
  SELECT opportunity_id, coalesce(corporate_minor, 0) AS then_minor, 0::bigint AS now_minor FROM ({then}) AS a
  WHERE coalesce(category, %(no_category)s) = ANY (%(categories)s)
  UNION ALL
  SELECT opportunity_id, 0, coalesce(corporate_minor, 0) FROM ({now}) AS b
  WHERE coalesce(category, %(no_category)s) = ANY (%(categories)s)
), moved AS (
  SELECT opportunity_id, sum(then_minor)::bigint AS then_minor, sum(now_minor)::bigint AS now_minor
  FROM ends GROUP BY opportunity_id HAVING sum(then_minor) <> sum(now_minor)
)
SELECT opportunity_id, then_minor, now_minor, count(*) OVER (), (sum(now_minor - then_minor) OVER ())::bigint
FROM moved ORDER BY abs(now_minor - then_minor) DESC, opportunity_id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class End:
    """A scope at an instant, as it was known at another; `type` says which deals count."""

    at: datetime
    known: datetime
    owners: Owners
    type: TypeCondition = EVERY_DEAL


@dataclass(frozen=True)
class MovedDeal:
    """What a deal brings to the column at the lock and now, in corporate minor units, and why in words."""

    deal_id: UUID
    name: str
    then_minor: int
    now_minor: int
    because: str

    @property
    def difference_minor(self) -> int:
        return self.now_minor - self.then_minor


@dataclass(frozen=True)
class Moved:
    """The largest movements; `count` and `difference_minor` are of all of them."""

    deals: tuple[MovedDeal, ...]
    count: int
    difference_minor: int


def moved_deals(
    period: Period, *, column: str, then: End, now: End, corporate: str, limit: int = SHOWN
) -> Moved:
    """Deals whose share of `column` differs. Three queries."""
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "first": period.first,
        "end": period.end,
        "lock": then.at,
        "as_of": now.at,
        "known": now.known,
        "corporate": corporate,
        "categories": list(COLUMNS[column]),
        "no_category": NO_CATEGORY,
        "limit": limit,
        **owner_parameters(then.owners, prefix="then"),
        **owner_parameters(now.owners, prefix="scope"),
        **{f"then_{name}": value for name, value in then.type.parameters.items()},
        **now.type.parameters,
    }
    with connection.cursor() as cursor:
        sql = moved_sql(is_split=splits_count(), then_type=then.type.sql, now_type=now.type.sql)
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    ids = [row[0] for row in rows]
    before, after = _states(ids, end=then), _states(ids, end=now)
    deals = tuple(
        MovedDeal(
            deal_id,
            (after.get(deal_id) or before[deal_id]).name,
            then_minor,
            now_minor,
            because(before.get(deal_id), after.get(deal_id), period=period, then=then.owners, now=now.owners),
        )
        for deal_id, then_minor, now_minor, _, _ in rows
    )
    return Moved(deals, rows[0][3] if rows else 0, int(rows[0][4]) if rows else 0)


def _states(ids: list[UUID], *, end: End) -> dict[UUID, OpportunityVersion]:
    found = versions_as_of(end.at, known=end.known).filter(opportunity_id__in=ids)
    return {version.opportunity_id: version for version in found}


def because(before: Any, after: Any, *, period: Period, then: Owners, now: Owners) -> str:
    """The first thing that explains why a deal counts otherwise, in words."""
    if before is None:
        return "New"
    if after is None or (after.deleted_at and not before.deleted_at):
        return "Deleted"
    if before.deleted_at and not after.deleted_at:
        return "Restored"
    if before.outcome != after.outcome:
        return {"won": "Won", "lost": "Lost", "no_decision": "No decision"}.get(
            after.outcome or "", "Reopened"
        )
    if before.split_people != after.split_people or before.split_shares != after.split_shares:
        return "Split otherwise"
    if then.contains(before.owner_id) != now.contains(after.owner_id):
        return "Given away" if then.contains(before.owner_id) else "Taken over"
    if _inside(before.close_date, period) != _inside(after.close_date, period):
        was = "no date" if before.close_date is None else f"{before.close_date:%-d %b %Y}"
        return f"Close date was {was}, is " + (
            "none" if after.close_date is None else f"{after.close_date:%-d %b %Y}"
        )
    if before.category != after.category:
        return f"{_category(before.category)} became {_category(after.category).lower()}"
    if before.amount_minor != after.amount_minor or before.currency != after.currency:
        return "Another amount"
    return "Another rate"


def _inside(day: date | None, period: Period) -> bool:
    return day is not None and day in period


def _category(category: str | None) -> str:
    return (category or NO_CATEGORY).replace("_", " ").capitalize()
