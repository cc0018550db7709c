"""The only writers of judgements. A step is never changed: who thinks otherwise puts the next one on top."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from forecasting.adjustments.rules import Cell
from forecasting.judgements.models import DealJudgement, Verdict
from forecasting.judgements.queries import latest_judgement, parts_judged
from forecasting.judgements.rules import NewJudgement, check_judgement
from forecasting.locks.services import period_hold
from forecasting.rollup.rules import Tree
from otc.audit.services import audit_append
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import chart_at
from otc.tenancy.models import Organization, Person
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.opportunities.rules import Refused
from pipeline.process.columns import LABELS

UNDO = "judgement"
TICK = timedelta(microseconds=1)
SAYS = ("period", "column", "person_id", "opportunity_id", "author_id", "currency")
WORDS = {
    "in": "in the call",
    "out": "out of the call",
    "amount": "in at an own amount",
    "date": "closes on an own date",
    "withdrawn": "judgement withdrawn",
}


class SomebodyJudged(Refused):
    """Somebody was faster: `step` is theirs."""

    def __init__(self, step: DealJudgement | None) -> None:
        who = step.author.name if step is not None else "Somebody"
        super().__init__(
            "expected_step_id", f"{who} judged this deal since you read it; look at it and decide again"
        )
        self.step = step


@dataclass(frozen=True)
class JudgementMade:
    """The step that was made, and the one that Undo takes back."""

    step: DealJudgement
    undo_id: UUID | None


def judgement_set(
    organization: Organization,
    *,
    author: Person,
    cell: Cell,
    opportunity_id: UUID,
    verdict: str,
    reason: str,
    expected_step_id: UUID | None,
    now: datetime,
    today: date,
    amount_minor: int | None = None,
    close_date: date | None = None,
) -> JudgementMade:
    """Judge a direct report's part of an open deal; `expected_step_id` is the latest step as it was read.

    Raises SomebodyJudged where it is another by now, Refused for what can't be said.
    """
    wanted = NewJudgement(verdict, amount_minor, close_date, reason.strip()[:500])
    check_judgement(wanted, cell=cell, today=today)
    _check_manager(author, cell.person_id, now=now, today=today)
    _check_deal(organization, opportunity_id, cell.person_id, now=now)
    made_at = _place_hold(cell, opportunity_id, now=now, expected_step_id=expected_step_id)
    return _append(
        organization,
        author=author,
        cell=cell,
        opportunity_id=opportunity_id,
        wanted=wanted,
        made_at=made_at,
    )


def judgement_withdraw(
    organization: Organization,
    *,
    author: Person,
    cell: Cell,
    opportunity_id: UUID,
    expected_step_id: UUID,
    now: datetime,
    today: date,
    reason: str = "Withdrawn",
) -> JudgementMade:
    """As the manager take back whatever a manager said of the deal, one that ended too. Raises as above."""
    wanted = NewJudgement(Verdict.WITHDRAWN, None, None, reason.strip()[:500] or "Withdrawn")
    check_judgement(NewJudgement("out", None, None, wanted.reason), cell=cell, today=today)
    _check_manager(author, cell.person_id, now=now, today=today)
    made_at = _place_hold(cell, opportunity_id, now=now, expected_step_id=expected_step_id)
    found = _latest(cell, opportunity_id)
    if found is None or found.verdict == Verdict.WITHDRAWN:
        raise Refused("expected_step_id", "There is no judgement to withdraw here")
    return _append(
        organization,
        author=author,
        cell=cell,
        opportunity_id=opportunity_id,
        wanted=wanted,
        made_at=made_at,
    )


def _check_manager(author: Person, person_id: UUID, *, now: datetime, today: date) -> None:
    person = Person.objects.filter(id=person_id).first()
    if person is None:
        raise Refused("person_id", "There is no such person")
    if person.left_on is not None and person.left_on <= today:
        raise Refused("person_id", f"{person.name} has left; nobody judges their deals any more")
    chart = chart_at(now)
    adjuster = Tree(chart.manager_of, chart.vacant).adjuster_of(person_id)
    if adjuster != author.id:
        raise Refused("person_id", f"{person.name} is not your direct report; their manager judges the deals")


def _check_deal(organization: Organization, opportunity_id: UUID, person_id: UUID, *, now: datetime) -> None:
    parts = parts_judged([opportunity_id], as_of=now, known=now, corporate=organization.currency)
    part = parts.get((opportunity_id, person_id))
    if part is None or part.is_deleted:
        raise Refused("opportunity_id", "This person has no such deal")
    if part.outcome:
        raise Refused("opportunity_id", f"{part.name} is closed; there is nothing to judge any more")


def _place_hold(
    cell: Cell, opportunity_id: UUID, *, now: datetime, expected_step_id: UUID | None
) -> datetime:
    """Wait for whoever judges the deal here, see what they said, and return the instant for the next step."""
    now = period_hold(cell.period.key, now=now)
    _take(cell.period.key, cell.column, cell.person_id, opportunity_id)
    found = _latest(cell, opportunity_id)
    if (found.id if found else None) != expected_step_id:
        raise SomebodyJudged(found)
    return now if found is None else max(now, found.made_at + TICK)


def _take(*place: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"judgement {current_organization_id()} {' '.join(map(str, place))}"],
        )


def _latest(cell: Cell, opportunity_id: UUID) -> DealJudgement | None:
    return latest_judgement(
        cell.period.key, column=cell.column, person_id=cell.person_id, opportunity_id=opportunity_id
    )


def _append(
    organization: Organization,
    *,
    author: Person,
    cell: Cell,
    opportunity_id: UUID,
    wanted: NewJudgement,
    made_at: datetime,
) -> JudgementMade:
    before = _latest(cell, opportunity_id)
    step = DealJudgement(
        period=cell.period.key,
        column=cell.column,
        person_id=cell.person_id,
        opportunity_id=opportunity_id,
        author=author,
        verdict=wanted.verdict,
        amount_minor=wanted.amount_minor,
        currency=organization.currency,
        close_date=wanted.close_date,
        reason=wanted.reason,
        made_at=made_at,
    )
    step.save(force_insert=True)
    said = _note(step, label=cell.period.label)
    payload = {"step": str(step.id), "before": str(before.id) if before else None}
    return JudgementMade(step, undo_offer(UNDO, said=said, payload=payload))


def _note(step: DealJudgement, *, label: str) -> str:
    """The reason stays out of the log: it is free text."""
    said = f"{LABELS[step.column]} for {label}: {step.opportunity.name} {WORDS[step.verdict]}"
    audit_append(
        "judgement.withdrawn" if step.verdict == Verdict.WITHDRAWN else "judgement.set",
        subject_kind="judgement",
        subject_id=step.id,
        summary=said,
        detail={
            "person_id": step.person_id,
            "opportunity_id": step.opportunity_id,
            "period": step.period,
            "column": step.column,
            "verdict": step.verdict,
            "amount_minor": step.amount_minor,
            "currency": step.currency,
            "close_date": step.close_date,
        },
    )
    return said


@undoes(UNDO, action="adjust_forecast")
def put_judgement_back(payload: Mapping[str, Any]) -> str:
    """What stood before stands again, as a further step: nothing that was said is unsaid."""
    step = DealJudgement.objects.select_related("opportunity").filter(id=payload["step"]).first()
    if step is None:
        raise CantUndo("This judgement is gone")
    try:
        now = period_hold(step.period, now=timezone.now())
    except Refused as refusal:
        raise CantUndo(str(refusal)) from refusal
    _take(step.period, step.column, step.person_id, step.opportunity_id)
    latest = latest_judgement(
        step.period, column=step.column, person_id=step.person_id, opportunity_id=step.opportunity_id
    )
    if latest is None or latest.id != step.id:
        raise CantUndo("Somebody judged this deal since; judge it again instead")
    before = DealJudgement.objects.filter(id=payload["before"]).first() if payload["before"] else None
    again = DealJudgement(
        **{name: getattr(step, name) for name in SAYS},
        verdict=before.verdict if before else Verdict.WITHDRAWN,
        amount_minor=before.amount_minor if before else None,
        close_date=before.close_date if before else None,
        reason=before.reason if before else "Undone",
        made_at=max(now, step.made_at + TICK),
    )
    again.save(force_insert=True)
    _note(again, label=step.period)
    return f"{step.opportunity.name} is judged as it was before"
