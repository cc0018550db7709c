"""What became of the deals that stood in a stage at the end of a week: kept where it holds, else from versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from forecasting.trends.models import StageWeek, SumsStale
from forecasting.trends.rules import Sample
from otc.money.queries import corporate_minor_sql
from otc.tenancy.context import current_organization_id

# A deal without a stage (none is mapped) counts under this name.
NO_STAGE = ""


@dataclass(frozen=True, slots=True)
class StagePast:
    """Of the deals that stood open in a stage at a point of one past period: how many, and how many were won in it.
    Amounts in corporate minor units, each at its own end: open then, won at the period's end.
    """

    open_count: int = 0
    open_minor: int = 0
    won_count: int = 0
    won_minor: int = 0


@dataclass(frozen=True, slots=True)
class Spot:
    """A point of a period that is over: the end of its `week` at `sample.at`, and the period's end, `until`."""

    sample: Sample
    until: datetime

    @property
    def key(self) -> tuple[Any, ...]:
        return self.sample.key


def _became(minor: str, alias: str) -> str:
    """SQL: the corporate amount at the rates known at an instant of SQL."""
    return corporate_minor_sql(alias).replace("%(known)s", minor)


STATE = """{0}.organization_id = %(organization)s AND {0}.deleted_at IS NULL
    AND {0}.valid_from <= s.{1} AND {0}.valid_to > s.{1} AND {0}.known_from <= s.{1} AND {0}.known_to > s.{1}
    AND {0}.close_date >= s.first AND {0}.close_date < s.last"""

# A state that an import made up from a deal's end says nothing of how often its stage is won: only its money counts.
TOLD = "a.provenance <> 'reconstructed'"


def became_of(spots: Sequence[Spot], *, corporate: str) -> dict[Spot, dict[str, StagePast]]:
    """The slow, exact way: by stage what stood open at each spot and what of it was won by its period's end, each as
    it was known then. One query, which reads both ends of every period.
    """
    if not spots:
        return {}
    sql = f"""
      SELECT s.place, a.stage_id, count(*) FILTER (WHERE {TOLD}), coalesce(sum({_became("s.at", "a")}), 0)::bigint,
        count(b.id) FILTER (WHERE {TOLD}), coalesce(sum({_became("s.until", "b")}), 0)::bigint
      FROM unnest(%(places)s::int[], %(firsts)s::date[], %(lasts)s::date[], %(ats)s::timestamptz[],
          %(untils)s::timestamptz[]) AS s(place, first, last, at, until)
      JOIN pipeline_opportunityversion a ON {STATE.format("a", "at")}
        AND a.outcome IS NULL AND a.category IS DISTINCT FROM 'omitted'
      LEFT JOIN pipeline_opportunityversion b ON {STATE.format("b", "until")}
        AND b.outcome = 'won' AND b.opportunity_id = a.opportunity_id
      GROUP BY 1, 2"""
    found: dict[Spot, dict[str, StagePast]] = {spot: {} for spot in spots}
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "corporate": corporate,
        "places": list(range(len(spots))),
        "firsts": [spot.sample.period.first for spot in spots],
        "lasts": [spot.sample.period.end for spot in spots],
        "ats": [spot.sample.at for spot in spots],
        "untils": [spot.until for spot in spots],
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        for place, stage_id, *sums in cursor.fetchall():
            found[spots[place]][str(stage_id) if stage_id else NO_STAGE] = StagePast(*sums)
    return found


def kept_of(spots: Sequence[Spot]) -> dict[Spot, dict[str, StagePast]]:
    """The same as it was kept, of those spots whose rows hold: nothing of what was by their period's end has changed
    since. Two queries.
    """
    stale_since = SumsStale.objects.order_by("since").values_list("since", flat=True).first()
    asked = {spot.key: spot for spot in spots if stale_since is None or spot.until < stale_since}
    rows = StageWeek.objects.filter(
        first__in={first for first, _, _ in asked}, at__in={at for _, _, at in asked}
    ).values_list("first", "end", "at", "stage_id", "open_count", "open_minor", "won_count", "won_minor")
    found: dict[Spot, dict[str, StagePast]] = {}
    for first, end, at, stage_id, *sums in rows:
        spot = asked.get((first, end, at))
        if spot is None:
            continue
        by_stage = found.setdefault(spot, {})
        if stage_id is not None or any(sums):
            by_stage[str(stage_id) if stage_id else NO_STAGE] = StagePast(*sums)
    return found
