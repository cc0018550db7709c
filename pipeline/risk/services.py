"""The only writers of stage rates and risks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from otc.tenancy.context import current_organization_id
from pipeline.risk.models import StageRate
from pipeline.risk.queries import count_endings
from pipeline.risk.rules import MODEL, Risk

# A refresh that read earlier never overwrites one that read later, and a deal that closed meanwhile gets no row.
UPSERT = """
INSERT INTO pipeline_risk (organization_id, opportunity_id, p_won, p_lost, p_slip, close_date, model, reasons,
  computed_at)
SELECT %(organization)s, r.opportunity_id, r.p_won, r.p_lost, r.p_slip, r.close_date, %(model)s, r.reasons, %(now)s
FROM ROWS FROM (
  unnest(%(ids)s::uuid[], %(p_won)s::float8[], %(p_lost)s::float8[], %(p_slip)s::float8[], %(close_dates)s::date[]),
  jsonb_array_elements(%(reasons)s::jsonb)) AS r(opportunity_id, p_won, p_lost, p_slip, close_date, reasons)
JOIN pipeline_opportunity o ON o.organization_id = %(organization)s AND o.id = r.opportunity_id
  AND o.id = ANY(%(ids)s::uuid[]) AND o.outcome IS NULL AND o.deleted_at IS NULL
WHERE {moved}
ORDER BY r.opportunity_id
ON CONFLICT (organization_id, opportunity_id) DO UPDATE
SET p_won = excluded.p_won, p_lost = excluded.p_lost, p_slip = excluded.p_slip, close_date = excluded.close_date,
    model = excluded.model, reasons = excluded.reasons, computed_at = excluded.computed_at
WHERE pipeline_risk.computed_at <= excluded.computed_at
"""
# What is so already stays unwritten.
MOVED = """NOT EXISTS (SELECT FROM pipeline_risk x WHERE x.organization_id = %(organization)s
  AND x.opportunity_id = r.opportunity_id
  AND (x.p_won, x.p_lost, x.p_slip, x.close_date, x.model, x.reasons)
    IS NOT DISTINCT FROM (r.p_won, r.p_lost, r.p_slip, r.close_date, %(model)s, r.reasons))"""
UPSERT_ALL, UPSERT_MOVED = UPSERT.format(moved="true"), UPSERT.format(moved=MOVED)


@dataclass(frozen=True, slots=True)
class ScoredRisk:
    """A risk, the close date that it is about, and its reasons as JSON."""

    risk: Risk
    close_date: date | None
    reasons_json: str


def stage_rates_learn(*, zone: str, now: datetime) -> int:
    """Count again how past deals ended, per stage and band; returns how many places have deals."""
    rows = [
        StageRate(
            stage_id=stage,
            band=band,
            won_count=counts.won,
            lost_count=counts.lost,
            slip_count=counts.slipped,
            computed_at=now,
        )
        for stage, band, counts in count_endings(zone=zone, now=now)
    ]
    StageRate.objects.all().delete()
    StageRate.objects.bulk_create(rows)
    return len(rows)


def risks_write(risks: Mapping[str, ScoredRisk], *, now: datetime, only_moved: bool = False) -> None:
    """Write the risk of open deals by id; `now` is when their state was read. `only_moved` leaves what is so already
    with its date: for a run over all deals, which an edit's own refresh overtakes in any case.
    """
    scored = [entry.risk for entry in risks.values()]
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "model": MODEL,
        "now": now,
        "ids": array_text(risks),
        **{
            name: array_text(getattr(risk, name) for risk in scored) for name in ("p_won", "p_lost", "p_slip")
        },
        "close_dates": array_text(entry.close_date for entry in risks.values()),
        "reasons": f"[{','.join(entry.reasons_json for entry in risks.values())}]",
    }
    with connection.cursor() as cursor:
        cursor.execute(UPSERT_MOVED if only_moved else UPSERT_ALL, parameters)


def array_text(values: Iterable[object]) -> str:
    """Ids, numbers and days as one PostgreSQL array: a single literal is read much faster than one for each."""
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"
