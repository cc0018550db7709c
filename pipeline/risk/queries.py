"""How past deals ended that stood where an open one stands now: counted from versions, with what was known then."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from otc.tenancy.context import current_organization_id
from otc.tenancy.models import FOREVER
from pipeline.risk.models import StageRate
from pipeline.risk.rules import BANDS, Counts

# The band of `days` to the close date, from the table of the rules.
BAND = "CASE {} END".format(
    " ".join(
        f"WHEN days <= {most} THEN '{key}'" if most is not None else f"ELSE '{key}'" for key, most, _ in BANDS
    )
)

# Every deal is looked at once a week while it was open, with what was known then (so a close date that first appears
# at closing is no input; a state made up from the end, a reconstruction, neither). It counts once per stage and band,
# where it first stood there, by what it was at the end of the close date of that week. A deleted deal is not counted.
ENDINGS = f"""
WITH looks AS (
  SELECT v.opportunity_id, v.stage_id, v.close_date, w.at,
    v.close_date - (w.at AT TIME ZONE %(zone)s)::date AS days
  FROM pipeline_opportunityversion v
  CROSS JOIN LATERAL generate_series(
    date_bin('7 days', v.valid_from, timestamptz '2001-01-01') + interval '7 days',
    least(v.valid_to - interval '1 microsecond', %(now)s), interval '7 days') AS w(at)
  WHERE v.organization_id = %(organization)s AND v.outcome IS NULL AND v.deleted_at IS NULL
    AND v.stage_id IS NOT NULL AND v.provenance <> 'reconstructed'
    AND v.close_date < (%(now)s AT TIME ZONE %(zone)s)::date
    AND v.known_from <= w.at AND v.known_to > w.at),
standing AS (
  SELECT DISTINCT ON (opportunity_id, stage_id, band) opportunity_id, stage_id, band,
    (close_date + 1)::timestamp AT TIME ZONE %(zone)s AS day_end
  FROM (SELECT *, {BAND} AS band FROM looks WHERE days >= 0) AS l
  ORDER BY opportunity_id, stage_id, band, at)
SELECT s.stage_id, s.band, count(*) FILTER (WHERE e.outcome = 'won'),
  count(*) FILTER (WHERE e.outcome IN ('lost', 'no_decision')), count(*) FILTER (WHERE e.outcome IS NULL)
FROM standing s JOIN pipeline_opportunityversion e
  ON e.organization_id = %(organization)s AND e.opportunity_id = s.opportunity_id AND e.known_to = %(forever)s
  AND e.valid_from < s.day_end AND e.valid_to >= s.day_end AND e.deleted_at IS NULL
GROUP BY s.stage_id, s.band
"""


def count_endings(*, zone: str, now: datetime) -> list[tuple[UUID, str, Counts]]:
    """(stage, band, counts) over all deals whose close date of then is over; `zone` says when a day ends."""
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "zone": zone,
        "now": now,
        "forever": FOREVER,
    }
    return [
        (stage, band, Counts(won, lost, slip))
        for stage, band, won, lost, slip in rows_over_all_deals(ENDINGS, parameters)
    ]


def rows_over_all_deals(sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a query that reads the whole past. Right after an import the planner knows nothing of the new rows and
    would loop over them for hours, so it may not loop.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off; " + sql, parameters)
        rows = cursor.fetchall()
        cursor.execute("RESET enable_nestloop")
    return rows


def stage_rates() -> dict[UUID, dict[str, Counts]]:
    """The counts that were learned last, by stage and band."""
    rates: dict[UUID, dict[str, Counts]] = {}
    columns = ("stage_id", "band", "won_count", "lost_count", "slip_count")
    for stage, band, won, lost, slip in StageRate.objects.values_list(*columns):
        rates.setdefault(stage, {})[band] = Counts(won, lost, slip)
    return rates
