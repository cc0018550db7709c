"""One account's plan as it is shown, and the touches that are due to somebody."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from pipeline.plans.models import AccountPlan, PlannedTouch, PlanPerson

SHOWN = 20


@dataclass(frozen=True)
class PlanReport:
    """Open touches by day, done ones behind them."""

    goals: str
    people: tuple[PlanPerson, ...]
    touches: tuple[PlannedTouch, ...]
    changed_at: Any = None

    @property
    def is_empty(self) -> bool:
        return not (self.goals or self.people or self.touches)


def plan_report(account_id: UUID) -> PlanReport:
    """Three queries."""
    plan = AccountPlan.objects.filter(account_id=account_id).first()
    people = PlanPerson.objects.filter(account_id=account_id).select_related("contact").order_by("id")
    touches = PlannedTouch.objects.filter(account_id=account_id).select_related("owner")
    ordered = sorted(touches, key=lambda touch: (touch.done_at is not None, touch.on, touch.id))
    return PlanReport(
        plan.goals if plan else "", tuple(people), tuple(ordered), plan.changed_at if plan else None
    )


def touches_due(person_id: UUID, *, today: date) -> list[PlannedTouch]:
    """What a person planned up to today and hasn't done, the longest overdue first. One query."""
    found = PlannedTouch.objects.filter(owner_id=person_id, done_at__isnull=True, on__lte=today)
    return list(found.select_related("account").order_by("on", "id")[:SHOWN])
