"""What each person has of a period, won and open by stage, and what each won of past ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, Sum

from forecasting.landing.rules import Open
from forecasting.rollup.queries import counted_parameters, counted_sql
from forecasting.trends.models import WeeklySample, WeeklySum
from forecasting.trends.queries import Key
from forecasting.trends.rules import Sample
from forecasting.trends.stages import NO_STAGE
from forecasting.types.queries import EVERY_DEAL, TypeCondition
from otc.calendar.rules import Period
from otc.tenancy.lines import Owners
from pipeline.parts.queries import splits_count


@dataclass(frozen=True, slots=True)
class Standing:
    """What one person has: won so far, and open deals by stage; corporate minor units."""

    won_minor: int
    open: Mapping[str, Open]


def standing(
    period: Period,
    *,
    as_of: datetime,
    known: datetime,
    owners: Owners,
    corporate: str,
    condition: TypeCondition = EVERY_DEAL,
) -> dict[UUID | None, Standing]:
    """The parts of open and won deals that close in the period, by person. One query."""
    sql = f"""
        SELECT owner_id, category IS NOT DISTINCT FROM 'closed', stage_id, count(*),
          coalesce(sum(corporate_minor), 0)::bigint, coalesce(sum(corporate_minor::numeric * corporate_minor), 0)
        FROM ({counted_sql(is_split=splits_count(), condition=condition.sql)}) AS counted
        WHERE (corporate_minor IS NOT NULL OR lacks_amount) AND category IS DISTINCT FROM 'omitted' GROUP BY 1, 2, 3"""
    asked: dict[str, Any] = {"as_of": as_of, "known": known, "owners": owners, "corporate": corporate}
    won: dict[UUID | None, int] = {}
    found: dict[UUID | None, dict[str, Open]] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, counted_parameters(period, condition=condition, **asked))
        for owner_id, is_won, stage_id, count, minor, squares in cursor.fetchall():
            found.setdefault(owner_id, {})
            if is_won:
                won[owner_id] = won.get(owner_id, 0) + minor
            else:
                name = str(stage_id) if stage_id else NO_STAGE
                found[owner_id][name] = Open(count, minor, int(squares))
    return {owner_id: Standing(won.get(owner_id, 0), held) for owner_id, held in found.items()}


def kept_totals(samples: Sequence[Sample]) -> dict[Key, int]:
    """By kept sample what was won by then, in corporate minor units. One query."""
    if not samples:
        return {}
    rows = WeeklySample.objects.filter(_places(samples)).values_list("first", "end", "at", "won_minor")
    found = {(first, end, at): minor for first, end, at, minor in rows}
    return {sample.key: found.get(sample.key, 0) for sample in samples}


def kept_by_owner(samples: Sequence[Sample]) -> dict[UUID | None, int]:
    """What each person had won in all of the samples together. One query."""
    if not samples:
        return {}
    sums = WeeklySum.objects.filter(_places(samples))
    return {
        owner_id: int(minor) for owner_id, minor in sums.values_list("owner_id").annotate(Sum("won_minor"))
    }


def _places(samples: Sequence[Sample]) -> Q:
    """One condition a period, as of the same instant of it."""
    return reduce(
        or_, (Q(first=sample.period.first, end=sample.period.end, at=sample.at) for sample in samples)
    )
