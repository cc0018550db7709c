"""The only writers of pay plans. A plan is never changed: the next one of the same day counts instead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from forecasting.pay.models import Cycle, PayPlan
from forecasting.pay.queries import latest_plan
from forecasting.pay.rules import Tier, tiers_fault
from otc.audit.services import audit_append
from otc.tenancy.lines import lock_lines
from otc.tenancy.models import Person, Role
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.opportunities.rules import Refused

UNDO = "pay_plan"
TICK = timedelta(microseconds=1)
PAID_ROLES = tuple(role for role in Role if role != Role.INTEGRATION)


@dataclass(frozen=True)
class Wanted:
    """A plan as somebody asks for it: of a person or of a role."""

    starts_on: date
    cycle: str
    tiers: tuple[Tier, ...]
    reason: str
    person_id: UUID | None = None
    role: str = ""


@dataclass(frozen=True)
class PlanWritten:
    """The plan that was made, and the step that Undo takes back."""

    plan: PayPlan
    undo_id: UUID | None


def pay_plan_set(wanted: Wanted, *, author: Person, now: datetime) -> PlanWritten:
    """A plan for a person or a role, for the periods that begin on its day or later. Raises Refused."""
    _check(wanted)
    return _append(
        _place(wanted.person_id, wanted.role, wanted.starts_on),
        cycle=wanted.cycle,
        tiers=[[tier.from_bp, tier.rate_bp] for tier in wanted.tiers],
        reason=wanted.reason.strip()[:500],
        author=author,
        now=now,
    )


def pay_plan_withdraw(plan: PayPlan, *, author: Person, reason: str, now: datetime) -> PlanWritten:
    """As if there were no plan of its day; what stood before it pays again. Raises Refused."""
    if not reason.strip():
        raise Refused("reason", "Say why the plan is withdrawn")
    found = latest_plan(person_id=plan.person_id, role=plan.role, starts_on=plan.starts_on)
    if found is None or found.id != plan.id or found.is_withdrawn:
        raise Refused("plan", "Somebody has changed this plan since; look at it again")
    return _append(
        _place(plan.person_id, plan.role, plan.starts_on),
        cycle=plan.cycle,
        tiers=plan.tiers,
        reason=reason.strip()[:500],
        author=author,
        now=now,
        is_withdrawn=True,
    )


def _check(wanted: Wanted) -> None:
    if (wanted.person_id is None) == (wanted.role == ""):
        raise Refused("person_id", "A plan is for a person or for a role")
    if wanted.role and wanted.role not in PAID_ROLES:
        raise Refused("role", f"Nobody is paid as “{wanted.role[:20]}”")
    if wanted.person_id is not None and not Person.objects.filter(id=wanted.person_id).exists():
        raise Refused("person_id", "There is no such person")
    if wanted.cycle not in Cycle.values:
        raise Refused("cycle", f"A plan pays by {', '.join(Cycle.values)}")
    if not wanted.reason.strip():
        raise Refused("reason", "Say why: it stays with the plan")
    fault = tiers_fault(wanted.tiers)
    if fault:
        raise Refused("tiers", fault)


def _place(person_id: UUID | None, role: str, starts_on: date) -> dict[str, Any]:
    return {"person_id": person_id, "role": role, "starts_on": starts_on}


def _append(
    place: Mapping[str, Any],
    *,
    cycle: str,
    tiers: Sequence[Sequence[int]],
    reason: str,
    author: Person | None,
    now: datetime,
    is_withdrawn: bool = False,
) -> PlanWritten:
    lock_lines()
    before = latest_plan(**place)
    plan = PayPlan(
        **place,
        cycle=cycle,
        tiers=tiers,
        reason=reason,
        is_withdrawn=is_withdrawn,
        made_by=author,
        made_at=now if before is None else max(now, before.made_at + TICK),
    )
    plan.save(force_insert=True)
    said = f"Pay plan of {whose(plan)} from {plan.starts_on}{' withdrawn' if is_withdrawn else ''}"
    audit_append(
        "pay_plan.withdrawn" if is_withdrawn else "pay_plan.set",
        subject_kind="pay_plan",
        subject_id=plan.id,
        summary=said,
        detail={
            "before": None if before is None or before.is_withdrawn else before.tiers,
            "after": None if is_withdrawn else plan.tiers,
            "cycle": cycle,
        },
    )
    payload = {"plan": str(plan.id), "before": str(before.id) if before else None}
    return PlanWritten(plan, undo_offer(UNDO, said=said, payload=payload))


def whose(plan: PayPlan) -> str:
    """The person's name, or the role's in words."""
    return plan.person.name if plan.person is not None else str(Role(plan.role).label)


@undoes(UNDO, action="manage_pay")
def put_plan_back(payload: Mapping[str, Any]) -> str:
    """What stood before is said once more, unless somebody has said something else since."""
    plan = PayPlan.objects.select_related("person", "made_by").get(id=payload["plan"])
    place = _place(plan.person_id, plan.role, plan.starts_on)
    last = latest_plan(**place)
    if last is None or last.id != plan.id:
        raise CantUndo("Somebody has changed this plan since")
    before = PayPlan.objects.filter(id=payload["before"]).first() if payload["before"] else None
    stands = before or plan
    _append(
        place,
        cycle=stands.cycle,
        tiers=stands.tiers,
        reason="Undone" if before is None else before.reason,
        author=plan.made_by,
        now=timezone.now(),
        is_withdrawn=before is None or before.is_withdrawn,
    )
    return f"The pay plan of {whose(plan)} is as it was"
