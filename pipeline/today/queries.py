"""The queue of a scope in one query, what one deal is asked for, and what was answered today."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from otc.money.queries import corporate_minor_sql
from otc.question import Question
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import Owners
from otc.tenancy.models import FOREVER, Person
from pipeline.health.models import Health
from pipeline.health.queries import CONTACTS, PATHS
from pipeline.opportunities.models import Opportunity
from pipeline.parts.queries import parts_of_sql, splits_count
from pipeline.risk.models import Risk
from pipeline.today.models import DealAnswer
from pipeline.today.rules import (
    ASSUMED_CHANCE_BP,
    DUE,
    FROM_HEALTH,
    LIKELY_SLIP,
    NEAR_DAYS,
    REASONS,
    SNOOZE,
    Standing,
    reasons_of,
)

# The first reason that holds is the most urgent one: REASONS are in that order.
URGENCY = "CASE {} END".format(
    " ".join(f"WHEN '{one.key}' = ANY(q.keys) THEN {one.urgency}" for one in REASONS)
)

# rules.reasons_of, still_open and worth over every open deal of the scope. An answer counts until somebody else has
# changed the deal or logged something on it. Health and risk are looked up by an array of the deals, in one walk
# through each index: deal by deal would be a descent each, and hashing the organization's would cost the most.
QUEUE = """
WITH deals AS MATERIALIZED (
  SELECT o.id, o.owner_id, o.close_date, o.next_step ~ '\\S' AS has_step, o.next_step_on,
    COALESCE(o.amount_minor, 0) = 0 AS no_amount, {corporate} AS corporate_minor
  FROM pipeline_opportunity o
  WHERE o.organization_id = %(organization)s AND o.outcome IS NULL AND o.deleted_at IS NULL AND {owners}),
answers AS MATERIALIZED (
  SELECT a.opportunity_id, bool_or(a.kind = '{snooze}') AS is_snoozed,
    COALESCE(array_agg(k.key) FILTER (WHERE k.key IS NOT NULL), '{{}}') AS keys
  FROM deals d JOIN pipeline_dealanswer a ON a.organization_id = %(organization)s AND a.opportunity_id = d.id
    AND a.holds_until > %(today)s
  LEFT JOIN LATERAL jsonb_array_elements_text(a.reasons) AS k(key)
    ON a.kind <> '{snooze}' AND (a."on" = %(today)s OR NOT k.key = ANY(%(due)s))
  WHERE (a.kind <> '{snooze}' OR a.person_id = ANY(%(watchers)s::uuid[])) AND NOT {changed}
  GROUP BY a.opportunity_id),
health AS MATERIALIZED (
  SELECT opportunity_id, failed FROM pipeline_health
  WHERE organization_id = %(organization)s AND opportunity_id = ANY(ARRAY(SELECT id FROM deals))),
risk AS MATERIALIZED (
  SELECT opportunity_id, close_date, p_won, p_slip FROM pipeline_risk
  WHERE organization_id = %(organization)s AND opportunity_id = ANY(ARRAY(SELECT id FROM deals))),
standing AS MATERIALIZED (
  SELECT d.id, d.close_date, d.corporate_minor, a.keys AS answered,
    CASE WHEN r.close_date = d.close_date THEN round(r.p_won * 10000)::bigint END AS chance_bp,
    array_remove(ARRAY[
      CASE WHEN d.close_date < %(today)s THEN 'close_date_passed' WHEN d.close_date IS NULL THEN 'no_close_date' END,
      CASE WHEN NOT d.has_step THEN 'no_next_step' WHEN d.next_step_on IS NULL THEN 'next_step_undated'
        WHEN d.next_step_on <= %(today)s THEN 'next_step_due' END,
      CASE WHEN d.no_amount THEN 'no_amount' END,
      CASE WHEN d.close_date <= %(today)s + {near} AND r.close_date = d.close_date AND r.p_slip >= {slip}
        THEN 'likely_slip' END], NULL)
    || ARRAY(SELECT f."check" FROM jsonb_to_recordset(h.failed) AS f("check" text)
      WHERE f."check" = ANY(%(checks)s)
      AND (f."check" <> 'close_date_implausible' OR d.close_date IS NOT NULL)) AS keys
  FROM deals d
  LEFT JOIN health h ON h.opportunity_id = d.id
  LEFT JOIN risk r ON r.opportunity_id = d.id
  LEFT JOIN answers a ON a.opportunity_id = d.id
  WHERE a.is_snoozed IS NOT TRUE),
asked AS MATERIALIZED (
  SELECT id, close_date, corporate_minor, chance_bp, CASE WHEN answered IS NULL THEN keys
    ELSE ARRAY(SELECT k FROM unnest(keys) AS k WHERE NOT k = ANY(answered)) END AS keys
  FROM standing WHERE keys <> '{{}}'),
ranked AS MATERIALIZED (SELECT q.*, {urgency} AS urgency FROM asked q WHERE q.keys <> '{{}}')
SELECT id, keys, urgency, COALESCE(corporate_minor, 0)::numeric * COALESCE(chance_bp, {assumed}) * urgency AS worth,
  count(*) OVER (), COALESCE(sum(corporate_minor) OVER (), 0)::bigint,
  COALESCE(sum(corporate_minor) FILTER (WHERE close_date < %(period_end)s) OVER (), 0)::bigint,
  count(*) FILTER (WHERE 'close_date_passed' = ANY(keys)) OVER (),
  count(*) FILTER (WHERE 'next_step_due' = ANY(keys)) OVER ()
FROM ranked ORDER BY worth DESC, urgency DESC, close_date, id LIMIT %(limit)s
"""

# Who answered is not asked again because of what they did themselves; a task of ours is nobody.
CHANGED = """(EXISTS (SELECT FROM pipeline_opportunityversion v WHERE v.organization_id = %(organization)s
    AND v.opportunity_id = a.opportunity_id AND v.known_to = '{forever}' AND v.valid_from > a.at
    AND v.channel <> 'task' AND v.actor_id IS DISTINCT FROM a.person_id)
  OR EXISTS (SELECT FROM pipeline_activity c WHERE c.organization_id = %(organization)s
    AND c.opportunity_id = a.opportunity_id AND c.at > a.at AND c.person_id IS DISTINCT FROM a.person_id))"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A deal of the queue: why it is asked about, the most urgent first, and what its place is by."""

    deal_id: UUID
    reasons: tuple[str, ...]
    urgency: int
    worth: int


@dataclass(frozen=True, slots=True)
class Queue:
    """The first deals of a queue, and counts and corporate sums over all of it.

    `period_minor` closes by the end of the question's period.
    """

    asked: tuple[Asked, ...] = ()
    count: int = 0
    total_minor: int = 0
    period_minor: int = 0
    passed_count: int = 0
    due_count: int = 0


ORDER = {reason.key: place for place, reason in enumerate(REASONS)}


def queue_of(question: Question, *, owners: Owners, watchers: Collection[UUID], limit: int) -> Queue:
    """The scope's deals that need a decision, in the order of their worth. One query."""
    condition, values = owners.condition("o.owner_id")
    sql = QUEUE.format(
        corporate=corporate_minor_sql("o"),
        owners=condition.replace("%s", "%(owners)s"),
        changed=CHANGED.format(forever=FOREVER.isoformat()),
        snooze=SNOOZE,
        near=NEAR_DAYS,
        slip=LIKELY_SLIP,
        urgency=URGENCY,
        assumed=ASSUMED_CHANCE_BP,
    )
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "known": question.known,
        "corporate": question.currency,
        "owners": values[0] if values else None,
        "today": question.day,
        "period_end": question.period.end,
        "checks": list(FROM_HEALTH),
        "due": sorted(DUE),
        "watchers": sorted(str(person_id) for person_id in watchers),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    if not rows:
        return Queue()
    asked = tuple(
        Asked(row[0], tuple(sorted(row[1], key=ORDER.__getitem__)), row[2], int(row[3])) for row in rows
    )
    return Queue(asked, *rows[0][4:])


# Health's own sight of one deal, and when the buyer was last in contact, asked at once.
KNOWN = f"""
SELECT p.push_count, p.stage_since, c.last_at FROM ({PATHS}) p
LEFT JOIN ({CONTACTS}) AS c(opportunity_id, last_at, contact_count, decides) USING (opportunity_id)
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What the card says of a deal's past: later moves of its close date, since when it is in its stage (None: it
    never changed it), and the latest activity.
    """

    push_count: int = 0
    stage_since: datetime | None = None
    last_contact: datetime | None = None


def known_of(deal_id: UUID, *, now: datetime) -> Known:
    """One query."""
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "ids": [str(deal_id)],
        "forever": FOREVER,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, parameters)
        row = cursor.fetchone()
    return Known(*row) if row else Known()


BESIDE = """
SELECT 'part' AS what, NULL::uuid, o.category, sum({corporate})::text, 0 AS place, '' AS name_folded
FROM pipeline_opportunity o
WHERE o.organization_id = %(organization)s AND o.deleted_at IS NULL AND (o.outcome IS NULL OR o.outcome = 'won')
  AND o.close_date >= %(first)s AND o.close_date < %(period_end)s AND {owners} GROUP BY o.category
UNION ALL SELECT 'reason', id, name, outcomes::text, position, name_folded FROM pipeline_closereason
WHERE organization_id = %(organization)s AND retired_at IS NULL
UNION ALL SELECT 'competitor', id, name, NULL, 0, name_folded FROM pipeline_competitor
WHERE organization_id = %(organization)s
UNION ALL SELECT 'person', id, name, NULL, 0, name_folded FROM otc_person
WHERE organization_id = %(organization)s AND id = ANY(%(people)s::uuid[])
ORDER BY place, name_folded
"""


@dataclass(frozen=True, slots=True)
class Beside:
    """What the page shows and offers beside the queue: corporate sums of the period by category (closed: won), reasons
    with their outcomes, competitors, and the people that were asked for.
    """

    parts: Mapping[str | None, int]
    reasons: tuple[tuple[UUID, str, frozenset[str]], ...]
    competitors: tuple[tuple[UUID, str], ...]
    people: dict[UUID, Person]


def beside_of(question: Question, *, owners: Owners, people: Collection[UUID]) -> Beside:
    """One query: each alone would be a round trip. Of `people` it has id and names only."""
    condition, values = owners.condition("o.owner_id")
    condition, corporate = condition.replace("%s", "%(owners)s"), corporate_minor_sql("o")
    if splits_count() and owners.person_ids is not None:
        corporate = parts_of_sql(corporate, "o", people="owners")
        condition = (
            f"((o.split_people IS NULL AND {condition}) OR "
            "(o.split_people IS NOT NULL AND o.split_people && %(owners)s::uuid[]))"
        )
    sql = BESIDE.format(corporate=corporate, owners=condition)
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "known": question.known,
        "corporate": question.currency,
        "owners": values[0] if values else None,
        "first": question.period.first,
        "period_end": question.period.end,
        "people": [str(person_id) for person_id in people],
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    return Beside(
        {row[2]: int(row[3] or 0) for row in rows if row[0] == "part"},
        tuple((row[1], row[2], frozenset(json.loads(row[3]))) for row in rows if row[0] == "reason"),
        tuple((row[1], row[2]) for row in rows if row[0] == "competitor"),
        {row[1]: Person(id=row[1], name=row[2], name_folded=row[5]) for row in rows if row[0] == "person"},
    )


def reasons_now(deal: Opportunity, *, today: date) -> tuple[str, ...]:
    """Why one deal would be asked about, answered or not. Two queries."""
    failed = Health.objects.filter(opportunity_id=deal.id).values_list("failed", flat=True).first()
    slip = Risk.objects.filter(opportunity_id=deal.id, close_date=deal.close_date).values_list(
        "p_slip", flat=True
    )
    return reasons_of(
        Standing(
            today=today,
            close_date=deal.close_date,
            next_step=deal.next_step,
            next_step_on=deal.next_step_on,
            amount_minor=deal.amount_minor,
            p_slip=slip.first(),
            failed=frozenset(check["check"] for check in failed or ()),
        )
    )


def answered_on(day: date, *, watchers: Collection[UUID], limit: int) -> Sequence[DealAnswer]:
    """What these people answered on the organization's day, the latest first, with the deals' names. One query."""
    found = DealAnswer.objects.filter(person_id__in=sorted(watchers), on=day)
    return list(found.select_related("opportunity", "person").order_by("-at")[:limit])
