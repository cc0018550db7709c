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


STATE = """{0}.organization_id = %(organization)s AND {0}.deleted_at IS NULL
    AND {0}.valid_from <= %({1})s AND {0}.valid_to > %({1})s AND {0}.known_from <= %({1})s AND {0}.known_to > %({1})s
    AND {0}.close_date >= %(first)s AND {0}.close_date < %(last)s"""
# A state that an import made up from a deal's end says nothing of how often its stage is won: only its money counts.
BECAME = f"""
  SELECT a.stage_id, count(*) FILTER (WHERE a.is_told), coalesce(sum(a.minor), 0)::bigint,
    count(b.opportunity_id) FILTER (WHERE a.is_told), coalesce(sum(b.minor), 0)::bigint
  FROM (
    SELECT a.opportunity_id, a.stage_id, a.provenance <> 'reconstructed' AS is_told,
      {corporate_minor_sql("a", known="at")} AS minor
    FROM pipeline_opportunityversion a
    WHERE {STATE.format("a", "at")} AND a.outcome IS NULL AND a.category IS DISTINCT FROM 'omitted') AS a
  LEFT JOIN (
    SELECT b.opportunity_id, {corporate_minor_sql("b", known="until")} AS minor
    FROM pipeline_opportunityversion b WHERE {STATE.format("b", "until")} AND b.outcome = 'won') AS b
  ON b.opportunity_id = a.opportunity_id GROUP BY a.stage_id"""


OF_SPOT = ("first", "last", "at", "until")


def became_of(spots: Sequence[Spot], *, corporate: str) -> dict[Spot, dict[str, StagePast]]:
    """The slow, exact way: by stage what stood open at each spot and what of it was won by its period's end, each as
    it was known then. One query, in which each spot is asked by itself: joined to a list of spots, PostgreSQL can't
    tell how few rows an instant has.
    """
    if not spots:
        return {}
    parameters: dict[str, Any] = {"organization": str(current_organization_id()), "corporate": corporate}
    parts = []
    for place, spot in enumerate(spots):
        period = spot.sample.period
        values = (period.first, period.end, spot.sample.at, spot.until)
        parameters |= {f"{name}_{place}": value for name, value in zip(OF_SPOT, values, strict=True)}
        sql = BECAME.replace("SELECT a.stage_id,", f"SELECT {place}, a.stage_id,", 1)
        for name in OF_SPOT:
            sql = sql.replace(f"%({name})s", f"%({name}_{place})s")
        parts.append(f"({sql})")
    found: dict[Spot, dict[str, StagePast]] = {spot: {} for spot in spots}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), parameters)
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
