"""The only writers of stage rates and risks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from otc.tenancy.context import current_organization_id
from pipeline.risk.models import StageRate
from pipeline.risk.queries import count_endings
from pipeline.risk.rules import MODEL, Risk

# A refresh that read earlier never overwrites one that read later, and a deal that closed meanwhile gets no row.
UPSERT = """
INSERT INTO pipeline_risk (organization_id, opportunity_id, p_won, p_lost, p_slip, close_date, model, reasons,
  computed_at)
SELECT %s, r.opportunity_id, r.p_won, r.p_lost, r.p_slip, r.close_date, %s, r.reasons, %s
FROM unnest(%s::uuid[], %s::float8[], %s::float8[], %s::float8[], %s::date[], %s::jsonb[])
  AS r(opportunity_id, p_won, p_lost, p_slip, close_date, reasons)
JOIN pipeline_opportunity o ON o.organization_id = %s AND o.id = r.opportunity_id
  AND o.outcome IS NULL AND o.deleted_at IS NULL
ORDER BY r.opportunity_id
ON CONFLICT (organization_id, opportunity_id) DO UPDATE
SET p_won = excluded.p_won, p_lost = excluded.p_lost, p_slip = excluded.p_slip, close_date = excluded.close_date,
    model = excluded.model, reasons = excluded.reasons, computed_at = excluded.computed_at
WHERE pipeline_risk.computed_at <= excluded.computed_at
"""


@dataclass(frozen=True, slots=True)
class ScoredRisk:
    """A risk and the close date that it is about."""

    risk: Risk
    close_date: date | None


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


def risks_write(risks: Mapping[UUID, ScoredRisk], *, now: datetime) -> None:
    """Write the risk of open deals; `now` is when their state was read."""
    organization_id = str(current_organization_id())
    scored = [risks[opportunity_id].risk for opportunity_id in risks]
    parameters: list[Any] = [
        organization_id,
        MODEL,
        now,
        [str(opportunity_id) for opportunity_id in risks],
        *([_number(getattr(risk, name)) for risk in scored] for name in ("p_won", "p_lost", "p_slip")),
        [entry.close_date for entry in risks.values()],
        [json.dumps(risk.reasons, ensure_ascii=False) for risk in scored],
        organization_id,
    ]
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, parameters)


def _number(share: object) -> float | None:
    return None if share is None else float(str(share))
