"""The only writers of health: for some deals after an edit, for all of them daily. They write risk along with it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db import connection

from otc.jobs.lease import Lease
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization
from pipeline.health import queries
from pipeline.health.models import Health as HealthRow
from pipeline.health.queries import Contacts, Path
from pipeline.health.rules import DEFAULTS, TITLES, Deal, Health, Thresholds, health, learned
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Category, Milestone
from pipeline.risk.models import Risk as RiskRow
from pipeline.risk.queries import stage_rates
from pipeline.risk.rules import Counts, Risk, risk
from pipeline.risk.services import ScoredRisk, risks_write, stage_rates_learn
from pipeline.telling.services import health_fell_tell

BATCH = 1000
THRESHOLDS_SECONDS = 36 * 3600

# A refresh that read earlier never overwrites one that read later, and a deal that closed meanwhile gets no row.
# Where a score moves, what it was and the checks that made the difference are kept for the deal's timeline.
UPSERT = """
WITH written AS (
  INSERT INTO pipeline_health (organization_id, opportunity_id, score, failed, computed_at, computed_on)
  SELECT %(organization)s, h.opportunity_id, h.score, h.failed, %(now)s, %(today)s
  FROM unnest(%(ids)s::uuid[], %(scores)s::int[], %(failed)s::jsonb[]) AS h(opportunity_id, score, failed)
  JOIN pipeline_opportunity o ON o.organization_id = %(organization)s AND o.id = h.opportunity_id
    AND o.outcome IS NULL AND o.deleted_at IS NULL
  ORDER BY h.opportunity_id
  ON CONFLICT (organization_id, opportunity_id) DO UPDATE
  SET score = excluded.score, failed = excluded.failed, computed_at = excluded.computed_at,
      computed_on = excluded.computed_on
  WHERE pipeline_health.computed_at <= excluded.computed_at
  RETURNING opportunity_id, old.score AS was, new.score AS score, old.failed AS had_failed, new.failed AS failed
), moved AS (
  INSERT INTO pipeline_healthchange (organization_id, opportunity_id, at, before, after, failing, passing)
  SELECT %(organization)s, w.opportunity_id, %(now)s, w.was, w.score,
    (SELECT coalesce(jsonb_agg(f.row -> 'title'), '[]') FROM jsonb_array_elements(w.failed) AS f(row)
     WHERE NOT w.had_failed @> jsonb_build_array(jsonb_build_object('check', f.row -> 'check'))),
    (SELECT coalesce(jsonb_agg(f.row -> 'title'), '[]') FROM jsonb_array_elements(w.had_failed) AS f(row)
     WHERE NOT w.failed @> jsonb_build_array(jsonb_build_object('check', f.row -> 'check')))
  FROM written w WHERE w.was <> w.score
)
SELECT opportunity_id, was, score FROM written
"""


@dataclass(frozen=True)
class Surroundings:
    """What all deals of an organization are held against, read once per refresh."""

    zone: ZoneInfo
    today: date
    now: datetime
    thresholds: Mapping[UUID, Thresholds]
    rates: Mapping[UUID, Mapping[str, Counts]]
    required: Mapping[UUID, Sequence[Milestone]]
    stages: Mapping[UUID, tuple[int, str]]


def health_refresh(opportunity_ids: Sequence[UUID], *, now: datetime) -> None:
    """Bring health and risk of these deals up to date; closed and deleted ones lose theirs.

    The number of queries doesn't depend on the number of deals.
    """
    around = _surroundings(now)
    deals = queries.open_deals(opportunity_ids)
    _forget(set(opportunity_ids) - {deal.id for deal in deals})
    if deals:
        _refresh(deals, around)


def health_refresh_all(lease: Lease, *, now: datetime) -> None:
    """Learn from the past anew, then bring every open deal up to date, in batches that each commit.

    A run that takes over begins again: what is done twice comes out the same.
    """
    with lease.step(done=0):
        stage_rates_learn(zone=_zone().key, now=now)
        thresholds_learn()
        _forget_closed()
        total = queries.open_deal_count()
    after, done = None, 0
    while True:
        with lease.step(done=done, total=max(total, done)):
            ids = queries.open_deal_ids(after=after, limit=BATCH)
            if not ids:
                return
            health_refresh(ids, now=now)
        after, done = ids[-1], done + len(ids)


def thresholds_learn() -> dict[UUID, Thresholds]:
    """What is too long, per stage, from the organization's own won deals; kept in the cache until tomorrow."""
    found = {
        stage: learned(
            won_deals=won.won_deals,
            stage_days_p80=won.stage_days_p80,
            silence_days_p80=won.silence_days_p80,
            days_to_close_p20=won.days_to_close_p20,
        )
        for stage, won in queries.won_deals_by_stage().items()
    }
    cache.set(_thresholds_key(), found, THRESHOLDS_SECONDS)
    return found


def _thresholds() -> Mapping[UUID, Thresholds]:
    """From the cache, which may be lost at any time: then they are learned anew."""
    kept: Mapping[UUID, Thresholds] | None = cache.get(_thresholds_key())
    return thresholds_learn() if kept is None else kept


def _thresholds_key() -> str:
    return f"health-thresholds:{current_organization_id()}"


def _zone() -> ZoneInfo:
    return ZoneInfo(Organization.objects.values_list("timezone", flat=True).get(id=current_organization_id()))


def _surroundings(now: datetime) -> Surroundings:
    zone = _zone()
    return Surroundings(
        zone=zone,
        today=now.astimezone(zone).date(),
        now=now,
        thresholds=_thresholds(),
        rates=stage_rates(),
        required=queries.required_milestones(),
        stages=queries.stage_names(),
    )


def _refresh(deals: Sequence[Opportunity], around: Surroundings) -> None:
    ids = [deal.id for deal in deals]
    paths = queries.paths(ids, now=around.now)
    contacts = queries.contacts(ids, now=around.now)
    settled = queries.settled_milestones(ids)
    risks, healths = {}, {}
    for deal in deals:
        scored = _risk(deal, around)
        risks[deal.id] = ScoredRisk(scored, deal.close_date)
        judged = _deal(
            deal,
            around,
            path=paths.get(deal.id, Path()),
            contacts=contacts.get(deal.id, Contacts()),
            settled=settled.get(deal.id, set()),
            scored=scored,
        )
        limits = around.thresholds.get(deal.stage_id, DEFAULTS) if deal.stage_id else DEFAULTS
        healths[deal.id] = health(judged, thresholds=limits)
    risks_write(risks, now=around.now)
    _write(healths, around)


def _risk(deal: Opportunity, around: Surroundings) -> Risk:
    return risk(
        today=around.today,
        close_date=deal.close_date,
        stage=deal.stage.name if deal.stage else "",
        counts=around.rates.get(deal.stage_id, {}) if deal.stage_id else {},
    )


def _deal(
    deal: Opportunity,
    around: Surroundings,
    *,
    path: Path,
    contacts: Contacts,
    settled: set[UUID],
    scored: Risk,
) -> Deal:
    in_stage_since = path.stage_since or deal.created_at
    missing, late = _milestones(deal, around, settled=settled, days_in_stage=_days(in_stage_since, around))
    return Deal(
        today=around.today,
        close_date=deal.close_date,
        next_step=deal.next_step,
        next_step_on=deal.next_step_on,
        days_silent=_days(contacts.last_at, around) if contacts.last_at else None,
        stage=deal.stage.name if deal.stage else "",
        days_in_stage=_days(in_stage_since, around),
        push_count=path.push_count,
        last_push_on=path.last_push_at.astimezone(around.zone).date() if path.last_push_at else None,
        amount_minor=deal.amount_minor,
        highest_amount_minor=path.highest_amount_minor,
        contact_count=contacts.contact_count,
        has_decision_maker=contacts.has_decision_maker,
        missing_milestones=missing,
        late_milestones=late,
        moved_back_from=_moved_back_from(deal, around, furthest=path.furthest_stage_id),
        is_commit=deal.category == Category.COMMIT,
        p_won=float(scored.p_won) if scored.p_won is not None else None,
    )


def _days(moment: datetime, around: Surroundings) -> int:
    """Whole days of the organization's calendar since `moment`."""
    return max(0, (around.today - moment.astimezone(around.zone).date()).days)


def _milestones(
    deal: Opportunity, around: Surroundings, *, settled: set[UUID], days_in_stage: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Required milestones that aren't settled: those of earlier stages, and those of this stage that are overdue."""
    if deal.stage is None or deal.process_id is None:
        return (), ()
    here = deal.stage.position
    waiting = [m for m in around.required.get(deal.process_id, ()) if m.id not in settled]
    missing = tuple(m.name for m in waiting if m.stage.position < here)
    late = tuple(m.name for m in waiting if m.stage_id == deal.stage_id and days_in_stage > m.due_days)
    return missing, late


def _moved_back_from(deal: Opportunity, around: Surroundings, *, furthest: UUID | None) -> str:
    """The name of the furthest stage the deal was in, where that lies ahead of its present one."""
    if deal.stage is None or furthest is None:
        return ""
    position, name = around.stages[furthest]
    return name if position > deal.stage.position else ""


def _write(healths: Mapping[UUID, Health], around: Surroundings) -> None:
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "now": around.now,
        "today": around.today,
        "ids": [str(opportunity_id) for opportunity_id in healths],
        "scores": [found.score for found in healths.values()],
        "failed": [_failed_as_json(found) for found in healths.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, parameters)
        health_fell_tell({row[0]: (row[1], row[2]) for row in cursor.fetchall() if row[1] is not None})


def _failed_as_json(found: Health) -> str:
    rows = [
        {"check": f.check, "title": TITLES[f.check], "penalty": f.penalty, "detail": f.detail}
        for f in found.failed
    ]
    return json.dumps(rows, ensure_ascii=False)


def _forget(opportunity_ids: set[UUID]) -> None:
    if opportunity_ids:
        for model in (HealthRow, RiskRow):
            model.objects.filter(opportunity_id__in=opportunity_ids).delete()


def _forget_closed() -> None:
    """Closed and deleted deals have neither health nor risk."""
    still_open = Opportunity.objects.filter(outcome__isnull=True, deleted_at__isnull=True)
    for model in (HealthRow, RiskRow):
        model.objects.exclude(opportunity_id__in=still_open.values("id")).delete()
