"""What the health checks look at, for many deals in a constant number of queries: from versions, as of now."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast

from otc.tenancy.context import current_organization_id
from otc.tenancy.models import FOREVER
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.process.models import Milestone, Stage
from pipeline.risk.queries import rows_over_all_deals

# The path of each deal: its pushes (every later move of the close date), when it entered its stage, the highest amount
# in its present currency, and the furthest stage of its present process.
PATHS = """
WITH steps AS (
  SELECT v.opportunity_id, v.valid_from, v.stage_id, v.close_date, v.amount_minor, v.currency, v.process_id,
    s.position, lag(v.close_date) OVER w AS close_date_before, lag(v.stage_id) OVER w AS stage_before,
    row_number() OVER w AS number
  FROM pipeline_opportunityversion v
  LEFT JOIN pipeline_stage s ON s.organization_id = v.organization_id AND s.id = v.stage_id AND s.retired_at IS NULL
  WHERE v.organization_id = %(organization)s AND v.opportunity_id = ANY(%(ids)s::uuid[])
    AND v.known_to = %(forever)s AND v.valid_from <= %(now)s
  WINDOW w AS (PARTITION BY v.opportunity_id ORDER BY v.valid_from))
SELECT t.opportunity_id,
  count(*) FILTER (WHERE t.close_date > t.close_date_before) AS push_count,
  max(t.valid_from) FILTER (WHERE t.close_date > t.close_date_before) AS last_push_at,
  max(t.valid_from) FILTER (WHERE t.number > 1 AND t.stage_id IS DISTINCT FROM t.stage_before) AS stage_since,
  max(t.amount_minor) FILTER (WHERE t.currency = o.currency) AS highest_amount_minor,
  (array_agg(t.stage_id ORDER BY t.position DESC)
    FILTER (WHERE t.process_id = o.process_id AND t.position IS NOT NULL))[1] AS furthest_stage_id
FROM steps t JOIN pipeline_opportunity o ON o.organization_id = %(organization)s AND o.id = t.opportunity_id
GROUP BY t.opportunity_id
"""

# Who of the buyer's side is known: people in contact, and people with a part in the deal.
CONTACTS = """
SELECT opportunity_id, max(at), count(DISTINCT contact_id), bool_or(decides) FROM (
  SELECT opportunity_id, at, contact_id, false AS decides FROM pipeline_activity
  WHERE organization_id = %(organization)s AND opportunity_id = ANY(%(ids)s::uuid[]) AND at <= %(now)s
  UNION ALL
  SELECT opportunity_id, NULL, contact_id, role = 'decision_maker' FROM pipeline_buyingrole
  WHERE organization_id = %(organization)s AND opportunity_id = ANY(%(ids)s::uuid[])
    AND valid_from <= %(now)s AND valid_to > %(now)s) AS known
GROUP BY opportunity_id
"""

# How long the organization's own won deals needed, per stage: days in it, the longest silence in it (of deals that
# have activities at all), and days from entering it to the end.
WON_DEALS = """
WITH stays AS (
  SELECT v.opportunity_id, v.stage_id, o.closed_at, min(v.valid_from) AS entered,
    max(least(v.valid_to, o.closed_at)) AS left_at, sum(least(v.valid_to, o.closed_at) - v.valid_from) AS stayed
  FROM pipeline_opportunity o
  JOIN pipeline_opportunityversion v ON v.organization_id = o.organization_id AND v.opportunity_id = o.id
  WHERE o.organization_id = %(organization)s AND o.outcome = 'won' AND o.deleted_at IS NULL
    AND v.known_to = %(forever)s AND v.outcome IS NULL AND v.stage_id IS NOT NULL AND v.valid_from < o.closed_at
    AND v.provenance <> 'reconstructed'
  GROUP BY v.opportunity_id, v.stage_id, o.closed_at),
moments AS (
  SELECT opportunity_id, stage_id, unnest(ARRAY[entered, left_at]) AS at FROM stays
  UNION ALL
  SELECT s.opportunity_id, s.stage_id, a.at FROM stays s JOIN pipeline_activity a
    ON a.organization_id = %(organization)s AND a.opportunity_id = s.opportunity_id
    AND a.at BETWEEN s.entered AND s.left_at),
silences AS (
  SELECT opportunity_id, stage_id, max(quiet) AS quiet FROM (
    SELECT opportunity_id, stage_id, at - lag(at) OVER (PARTITION BY opportunity_id, stage_id ORDER BY at) AS quiet
    FROM moments) AS m
  WHERE EXISTS (SELECT FROM pipeline_activity a
    WHERE a.organization_id = %(organization)s AND a.opportunity_id = m.opportunity_id)
  GROUP BY opportunity_id, stage_id)
SELECT s.stage_id, count(*),
  percentile_cont(0.8) WITHIN GROUP (ORDER BY extract(epoch FROM s.stayed)::float8 / 86400),
  percentile_cont(0.8) WITHIN GROUP (ORDER BY extract(epoch FROM q.quiet)::float8 / 86400),
  percentile_cont(0.2) WITHIN GROUP (ORDER BY extract(epoch FROM s.closed_at - s.entered)::float8 / 86400)
FROM stays s LEFT JOIN silences q USING (opportunity_id, stage_id)
GROUP BY s.stage_id
"""


@dataclass(frozen=True, slots=True)
class Path:
    """What versions say of a deal. `stage_since` is None for a deal that never changed stage."""

    push_count: int = 0
    last_push_at: datetime | None = None
    stage_since: datetime | None = None
    highest_amount_minor: int | None = None
    furthest_stage_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Contacts:
    """What activities and buying roles say of a deal: the latest activity, and how many of the buyer's people
    are known by either.
    """

    last_at: datetime | None = None
    contact_count: int = 0
    has_decision_maker: bool = False


@dataclass(frozen=True, slots=True)
class WonDeals:
    """Days that won deals needed in one stage, as percentiles; None where nothing is known."""

    won_deals: int
    stage_days_p80: float | None
    silence_days_p80: float | None
    days_to_close_p20: float | None


def open_deal_ids(*, after: str | None, until: str | None = None, limit: int) -> list[str]:
    """The next ids of open deals as texts, in order, before `until`."""
    found = Opportunity.objects.filter(outcome__isnull=True, deleted_at__isnull=True)
    if after is not None:
        found = found.filter(id__gt=after)
    if until is not None:
        found = found.filter(id__lt=until)
    texts = found.annotate(text=Cast("id", TextField())).order_by("id")
    return list(texts.values_list("text", flat=True)[:limit])


def open_deal_id_at(place: int) -> str | None:
    """The id of the open deal that has `place` others before it."""
    found = Opportunity.objects.filter(outcome__isnull=True, deleted_at__isnull=True).order_by("id")
    ids = list(found.values_list("id", flat=True)[place : place + 1])
    return str(ids[0]) if ids else None


def open_deal_count(*, first: UUID | None = None) -> int:
    """How many deals are open, from the id `first` on."""
    found = Opportunity.objects.filter(outcome__isnull=True, deleted_at__isnull=True)
    count: int = (found.filter(id__gte=first) if first is not None else found).count()
    return count


def paths(opportunity_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, Path]:
    """The path of each deal up to `now`."""
    return {row[0]: Path(*row[1:]) for row in _rows(PATHS, opportunity_ids, now=now)}


def contacts(opportunity_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, Contacts]:
    """Who is known of each deal that has activities or buying roles up to `now`."""
    return {row[0]: Contacts(*row[1:]) for row in _rows(CONTACTS, opportunity_ids, now=now)}


def settled_milestones(opportunity_ids: Sequence[UUID]) -> dict[UUID, set[UUID]]:
    """The milestones of each deal that were met or waived."""
    settled: dict[UUID, set[UUID]] = defaultdict(set)
    marks = OpportunityMilestone.objects.filter(opportunity_id__in=list(opportunity_ids))
    for opportunity_id, milestone_id in marks.values_list("opportunity_id", "milestone_id"):
        settled[opportunity_id].add(milestone_id)
    return settled


def required_milestones() -> dict[UUID, list[Milestone]]:
    """The organization's required milestones by process, in the order of stages."""
    found: dict[UUID, list[Milestone]] = defaultdict(list)
    required = Milestone.objects.filter(
        is_required=True, retired_at__isnull=True, stage__retired_at__isnull=True
    ).select_related("stage")
    for milestone in required.order_by("stage__position", "position"):
        found[milestone.stage.process_id].append(milestone)
    return found


def stage_places() -> dict[UUID, tuple[UUID, int, str, bool]]:
    """Process, position, name, and whether it still stands, of every stage of the organization."""
    rows = Stage.objects.values_list("id", "process_id", "position", "name", "retired_at")
    return {row[0]: (row[1], row[2], row[3], row[4] is None) for row in rows}


def won_deals_by_stage() -> dict[UUID, WonDeals]:
    """What the organization's own won deals needed in each stage that any of them was in."""
    parameters: dict[str, Any] = {"organization": str(current_organization_id()), "forever": FOREVER}
    return {row[0]: WonDeals(*row[1:]) for row in rows_over_all_deals(WON_DEALS, parameters)}


def _rows(sql: str, opportunity_ids: Sequence[UUID], *, now: datetime) -> list[tuple[Any, ...]]:
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "ids": [str(opportunity_id) for opportunity_id in opportunity_ids],
        "forever": FOREVER,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
