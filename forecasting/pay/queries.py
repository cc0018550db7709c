"""Which plan pays a person, and what was won before a deal: SQL over plans and versions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.pay.models import PayPlan
from forecasting.pay.rules import Tier
from forecasting.rollup.queries import owner_condition, owner_parameters
from otc.calendar.rules import Period
from otc.money.queries import corporate_minor_sql
from otc.question import Question
from otc.tenancy.lines import Named, Owners
from pipeline.history.queries import as_of_condition
from pipeline.parts.queries import parts_sql, share_sql, splits_count

PLACE = ("person_id", "role", "starts_on")


@dataclass(frozen=True)
class DealPart:
    """One person's part of a deal: corporate minor units, None without an amount or rate."""

    person_id: UUID | None
    amount_minor: int | None
    close_date: date | None
    is_won: bool


def plans_standing(known: datetime) -> list[PayPlan]:
    """The plans that count as known at an instant, the latest day first; withdrawn ones are left out."""
    found = PayPlan.objects.filter(made_at__lte=known).order_by(*PLACE, "-made_at", "-id").distinct(*PLACE)
    standing = [plan for plan in found.select_related("person") if not plan.is_withdrawn]
    return sorted(standing, key=lambda plan: (plan.starts_on, plan.made_at), reverse=True)


def plan_for(
    person: Named, *, day: date, plans: Iterable[PayPlan], period_at: Callable[[date, str], Period]
) -> PayPlan | None:
    """The plan that pays what the person wins on a day: their own before that of their role, the latest first."""
    begun = [plan for plan in plans if plan.starts_on <= period_at(day, plan.cycle).first]
    own = next((plan for plan in begun if plan.person_id == person.id), None)
    return own or next((plan for plan in begun if plan.role and plan.role == person.role), None)


def tiers_of(plan: PayPlan) -> list[Tier]:
    return [Tier(from_bp, rate_bp) for from_bp, rate_bp in plan.tiers]


def latest_plan(*, person_id: UUID | None, role: str, starts_on: date) -> PayPlan | None:
    """The last plan of a person, or role, and day; a withdrawn one too."""
    found: PayPlan | None = (
        PayPlan.objects.filter(person_id=person_id, role=role, starts_on=starts_on)
        .order_by("-made_at", "-id")
        .first()
    )
    return found


def _frame(question: Question) -> dict[str, Any]:
    return {
        "organization": str(question.organization.id),
        "corporate": question.organization.currency,
        "as_of": question.as_of,
        "known": question.known,
    }


def parts_of_deal(question: Question, deal_id: UUID) -> list[DealPart]:
    """Who has how much of an open or won deal, as of the question, in the organization's currency. One query."""
    is_split = splits_count()
    minor = share_sql(corporate_minor_sql("v"), "v", is_split=is_split)
    sql = f"""
        SELECT v.owner_id, {minor}, v.close_date, coalesce(v.outcome = 'won', false)
        FROM {parts_sql(is_split=is_split)} v
        WHERE v.organization_id = %(organization)s AND v.opportunity_id = %(deal)s AND v.deleted_at IS NULL
          AND (v.outcome IS NULL OR v.outcome = 'won')
          AND {as_of_condition("v", instant="as_of", known="known")}
        ORDER BY 2 DESC NULLS LAST, 1
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, _frame(question) | {"deal": str(deal_id)})
        return [DealPart(*row) for row in cursor.fetchall()]


def won_before(
    question: Question, *, period: Period, owners: Owners, close_date: date, deal_id: UUID, is_won: bool
) -> int:
    """What the owners won in the period beside a deal: of a won one what closed before it. One query.

    Won deals count in the order of their close dates, of the same day in that of their ids.
    """
    is_split = splits_count()
    minor = share_sql(corporate_minor_sql("v"), "v", is_split=is_split)
    sql = f"""
        SELECT coalesce(sum({minor}), 0)::bigint FROM {parts_sql(is_split=is_split)} v
        WHERE v.organization_id = %(organization)s AND v.close_date >= %(first)s AND v.close_date < %(end)s
          AND v.outcome = 'won' AND v.deleted_at IS NULL
          AND (NOT %(is_won)s OR (v.close_date, v.opportunity_id) < (%(day)s::date, %(deal)s::uuid))
          AND {as_of_condition("v", instant="as_of", known="known")} AND {owner_condition("v", prefix="pay")}
    """
    asked = {
        "first": period.first,
        "end": period.end,
        "day": close_date,
        "deal": str(deal_id),
        "is_won": is_won,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, _frame(question) | asked | owner_parameters(owners, prefix="pay"))
        found: int = cursor.fetchone()[0]
    return found
