"""What the checks look at, of many deals by one statement: as they stand, or as they stood at a past instant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from otc.tenancy.context import current_organization_id
from otc.tenancy.models import FOREVER
from pipeline.health.rules import DEFAULTS, Deal, Scale, Thresholds
from pipeline.history.queries import as_of_condition
from pipeline.process.models import Category
from pipeline.risk.rules import Counts
from pipeline.risk.services import ScoredRisk

COLUMNS = "close_date, next_step, next_step_on, stage_id, process_id, category, amount_minor, currency"
NOW_STANDING = f"""
SELECT id, created_at, {COLUMNS} FROM pipeline_opportunity
WHERE organization_id = %(organization)s AND id = ANY(%(ids)s::uuid[]) AND outcome IS NULL AND deleted_at IS NULL"""
THEN_STANDING = f"""
SELECT v.opportunity_id AS id, o.created_at, {", ".join(f"v.{name}" for name in COLUMNS.split(", "))}
FROM pipeline_opportunityversion v
JOIN pipeline_opportunity o ON o.organization_id = v.organization_id AND o.id = v.opportunity_id
WHERE v.organization_id = %(organization)s AND v.opportunity_id = ANY(%(ids)s::uuid[])
  AND v.outcome IS NULL AND v.deleted_at IS NULL AND {as_of_condition("v", instant="now", known="known")}"""

NOW_MARKS = """
SELECT opportunity_id, milestone_id FROM pipeline_opportunitymilestone
WHERE organization_id = %(organization)s AND opportunity_id = ANY(%(ids)s::uuid[])"""
# A mark stands since it was made, or since Undo put it back; what ended stood until then.
SINCE = "coalesce(restored_at, met_at, waived_at)"
THEN_MARKS = f"""{NOW_MARKS} AND {SINCE} <= %(now)s
UNION SELECT opportunity_id, milestone_id FROM pipeline_endedmark
WHERE organization_id = %(organization)s AND opportunity_id = ANY(%(ids)s::uuid[])
  AND {SINCE} <= %(now)s AND ended_at > %(now)s"""

# Paths: pushes (every later move of the close date), when the deal entered its stage, the highest amount in its present
# currency, and the furthest stage of its present process. Contacts: people of the buyer's side in contact or with a
# part in the deal.
FACTS = """
WITH d AS MATERIALIZED ({standing}),
steps AS (
  SELECT v.opportunity_id, v.valid_from, v.stage_id, v.close_date, v.amount_minor, v.currency, v.process_id, s.position,
    lag(v.close_date) OVER w AS close_date_before, lag(v.stage_id) OVER w AS stage_before, row_number() OVER w AS number
  FROM pipeline_opportunityversion v
  LEFT JOIN pipeline_stage s ON s.organization_id = v.organization_id AND s.id = v.stage_id AND s.retired_at IS NULL
  WHERE v.organization_id = %(organization)s AND v.opportunity_id = ANY(%(ids)s::uuid[])
    AND {known} AND v.valid_from <= %(now)s
  WINDOW w AS (PARTITION BY v.opportunity_id ORDER BY v.valid_from)),
paths AS (
  SELECT t.opportunity_id,
    count(*) FILTER (WHERE t.close_date > t.close_date_before) AS push_count,
    max(t.valid_from) FILTER (WHERE t.close_date > t.close_date_before) AS last_push_at,
    max(t.valid_from) FILTER (WHERE t.number > 1 AND t.stage_id IS DISTINCT FROM t.stage_before) AS stage_since,
    max(t.amount_minor) FILTER (WHERE t.currency = d.currency) AS highest_amount_minor,
    max(t.position) FILTER (WHERE t.process_id = d.process_id) AS furthest
  FROM steps t JOIN d ON d.id = t.opportunity_id GROUP BY t.opportunity_id),
contacts AS (
  SELECT opportunity_id, max(at) AS last_at, count(DISTINCT contact_id) AS contact_count, bool_or(decides) AS decides
  FROM (
    SELECT opportunity_id, at, contact_id, false AS decides FROM pipeline_activity
    WHERE organization_id = %(organization)s AND opportunity_id = ANY(%(ids)s::uuid[]) AND at <= %(now)s
    UNION ALL
    SELECT opportunity_id, NULL, contact_id, role = 'decision_maker' FROM pipeline_buyingrole
    WHERE organization_id = %(organization)s AND opportunity_id = ANY(%(ids)s::uuid[])
      AND valid_from <= %(now)s AND valid_to > %(now)s) AS known
  GROUP BY opportunity_id),
marks AS (SELECT opportunity_id, array_agg(milestone_id::text) AS settled FROM ({marks}) AS m GROUP BY opportunity_id)
SELECT d.id::text, d.created_at, d.close_date, d.next_step, d.next_step_on, d.stage_id::text, d.process_id::text,
  d.category, d.amount_minor, coalesce(p.push_count, 0), p.last_push_at, p.stage_since, p.highest_amount_minor,
  p.furthest, c.last_at, coalesce(c.contact_count, 0), coalesce(c.decides, false), m.settled
FROM d
LEFT JOIN paths p ON p.opportunity_id = d.id
LEFT JOIN contacts c ON c.opportunity_id = d.id
LEFT JOIN marks m ON m.opportunity_id = d.id
"""

NOW_FACTS = FACTS.format(standing=NOW_STANDING, known="v.known_to = %(forever)s", marks=NOW_MARKS)
THEN_FACTS = FACTS.format(
    standing=THEN_STANDING, known="v.known_from <= %(known)s AND v.known_to > %(known)s", marks=THEN_MARKS
)


@dataclass(frozen=True)
class Surroundings:
    """What all deals of an organization are held against, read once: of `now`, or of the past instant `now`.

    Ids are texts: made into UUIDs, they would be most of what a deal costs.
    """

    zone: ZoneInfo
    today: date
    now: datetime
    thresholds: Mapping[str, Thresholds]
    scale: Scale
    rates: Mapping[str, Mapping[str, Counts]]
    required: Mapping[str, Sequence["Required"]]
    stages: Mapping[str, "StagePlace"]
    names: Mapping[tuple[str, int], str]
    # Deals of one stage that close on one day have the same chances; found once.
    risks: dict[tuple[str | None, date | None], ScoredRisk] = field(default_factory=dict)

    def thresholds_in(self, stage_id: str | None) -> Thresholds:
        return self.thresholds.get(stage_id, DEFAULTS) if stage_id else DEFAULTS

    def days_since(self, moment: datetime) -> int:
        """Whole days of the organization's calendar since `moment`."""
        return max(0, (self.today - moment.astimezone(self.zone).date()).days)


class StagePlace(NamedTuple):
    """A stage's process, its place there from 1, and its name."""

    process_id: str
    position: int
    name: str


class Required(NamedTuple):
    """A required milestone: its stage with its place, and the day it is due, counted from entering the stage."""

    id: str
    name: str
    stage_id: str
    position: int
    due_days: int


class Facts(NamedTuple):
    """One open deal as read: amounts in minor units of its currency. `stage_since` is None for a deal that never
    changed stage; `furthest` is the position of the furthest stage of its process that it was in.
    """

    id: str
    created_at: datetime
    close_date: date | None
    next_step: str
    next_step_on: date | None
    stage_id: str | None
    process_id: str | None
    category: str | None
    amount_minor: int | None
    push_count: int
    last_push_at: datetime | None
    stage_since: datetime | None
    highest_amount_minor: int | None
    furthest: int | None
    last_contact_at: datetime | None
    contact_count: int
    has_decision_maker: bool
    settled: list[str] | None


def facts_now(opportunity_ids: Collection[UUID | str], *, now: datetime) -> list[Facts]:
    """Those of the deals that are open, with what activities and roles say up to `now`. One query."""
    return _facts(NOW_FACTS, opportunity_ids, now=now, known=now)


def facts_then(opportunity_ids: Collection[UUID | str], *, at: datetime, known: datetime) -> list[Facts]:
    """Those of the deals that were open at `at`, as known at `known`. One query."""
    return _facts(THEN_FACTS, opportunity_ids, now=at, known=known)


def _facts(
    sql: str, opportunity_ids: Collection[UUID | str], *, now: datetime, known: datetime
) -> list[Facts]:
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "ids": [str(opportunity_id) for opportunity_id in opportunity_ids],
        "forever": FOREVER,
        "now": now,
        "known": known,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [Facts._make(row) for row in cursor.fetchall()]


def deal_of(facts: Facts, around: Surroundings, *, p_won: float | None) -> Deal:
    """What the checks look at, from what was read; `p_won` None: nothing is said of its chances."""
    stage = around.stages.get(facts.stage_id) if facts.stage_id else None
    days_in_stage = around.days_since(facts.stage_since or facts.created_at)
    missing, late = _milestones(facts, around, stage=stage, days_in_stage=days_in_stage)
    return Deal(
        today=around.today,
        close_date=facts.close_date,
        next_step=facts.next_step,
        next_step_on=facts.next_step_on,
        days_silent=around.days_since(facts.last_contact_at) if facts.last_contact_at else None,
        stage=stage.name if stage else "",
        days_in_stage=days_in_stage,
        push_count=facts.push_count,
        last_push_on=facts.last_push_at.astimezone(around.zone).date() if facts.last_push_at else None,
        amount_minor=facts.amount_minor,
        highest_amount_minor=facts.highest_amount_minor,
        contact_count=facts.contact_count,
        has_decision_maker=facts.has_decision_maker,
        missing_milestones=missing,
        late_milestones=late,
        moved_back_from=_moved_back_from(facts, around, stage=stage),
        is_commit=facts.category == Category.COMMIT,
        p_won=p_won,
    )


def _milestones(
    facts: Facts, around: Surroundings, *, stage: StagePlace | None, days_in_stage: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Required milestones that aren't settled: those of earlier stages, and those of this stage that are overdue."""
    if stage is None or facts.process_id is None:
        return (), ()
    settled = facts.settled or ()
    waiting = [m for m in around.required.get(facts.process_id, ()) if m.id not in settled]
    missing = tuple(m.name for m in waiting if m.position < stage.position)
    late = tuple(m.name for m in waiting if m.stage_id == facts.stage_id and days_in_stage > m.due_days)
    return missing, late


def _moved_back_from(facts: Facts, around: Surroundings, *, stage: StagePlace | None) -> str:
    """The name of the furthest stage the deal was in, where that lies ahead of its present one."""
    if (
        stage is None
        or facts.process_id is None
        or facts.furthest is None
        or facts.furthest <= stage.position
    ):
        return ""
    return around.names.get((facts.process_id, facts.furthest), "")
