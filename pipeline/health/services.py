"""The only writers of health: for some deals after an edit, for all of them daily. They write risk along with it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from json.encoder import encode_basestring as _quoted
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from otc.jobs.lease import Lease
from otc.jobs.services import enqueue
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization
from pipeline.health import queries
from pipeline.health.days import day_keep
from pipeline.health.facts import Facts, Required, StagePlace, Surroundings, deal_of, facts_now
from pipeline.health.learning import thresholds_at, thresholds_learn
from pipeline.health.models import Health as HealthRow
from pipeline.health.models import HealthDay
from pipeline.health.rules import TITLES, Health, bits_of, judged
from pipeline.health.scale import scale_at
from pipeline.opportunities.models import Opportunity
from pipeline.risk.models import Risk as RiskRow
from pipeline.risk.queries import stage_rates
from pipeline.risk.rules import risk
from pipeline.risk.services import ScoredRisk, array_text, risks_write, stage_rates_learn
from pipeline.telling.services import health_fell_tell

BATCH = 2000
# From so many open deals on two workers share the daily run.
SPLIT_FROM = 20_000

# A refresh that read earlier never overwrites one that read later, and a deal that closed meanwhile gets no row.
# Where a score moves, what it was and the checks that made the difference are kept for the deal's timeline.
UPSERT = """
WITH written AS (
  INSERT INTO pipeline_health (organization_id, opportunity_id, score, failed, checks, computed_at, computed_on)
  SELECT %(organization)s, h.opportunity_id, h.score, h.failed, h.checks, %(now)s, %(today)s
  FROM ROWS FROM (unnest(%(ids)s::uuid[], %(scores)s::int[], %(checks)s::int[]),
    jsonb_array_elements(%(failed)s::jsonb)) AS h(opportunity_id, score, checks, failed)
  JOIN pipeline_opportunity o ON o.organization_id = %(organization)s AND o.id = h.opportunity_id
    AND o.id = ANY(%(ids)s::uuid[]) AND o.outcome IS NULL AND o.deleted_at IS NULL
  WHERE {moved}
  ORDER BY h.opportunity_id
  ON CONFLICT (organization_id, opportunity_id) DO UPDATE
  SET score = excluded.score, failed = excluded.failed, checks = excluded.checks,
      computed_at = excluded.computed_at, computed_on = excluded.computed_on
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
SELECT opportunity_id, was, score FROM written WHERE was > score
"""
# What is so already stays unwritten.
MOVED = """NOT EXISTS (SELECT FROM pipeline_health x WHERE x.organization_id = %(organization)s
    AND x.opportunity_id = h.opportunity_id
    AND (x.score, x.checks, x.failed) IS NOT DISTINCT FROM (h.score, h.checks, h.failed))"""
UPSERT_ALL, UPSERT_MOVED = UPSERT.format(moved="true"), UPSERT.format(moved=MOVED)


def health_refresh(opportunity_ids: Sequence[UUID], *, now: datetime) -> None:
    """Bring health and risk of these deals up to date; closed and deleted ones lose theirs.

    The number of queries doesn't depend on the number of deals.
    """
    refresh(opportunity_ids, surroundings(now))


def refresh(opportunity_ids: Sequence[UUID | str], around: Surroundings, *, only_moved: bool = False) -> None:
    """The same, held against what was read before. `only_moved` is for a run over all deals: what is found as it was
    keeps its date, and an edit's own refresh, being later, is never overwritten.
    """
    found = facts_now(opportunity_ids, now=around.now)
    _forget({str(opportunity_id) for opportunity_id in opportunity_ids} - {facts.id for facts in found})
    if found:
        _refresh(found, around, only_moved=only_moved)


def health_refresh_all(lease: Lease, *, now: datetime) -> None:
    """Learn from the past anew, then bring every open deal up to date, in batches that each commit.

    A run that takes over begins again: what is done twice comes out the same. Of many deals a second worker takes the
    later half at the same time, by a job of its own.
    """
    with lease.step(done=0):
        stage_rates_learn(zone=_zone().key, now=now)
        thresholds_learn(now=now)
        _forget_closed()
        total = queries.open_deal_count()
        middle = queries.open_deal_id_at(total // 2) if total >= SPLIT_FROM else None
        if middle is not None:
            enqueue("health_half", subject=UUID(middle))
            total = total // 2
    _refresh_range(lease, after=None, until=middle, total=total, now=now)


def health_refresh_from(lease: Lease, *, first: UUID, now: datetime) -> None:
    """Bring the open deals from `first` on up to date: the later half, against what the earlier's run has learned."""
    with lease.step(done=0):
        total = queries.open_deal_count(first=first)
    _refresh_range(lease, after=str(UUID(int=first.int - 1)), until=None, total=total, now=now)


def _refresh_range(lease: Lease, *, after: str | None, until: str | None, total: int, now: datetime) -> None:
    """The open deals after an id and before another, in their order; at the end the day is kept."""
    with lease.step():
        around = surroundings(now)
    done = 0
    while True:
        with lease.step(done=done, total=max(total, done)):
            ids = queries.open_deal_ids(after=after, until=until, limit=BATCH)
            if not ids:
                if not HealthDay.objects.exists():
                    enqueue("health_past")
                day_keep(around.today)
                return
            refresh(ids, around, only_moved=True)
        after, done = ids[-1], done + len(ids)


def _zone() -> ZoneInfo:
    return ZoneInfo(Organization.objects.values_list("timezone", flat=True).get(id=current_organization_id()))


def surroundings(now: datetime) -> Surroundings:
    """What deals are held against now. Five queries."""
    zone = _zone()
    places = {str(stage): place for stage, place in queries.stage_places().items()}
    return Surroundings(
        zone=zone,
        today=now.astimezone(zone).date(),
        now=now,
        thresholds={str(stage): found for stage, found in thresholds_at(now).items()},
        scale=scale_at(now),
        rates={str(stage): rates for stage, rates in stage_rates().items()},
        required={
            str(process): [
                Required(str(m.id), m.name, str(m.stage_id), m.stage.position, m.due_days) for m in milestones
            ]
            for process, milestones in queries.required_milestones().items()
        },
        stages={stage: StagePlace(str(place[0]), *place[1:3]) for stage, place in places.items()},
        names={(str(place[0]), place[1]): place[2] for place in places.values() if place[3]},
    )


def _refresh(found: Sequence[Facts], around: Surroundings, *, only_moved: bool) -> None:
    risks, healths = {}, {}
    made = around.scale.made
    for facts in found:
        scored = risks[facts.id] = _risk(facts, around)
        p_won = scored.risk.p_won
        deal = deal_of(facts, around, p_won=None if p_won is None else float(p_won))
        healths[facts.id] = judged(deal, thresholds=around.thresholds_in(facts.stage_id), made=made)
    risks_write(risks, now=around.now, only_moved=only_moved)
    _write(healths, around, only_moved=only_moved)


def _risk(facts: Facts, around: Surroundings) -> ScoredRisk:
    place = (facts.stage_id, facts.close_date)
    if place not in around.risks:
        stage = around.stages.get(facts.stage_id) if facts.stage_id else None
        found = risk(
            today=around.today,
            close_date=facts.close_date,
            stage=stage.name if stage else "",
            counts=around.rates.get(facts.stage_id, {}) if facts.stage_id else {},
        )
        reasons = json.dumps(found.reasons, ensure_ascii=False)
        around.risks[place] = ScoredRisk(found, facts.close_date, reasons)
    return around.risks[place]


def _write(healths: Mapping[str, Health], around: Surroundings, *, only_moved: bool) -> None:
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "now": around.now,
        "today": around.today,
        "ids": array_text(healths),
        "scores": array_text(found.score for found in healths.values()),
        "checks": array_text(bits_of(found) for found in healths.values()),
        "failed": f"[{','.join(failed_json(found) for found in healths.values())}]",
    }
    with connection.cursor() as cursor:
        cursor.execute(UPSERT_MOVED if only_moved else UPSERT_ALL, parameters)
        health_fell_tell({row[0]: (row[1], row[2]) for row in cursor.fetchall()})


def failed_rows(found: Health) -> list[dict[str, Any]]:
    """The failed checks as they are kept."""
    return [
        {"check": f.check, "title": TITLES[f.check], "penalty": f.penalty, "detail": f.detail}
        for f in found.failed
    ]


def failed_json(found: Health) -> str:
    """The same as JSON: written by hand, because a run over all deals does little else."""
    rows = [
        f'{{"check":"{f.check}","title":{_quoted(TITLES[f.check])},"penalty":{f.penalty},"detail":{_quoted(f.detail)}}}'
        for f in found.failed
    ]
    return f"[{','.join(rows)}]"


def _forget(opportunity_ids: set[str]) -> None:
    if opportunity_ids:
        for model in (HealthRow, RiskRow):
            model.objects.filter(opportunity_id__in=opportunity_ids).delete()


def _forget_closed() -> None:
    """Closed and deleted deals have neither health nor risk."""
    still_open = Opportunity.objects.filter(outcome__isnull=True, deleted_at__isnull=True)
    for model in (HealthRow, RiskRow):
        model.objects.exclude(opportunity_id__in=still_open.values("id")).delete()
