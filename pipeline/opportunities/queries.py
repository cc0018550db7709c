"""Which deals may be seen, found by id or listed, and what is known beside each of a page's deals."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BigIntegerField, Case, F, IntegerField, Value, When
from django.db.models.expressions import RawSQL

from otc.money.queries import corporate_minor_sql, positional
from otc.question import Question
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import EVERYONE, Owners
from otc.tenancy.reach import Reach
from pipeline.health.rules import CHECKS
from pipeline.history.queries import as_of_condition, versions_as_of
from pipeline.opportunities.models import Opportunity
from pipeline.parts.queries import has_part, parts_of_sql, splits_count
from pipeline.process.models import Category
from pipeline.team.queries import seen

RELATED = ("account", "owner", "stage", "process", "reason", "competitor", "product")
CHECK_TITLES = {check.key: check.title for check in CHECKS}
# Where a table or a card has no room for the whole title.
SHORT_TITLES = CHECK_TITLES | {
    "stalled": "Stalled",
    "pushed_often": "Pushed twice",
    "amount_fell": "Amount fell",
    "milestone_missing": "Milestone missing",
    "moved_backward": "Moved back",
    "close_date_implausible": "Date implausible",
    "commit_at_risk": "Commit at risk",
}
CATEGORY_RANK = {category: rank for rank, category in enumerate(Category.values)}


def visible_opportunities(visible: Reach) -> Any:
    """Deals that aren't deleted and that the viewer may see."""
    return Opportunity.objects.filter(seen(visible), deleted_at__isnull=True)


def visible_opportunity(
    opportunity_id: UUID, *, visible: Reach, related: Sequence[str] = RELATED
) -> Opportunity | None:
    """One deal with its names, or None: not there and not visible look the same.

    Who needs hardly any of the names asks for fewer `related` rows; the others come when they are looked at.
    """
    found = visible_opportunities(visible).filter(id=opportunity_id)
    deal: Opportunity | None = (found.select_related(*related) if related else found).first()
    return deal


def deals_of(question: Question) -> Any:
    """The deals of the question's scope, at its instant: live rows, or versions where that is past.

    Who may see a deal of the past follows its owner and team of today. Each row has `deal_id` and `corporate_minor`
    (NULL: no amount, or no rate): of a deal that is split, what the scope's people have of it. A split deal is of the
    scope by its owner, or by somebody's part.
    """
    is_split = splits_count()
    if question.is_past:
        rows = versions_as_of(question.as_of, known=question.known).filter(
            seen(question.visible, deal="opportunity_id", owner="opportunity__owner"),
            deleted_at__isnull=True,
            opportunity__deleted_at__isnull=True,
        )
        if question.scope != EVERYONE:
            scope = question.owners.matching("owner")
            rows = rows.filter(
                scope | has_part(question.owners, deal="opportunity_id") if is_split else scope
            )
        rows = rows.annotate(deal_id=F("opportunity_id"))
    elif is_split and question.scope != EVERYONE:
        scope = question.owners.matching("owner") | has_part(question.owners) & seen(question.visible)
        rows = Opportunity.objects.filter(scope, deleted_at__isnull=True).annotate(deal_id=F("id"))
    else:
        rows = visible_opportunities(question.reach).annotate(deal_id=F("id"))
    counted = counted_owners(question) if is_split else None
    return rows.annotate(
        corporate_minor=corporate_minor(rows.model._meta.db_table, question, counted=counted)
    )


def counted_owners(question: Question) -> Owners | None:
    """Whose parts a list's sums add up; None: every deal whole. What a seat alone opens is whole."""
    if question.owners.person_ids is None or (question.scope == EVERYONE and question.visible.seated):
        return None
    return question.owners


def corporate_minor(table: str, question: Question, *, counted: Owners | None = None) -> RawSQL:
    """The corporate amount of each row of `table` as an expression, or what `counted` have of it; NULL: no amount, or
    no rate.
    """
    values: dict[str, Any] = {"known": question.known, "corporate": question.currency}
    found = corporate_minor_sql(table)
    if counted is not None:
        found = parts_of_sql(found, table)
        values["people"] = [str(person_id) for person_id in sorted(counted.person_ids or ())]
    sql, names = positional(found)
    return RawSQL(sql, [values[name] for name in names], output_field=BigIntegerField())


def category_rank() -> Case:
    """Omitted first, closed last: the order in which a category is sorted."""
    cases = [When(category=category, then=Value(rank)) for category, rank in CATEGORY_RANK.items()]
    return Case(*cases, default=Value(None), output_field=IntegerField())


@dataclass(frozen=True)
class Facts:
    """What is known beside a deal: its health (0..100) and failed checks, its chances (0..1) by `scored_for`,
    the close date at that time, and how it stood.

    `stood` is None for a deal that wasn't there then.
    """

    health: int | None
    failed: tuple[dict[str, Any], ...]
    p_won: float | None
    p_slip: float | None
    scored_for: date | None
    stood: "Stood | None"


@dataclass(frozen=True)
class Stood:
    """The state of a deal at the compared instant."""

    amount_minor: int | None
    currency: str
    close_date: date | None
    category: str | None
    outcome: str | None
    stage_position: int | None
    stage_name: str | None


# At most one version stands at an instant. LIMIT says so: else a few deals with many versions make PostgreSQL read all.
FACTS = f"""
SELECT d.id, h.score, h.failed, r.p_won, r.p_slip, r.close_date, v.id IS NOT NULL,
       v.amount_minor, v.currency, v.close_date, v.category, v.outcome, s.position, s.name
FROM unnest(%(ids)s::uuid[]) AS d(id)
LEFT JOIN pipeline_health h ON h.organization_id = %(org)s AND h.opportunity_id = d.id
LEFT JOIN pipeline_risk r ON r.organization_id = %(org)s AND r.opportunity_id = d.id
LEFT JOIN LATERAL (SELECT * FROM pipeline_opportunityversion v
  WHERE v.organization_id = %(org)s AND v.opportunity_id = d.id
    AND {as_of_condition("v", instant="since", known="known")} AND v.deleted_at IS NULL LIMIT 1) v ON true
LEFT JOIN pipeline_stage s ON s.organization_id = %(org)s AND s.id = v.stage_id
"""


def facts_of(deal_ids: Sequence[UUID], *, since: datetime, known: datetime) -> dict[UUID, Facts]:
    """Health, chances and the state at `since` of each deal, in one query."""
    if not deal_ids:
        return {}
    parameters: dict[str, Any] = {
        "ids": [str(deal_id) for deal_id in deal_ids],
        "org": str(current_organization_id()),
        "since": since,
        "known": known,
    }
    with connection.cursor() as cursor:
        cursor.execute(FACTS, parameters)
        return {row[0]: _facts(row) for row in cursor.fetchall()}


def _facts(row: tuple[Any, ...]) -> Facts:
    failed = json.loads(row[2]) if isinstance(row[2], str) else (row[2] or [])
    named = [{**check, "title": SHORT_TITLES.get(check["check"], check["check"])} for check in failed]
    ordered = sorted(named, key=lambda check: -int(check.get("penalty", 0)))
    return Facts(row[1], tuple(ordered), row[3], row[4], row[5], Stood(*row[7:]) if row[6] else None)
