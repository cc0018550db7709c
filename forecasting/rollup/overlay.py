"""What overlay splits come to: amounts of people who helped, beside the forecast, in no sum of it (DEFINITIONS 5)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from forecasting.rollup.queries import owner_condition, owner_parameters
from forecasting.types.queries import EVERY_DEAL, TypeCondition
from otc.calendar.rules import Period
from otc.money.queries import corporate_minor_sql
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import Owners
from pipeline.history.queries import as_of_condition
from pipeline.parts.queries import splits_count


@dataclass(frozen=True)
class Overlay:
    """One person's overlay shares of the period's deals, in minor units: of open ones that aren't omitted, and of won
    ones; `deal_count` deals.
    """

    person_id: UUID
    name: str
    open_minor: int
    won_minor: int
    deal_count: int


def _overlays_sql(condition: str) -> str:
    """An overlay share is rounded by itself: it is a part of nothing that has to add up."""
    return f"""
SELECT x.person_id, p.name, coalesce(sum(x.minor) FILTER (WHERE x.outcome IS NULL), 0)::bigint,
  coalesce(sum(x.minor) FILTER (WHERE x.outcome = 'won'), 0)::bigint, count(*)
FROM (
  SELECT s.person_id, v.outcome,
    pipeline_part({corporate_minor_sql("v")}, ARRAY[s.share_bp, 10000 - s.share_bp]::integer[], 1) AS minor
  FROM (SELECT r.*, r.person_id AS owner_id FROM pipeline_split r) AS s
  JOIN pipeline_opportunityversion v ON v.organization_id = s.organization_id AND v.opportunity_id = s.opportunity_id
    AND {as_of_condition("v", instant="as_of", known="known")}
  WHERE s.organization_id = %(organization)s AND s.kind = 'overlay' AND s.valid_from <= %(as_of)s
    AND s.valid_to > %(as_of)s AND v.close_date >= %(first)s AND v.close_date < %(end)s AND v.deleted_at IS NULL
    AND (v.outcome = 'won' OR (v.outcome IS NULL AND v.category IS DISTINCT FROM 'omitted'))
    AND {owner_condition("s", prefix="scope")} AND {condition}
) AS x JOIN otc_person p ON p.organization_id = %(organization)s AND p.id = x.person_id
GROUP BY x.person_id, p.name, p.name_folded ORDER BY p.name_folded, x.person_id
"""


def overlays_of(
    period: Period,
    *,
    as_of: datetime,
    known: datetime,
    owners: Owners,
    corporate: str,
    condition: TypeCondition = EVERY_DEAL,
) -> tuple[Overlay, ...]:
    """The overlay shares of the scope's people, by name. One query, where there ever was a split."""
    if not splits_count():
        return ()
    parameters = {
        **condition.parameters,
        "organization": str(current_organization_id()),
        "first": period.first,
        "end": period.end,
        "as_of": as_of,
        "known": known,
        "corporate": corporate,
        **owner_parameters(owners, prefix="scope"),
    }
    with connection.cursor() as cursor:
        cursor.execute(_overlays_sql(condition.sql), parameters)
        return tuple(Overlay(*row) for row in cursor.fetchall())
