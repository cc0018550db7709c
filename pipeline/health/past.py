"""How healthy deals were at a past instant: judged anew by what was known then, for reports and for what is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from otc.jobs.lease import Lease
from otc.money.queries import corporate_currency, corporate_minor_sql
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization
from pipeline.health.days import BAND_OF
from pipeline.health.facts import deal_of, facts_then
from pipeline.health.listing import Past
from pipeline.health.models import Health, HealthDay
from pipeline.health.rules import bits_of, judged
from pipeline.health.services import failed_json, failed_rows, surroundings
from pipeline.history.models import OpportunityVersion
from pipeline.history.queries import as_of_condition
from pipeline.risk.services import array_text

BATCH = 2000
WEEKS = 12

# What was judged of a batch, added to the day's sums and held against what was judged a week later.
KEEP = f"""
INSERT INTO pipeline_healthday AS d (organization_id, day, owner_id, band, deal_count, amount_minor)
SELECT %(organization)s, %(day)s, owner_id, band, count(*), coalesce(sum(minor), 0)
FROM (SELECT b.owner_id, {BAND_OF} AS band, {corporate_minor_sql("b")} AS minor
  FROM unnest(%(ids)s::uuid[], %(scores)s::int[]) AS h(opportunity_id, score)
  JOIN pipeline_opportunityversion b ON b.organization_id = %(organization)s
    AND b.opportunity_id = h.opportunity_id AND {as_of_condition("b", instant="at", known="known")}) AS s
GROUP BY owner_id, band
ON CONFLICT (organization_id, day, band, owner_id) DO UPDATE
SET deal_count = d.deal_count + excluded.deal_count, amount_minor = d.amount_minor + excluded.amount_minor
"""


def judged_at(opportunity_ids: Sequence[str], *, at: datetime, known: datetime) -> Past:
    """Those of the deals that were open at `at`, as known at `known`, on the scale and by the limits of then.

    Chances aren't kept of the past, so nothing is said of commits at high risk there.
    """
    around = replace(surroundings(at), rates={})
    made = around.scale.made
    past = Past([], [], [], [])
    for batch in batched(opportunity_ids, BATCH, strict=False):
        for facts in facts_then(batch, at=at, known=known):
            deal = deal_of(facts, around, p_won=None)
            found = judged(deal, thresholds=around.thresholds_in(facts.stage_id), made=made)
            past.add(facts.id, found.score, bits_of(found), failed_json(found))
    return past


def health_then(opportunity_id: UUID, *, at: datetime, known: datetime) -> Health | None:
    """One deal's health at a past instant, as a row that is kept nowhere; None where it wasn't open."""
    around = replace(surroundings(at), rates={})
    for facts in facts_then([opportunity_id], at=at, known=known):
        deal = deal_of(facts, around, p_won=None)
        found = judged(deal, thresholds=around.thresholds_in(facts.stage_id), made=around.scale.made)
        return Health(
            opportunity_id=opportunity_id,
            score=found.score,
            failed=failed_rows(found),
            computed_at=at,
            computed_on=around.today,
        )
    return None


def health_past_keep(lease: Lease, *, now: datetime) -> None:
    """Keep how the open deals lay in the bands at the end of this weekday in the twelve weeks before, from versions:
    once, when the first day is kept. Days that are kept already stay as they are.
    """
    with lease.step(done=0, total=WEEKS):
        zone = ZoneInfo(Organization.objects.values_list("timezone", flat=True).get(id=lease.organization_id))
        today = now.astimezone(zone).date()
        kept = set(HealthDay.objects.order_by().values_list("day", flat=True).distinct())
    for back in range(1, WEEKS + 1):
        day = today - timedelta(weeks=back)
        if day not in kept:
            end = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone)
            with lease.step(done=back - 1):
                HealthDay.objects.filter(day=day).delete()
                for ids in _open_then(end, known=now):
                    _keep(judged_at(ids, at=end, known=now), at=end, day=day, known=now)


def _open_then(at: datetime, *, known: datetime) -> Iterator[list[str]]:
    """The ids of the deals that were open at `at`, in batches."""
    found = OpportunityVersion.objects.filter(
        valid_from__lte=at, valid_to__gt=at, known_from__lte=known, known_to__gt=known
    ).filter(outcome__isnull=True, deleted_at__isnull=True)
    ids = found.order_by("opportunity_id").values_list("opportunity_id", flat=True)
    for batch in batched(ids.iterator(chunk_size=BATCH), BATCH, strict=False):
        yield [str(one) for one in batch]


def _keep(past: Past, *, at: datetime, day: date, known: datetime) -> None:
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "day": day,
        "ids": array_text(past.ids),
        "scores": array_text(past.scores),
        "at": at,
        "known": known,
        "corporate": corporate_currency(),
    }
    with connection.cursor() as cursor:
        cursor.execute(KEEP, parameters)
