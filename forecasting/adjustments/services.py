"""The only writers of adjustments. A step is never changed: who thinks otherwise puts the next one on top."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from forecasting.adjustments.models import AdjustmentStep, StepKind
from forecasting.adjustments.queries import latest_step
from forecasting.adjustments.rules import Cell, NewStep, check_step
from forecasting.locks.services import all_seeing, period_hold
from forecasting.rollup.report import rollup_report
from forecasting.rollup.rules import Kind, Tree
from forecasting.types.models import ForecastType
from otc.audit.services import audit_append
from otc.money.rules import decimal_text
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import chart_at
from otc.tenancy.models import Organization, Person
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.opportunities.rules import Refused
from pipeline.process.columns import LABELS

UNDO = "adjustment"
TICK = timedelta(microseconds=1)


class SomebodyAdjusted(Refused):
    """Somebody was faster: `step` is theirs, or None where they took theirs back before anybody saw it."""

    def __init__(self, step: AdjustmentStep | None) -> None:
        who = step.author.name if step is not None else "Somebody"
        super().__init__(
            "expected_step_id", f"{who} adjusted this cell since you read it; look at it and decide again"
        )
        self.step = step


@dataclass(frozen=True)
class Adjusted:
    """The step that was made, and the one that Undo takes back."""

    step: AdjustmentStep
    undo_id: UUID | None


def adjustment_set(
    organization: Organization,
    *,
    author: Person,
    cell: Cell,
    kind: str,
    amount_minor: int,
    reason: str,
    expected_step_id: UUID | None,
    now: datetime,
    today: date,
    expires_on: date | None = None,
    base_minor: int | None = None,
) -> Adjusted:
    """Adjust a person's amount in a column, in corporate minor units: one's own, or that of a direct report.

    `expected_step_id` is the latest step of one's role in the cell as it was read, None for none; raises
    SomebodyAdjusted where it is another by now. `base_minor` is the amount below as it was read (None: as it is):
    where that moved in between, the step shows as stale at once. Raises Refused.
    """
    wanted = NewStep(kind, amount_minor, reason.strip()[:500], expires_on)
    check_step(wanted, cell=cell, today=today)
    is_own = _role(author, cell.person_id, now=now, today=today)
    made_at = _cell_hold(cell, is_own=is_own, now=now, expected_step_id=expected_step_id)
    if base_minor is None:
        base_minor = amount_below(organization, cell=cell, is_own=is_own, now=made_at)
    if kind == Kind.DELTA and base_minor + amount_minor < min(0, base_minor):
        raise Refused("amount_minor", "The amount would fall below zero; take less off")
    return _append(organization, author=author, cell=cell, wanted=wanted, base=base_minor, made_at=made_at)


def adjustment_withdraw(
    organization: Organization,
    *,
    author: Person,
    cell: Cell,
    expected_step_id: UUID,
    now: datetime,
    today: date,
    reason: str = "Withdrawn",
) -> Adjusted:
    """Take one's own adjustment of oneself back, or as the manager whatever a manager said. Raises as above."""
    check_step(NewStep(StepKind.WITHDRAWN, 0, reason, None), cell=cell, today=today)
    is_own = _role(author, cell.person_id, now=now, today=today)
    made_at = _cell_hold(cell, is_own=is_own, now=now, expected_step_id=expected_step_id)
    found = _latest(cell, is_own=is_own)
    if found is None or found.kind == StepKind.WITHDRAWN:
        raise Refused("expected_step_id", "There is no adjustment to withdraw here")
    wanted = NewStep(StepKind.WITHDRAWN, 0, reason.strip()[:500] or "Withdrawn", None)
    return _append(
        organization, author=author, cell=cell, wanted=wanted, base=found.base_minor, made_at=made_at
    )


def adjustment_keep(
    organization: Organization,
    *,
    author: Person,
    cell: Cell,
    expected_step_id: UUID,
    now: datetime,
    today: date,
) -> Adjusted:
    """Say of a stale adjustment that it still holds: the same step on the amount that is below now."""
    is_own = _role(author, cell.person_id, now=now, today=today)
    made_at = _cell_hold(cell, is_own=is_own, now=now, expected_step_id=expected_step_id)
    found = _latest(cell, is_own=is_own)
    if found is None or found.kind == StepKind.WITHDRAWN:
        raise Refused("expected_step_id", "There is no adjustment to keep here")
    wanted = NewStep(found.kind, found.amount_minor, found.reason, found.expires_on)
    check_step(wanted, cell=cell, today=today)
    base = amount_below(organization, cell=cell, is_own=is_own, now=made_at)
    return _append(organization, author=author, cell=cell, wanted=wanted, base=base, made_at=made_at)


def amount_below(organization: Organization, *, cell: Cell, is_own: bool, now: datetime) -> int:
    """What a new step of this role would stand on: the branch with the reports' adjustments, and for the manager with
    the person's own and the judgements of their deals.
    """
    report = rollup_report(
        organization,
        viewer=all_seeing(),
        period=cell.period,
        as_of=now,
        now=now,
        scope=str(cell.person_id),
        type_id=cell.type_id,
    )
    row = next((row for row in report.rows if row.person_id == cell.person_id), None)
    if row is None:
        return 0
    amounts = row.amounts[cell.column]
    if is_own:
        return amounts.with_reports_adjustments
    judged = [one for one in report.effects if one.deals and one.person_id == cell.person_id]
    return amounts.seen + sum(one.effect_minor for one in judged if one.column == cell.column)


def _role(author: Person, person_id: UUID, *, now: datetime, today: date) -> bool:
    """True for one's own adjustment, False for the manager's; raises Refused for anybody else's."""
    person = Person.objects.filter(id=person_id).first()
    if person is None:
        raise Refused("person_id", "There is no such person")
    if person.left_on is not None and person.left_on <= today:
        raise Refused("person_id", f"{person.name} has left; nobody adjusts for them any more")
    if person_id == author.id:
        return True
    chart = chart_at(now)
    if Tree(chart.manager_of, chart.vacant).adjuster_of(person_id) != author.id:
        raise Refused(
            "person_id", f"{person.name} is not your direct report; their manager adjusts, or they do"
        )
    return False


def _cell_hold(cell: Cell, *, is_own: bool, now: datetime, expected_step_id: UUID | None) -> datetime:
    """Wait for whoever writes in this cell, see what they said, and return the instant for the next step."""
    if cell.type_id and not ForecastType.objects.filter(id=cell.type_id, retired_at=None).exists():
        raise Refused("type", "There is no such forecast type, or it is retired")
    now = period_hold(cell.period.key, now=now, type_id=cell.type_id)
    _take(cell.period.key, cell.type_id, cell.column, cell.person_id, is_own)
    found = _latest(cell, is_own=is_own)
    if (found.id if found else None) != expected_step_id:
        raise SomebodyAdjusted(found)
    return now if found is None else max(now, found.made_at + TICK)


def _take(*place: Any) -> None:
    """Two who write in one cell and role wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"adjustment {current_organization_id()} {' '.join(map(str, place))}"],
        )


def _latest(cell: Cell, *, is_own: bool) -> AdjustmentStep | None:
    return latest_step(
        cell.period.key, column=cell.column, person_id=cell.person_id, is_own=is_own, type_id=cell.type_id
    )


def _append(
    organization: Organization,
    *,
    author: Person,
    cell: Cell,
    wanted: NewStep,
    base: int,
    made_at: datetime,
) -> Adjusted:
    step = AdjustmentStep(
        period=cell.period.key,
        type_id=cell.type_id,
        column=cell.column,
        person_id=cell.person_id,
        author=author,
        is_own=author.id == cell.person_id,
        kind=wanted.kind,
        amount_minor=wanted.amount_minor,
        currency=organization.currency,
        reason=wanted.reason,
        expires_on=wanted.expires_on,
        base_minor=base,
        made_at=made_at,
    )
    before = _latest(cell, is_own=step.is_own)
    step.save(force_insert=True)
    said = _note(step, label=cell.period.label)
    payload = {"step": str(step.id), "before": str(before.id) if before else None}
    return Adjusted(step, undo_offer(UNDO, said=said, payload=payload))


def _note(step: AdjustmentStep, *, label: str) -> str:
    """The reason stays out of the log: it is free text."""
    whose = Person.objects.values_list("name", flat=True).get(id=step.person_id)
    amount = f"{decimal_text(step.amount_minor, currency=step.currency)} {step.currency}"
    what = {"absolute": f"set to {amount}", "delta": f"changed by {amount}", "withdrawn": "withdrawn"}
    said = f"{LABELS[step.column]} of {whose} for {label}: {what[step.kind]}"
    audit_append(
        "adjustment.withdrawn" if step.kind == StepKind.WITHDRAWN else "adjustment.set",
        subject_kind="adjustment",
        subject_id=step.id,
        summary=said,
        detail={
            "person_id": step.person_id,
            "period": step.period,
            "type_id": step.type_id,
            "column": step.column,
            "kind": step.kind,
            "amount_minor": step.amount_minor,
            "base_minor": step.base_minor,
            "currency": step.currency,
        },
    )
    return said


@undoes(UNDO, action="adjust_forecast")
def put_adjustment_back(payload: Mapping[str, Any]) -> str:
    """What stood before stands again, as a further step: nothing that was said is unsaid."""
    step = AdjustmentStep.objects.select_related("person").filter(id=payload["step"]).first()
    if step is None:
        raise CantUndo("This adjustment is gone")
    try:
        now = period_hold(step.period, now=timezone.now(), type_id=step.type_id)
    except Refused as refusal:
        raise CantUndo(str(refusal)) from refusal
    _take(step.period, step.type_id, step.column, step.person_id, step.is_own)
    latest = latest_step(
        step.period, column=step.column, person_id=step.person_id, is_own=step.is_own, type_id=step.type_id
    )
    if latest is None or latest.id != step.id:
        raise CantUndo("Somebody adjusted this cell since; adjust it again instead")
    before = AdjustmentStep.objects.filter(id=payload["before"]).first() if payload["before"] else None
    again = AdjustmentStep(
        **{name: getattr(step, name) for name in ("period", "type_id", "column", "person_id", "author_id")},
        is_own=step.is_own,
        kind=before.kind if before else StepKind.WITHDRAWN,
        amount_minor=before.amount_minor if before else 0,
        currency=step.currency,
        reason=before.reason if before else "Undone",
        expires_on=before.expires_on if before else None,
        base_minor=before.base_minor if before else step.base_minor,
        made_at=max(now, step.made_at + TICK),
    )
    again.save(force_insert=True)
    _note(again, label=step.period)
    return f"The adjustment of {step.person.name} is as it was before"
