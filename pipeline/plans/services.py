"""The only writers of account plans. A plan is written whole, and undone whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from otc.audit.services import audit_append
from otc.tenancy.context import current_context
from otc.tenancy.models import Person
from otc.tenancy.names import clean_name
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.rules import Invalid
from pipeline.plans.models import AccountPlan, PlannedTouch, PlanPerson

MOST_PEOPLE, MOST_TOUCHES = 50, 100


@dataclass(frozen=True)
class Touch:
    """`id` of one that is there; None makes a new one."""

    text: str
    on: date
    id: UUID | None = None
    owner_id: UUID | None = None
    is_done: bool = False


@dataclass(frozen=True)
class Plan:
    """The plan as it is to be; people are (contact, why)."""

    goals: str = ""
    people: Sequence[tuple[UUID, str]] = ()
    touches: Sequence[Touch] = ()


def account_plan_set(account_id: UUID, plan: Plan, *, now: datetime) -> UUID | None:
    """Write the whole plan: what is left out is taken off. Returns the step that takes it back. Raises Invalid."""
    account: Account = Account.objects.select_for_update().get(id=account_id)
    _check(account_id, plan)
    before = plan_document(account_id)
    _write_goals(account_id, "\n".join(map(clean_name, plan.goals.strip().splitlines())), now=now)
    PlanPerson.objects.filter(account_id=account_id).delete()
    PlanPerson.objects.bulk_create(
        PlanPerson(account_id=account_id, contact_id=contact_id, why=why.strip()[:300])
        for contact_id, why in plan.people
    )
    _write_touches(account_id, plan.touches, now=now)
    after = plan_document(account_id)
    if after == before:
        return None
    audit_append(
        "account_plan.changed",
        subject_kind="account",
        subject_id=account_id,
        summary=f"Plan of “{account.name}” changed",
        detail={"people": len(plan.people), "touches": len(plan.touches)},
    )
    payload = {"id": str(account_id), "before": before, "after": after}
    return undo_offer("account_plan", said=f"Plan of {account.name}", payload=payload)


def touch_done(touch_id: UUID, *, now: datetime) -> UUID | None:
    """A touch was made. Returns the step that takes it back."""
    touch: PlannedTouch = PlannedTouch.objects.select_for_update().get(id=touch_id)
    before = plan_document(touch.account_id)
    PlannedTouch.objects.filter(id=touch_id, done_at__isnull=True).update(done_at=now)
    after = plan_document(touch.account_id)
    audit_append(
        "account_plan.touched",
        subject_kind="account",
        subject_id=touch.account_id,
        summary=f"Done: {touch.text}",
    )
    payload = {"id": str(touch.account_id), "before": before, "after": after}
    return undo_offer("account_plan", said=touch.text, payload=payload)


@undoes("account_plan", action="edit_account")
def put_plan_back(payload: Mapping[str, Any]) -> str:
    account = Account.objects.select_for_update().filter(id=payload["id"]).first()
    if account is None or plan_document(account.id) != payload["after"]:
        raise CantUndo("Somebody changed this plan since; change by hand what you want back")
    stood, now = payload["before"], timezone.now()
    _write_goals(account.id, stood["goals"], now=now)
    for model, rows in ((PlanPerson, stood["people"]), (PlannedTouch, stood["touches"])):
        model.objects.filter(account_id=account.id).delete()
        model.objects.bulk_create(model(account_id=account.id, **row) for row in rows)
    return f"The plan of {account.name} is as it was before"


def plan_document(account_id: UUID) -> dict[str, Any]:
    """The plan as JSON, with everything that putting it back needs. Three queries."""
    goals = AccountPlan.objects.filter(account_id=account_id).values_list("goals", flat=True).first()
    people = PlanPerson.objects.filter(account_id=account_id).order_by("id").values("id", "contact_id", "why")
    touches = PlannedTouch.objects.filter(account_id=account_id).order_by("id")
    columns = ("id", "text", "on", "owner_id", "done_at")
    return {
        "goals": goals or "",
        "people": [_plain(row) for row in people],
        "touches": [_plain(row) for row in touches.values(*columns)],
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat()
        if isinstance(value, date)
        else str(value)
        if isinstance(value, UUID)
        else value
        for name, value in row.items()
    }


def _check(account_id: UUID, plan: Plan) -> None:
    if len(plan.people) > MOST_PEOPLE or len(plan.touches) > MOST_TOUCHES:
        raise Invalid("plan", f"A plan has at most {MOST_PEOPLE} people and {MOST_TOUCHES} touches")
    contacts = [contact_id for contact_id, _ in plan.people]
    if len(set(contacts)) < len(contacts):
        raise Invalid("people", "Each person stands in the plan once")
    if Contact.objects.filter(account_id=account_id, id__in=contacts).count() < len(contacts):
        raise Invalid("people", "Choose people of this account; add them to it first")
    owners = {touch.owner_id for touch in plan.touches if touch.owner_id}
    if Person.objects.filter(id__in=owners).count() < len(owners):
        raise Invalid("touches", "There is no such person")
    if any(not touch.text.strip() for touch in plan.touches):
        raise Invalid("touches", "Say what is to be done")
    if len(plan.goals) > 4000:
        raise Invalid("goals", "The goals are longer than 4,000 characters")


def _write_goals(account_id: UUID, goals: str, *, now: datetime) -> None:
    changed = {"changed_by_id": current_context().person_id, "changed_at": now}
    found = AccountPlan.objects.filter(account_id=account_id)
    if not found.update(goals=goals, **changed):
        AccountPlan(account_id=account_id, goals=goals, **changed).save(force_insert=True)


def _write_touches(account_id: UUID, touches: Sequence[Touch], *, now: datetime) -> None:
    there = {
        touch.id: touch for touch in PlannedTouch.objects.select_for_update().filter(account_id=account_id)
    }
    for asked in touches:
        touch = there.pop(asked.id, None) if asked.id else None
        touch = touch or PlannedTouch(account_id=account_id)
        touch.text, touch.on = asked.text.strip()[:300], asked.on
        touch.owner_id = asked.owner_id or touch.owner_id or current_context().person_id
        touch.done_at = (touch.done_at or now) if asked.is_done else None
        touch.save()
    PlannedTouch.objects.filter(id__in=list(there)).delete()
