"""How the open deals lay in the bands day by day: what the daily run left, by owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

from otc.money.queries import corporate_currency, corporate_minor_sql
from otc.question import Question
from otc.tenancy.context import current_organization_id
from pipeline.health.rules import BANDS

BAND_OF = "CASE {} END".format(" ".join(f"WHEN h.score >= {band.least} THEN '{band.key}'" for band in BANDS))
KEEP = f"""
INSERT INTO pipeline_healthday (organization_id, day, owner_id, band, deal_count, amount_minor)
SELECT %(organization)s, %(day)s, owner_id, band, count(*), coalesce(sum(minor), 0)
FROM (SELECT o.owner_id, {BAND_OF} AS band, {corporate_minor_sql("o")} AS minor
  FROM pipeline_health h
  JOIN pipeline_opportunity o ON o.organization_id = h.organization_id AND o.id = h.opportunity_id
  WHERE h.organization_id = %(organization)s AND o.outcome IS NULL AND o.deleted_at IS NULL) AS d
GROUP BY owner_id, band
"""
FORGET = "DELETE FROM pipeline_healthday WHERE organization_id = %(organization)s AND day = %(day)s;"
SUMS = """
SELECT day, band, sum(deal_count)::bigint, sum(amount_minor)::bigint FROM pipeline_healthday
WHERE organization_id = %(organization)s AND day = ANY(%(days)s::date[]) AND {owners}
GROUP BY day, band ORDER BY day
"""


@dataclass(frozen=True)
class BandDay:
    """One band of one day: deals, and their sum in minor units of the organization's currency."""

    day: date
    band: str
    deal_count: int
    amount_minor: int


def day_keep(day: date) -> None:
    """Keep how the deals lie in the bands on `day`, in place of what was kept of it before."""
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "day": day,
        "known": timezone.now(),
        "corporate": corporate_currency(),
    }
    with connection.cursor() as cursor:
        cursor.execute(FORGET + KEEP, parameters)


def band_days(question: Question, *, days: Sequence[date]) -> list[BandDay]:
    """What was kept of these days for the deals of the question's owners. One query."""
    condition, values = question.owners.condition("owner_id")
    parameters: dict[str, Any] = {
        "organization": str(question.organization.id),
        "days": list(days),
        "owners": values[0] if values else [],
    }
    with connection.cursor() as cursor:
        cursor.execute(SUMS.format(owners=condition.replace("%s", "%(owners)s")), parameters)
        return [BandDay(*row) for row in cursor.fetchall()]
