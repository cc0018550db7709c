"""Calls as the grid shows them: the latest, what it gained since a day, and whether it came late. One query."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, IntegerField, Value, When

from forecasting.calls.models import Call
from forecasting.rhythm.rules import WEEK
from otc.money.queries import shown_minor
from otc.question import Question


@dataclass(frozen=True, slots=True)
class Said:
    """A call in the currency shown; `change_minor` since the earlier day, 0 for whoever hadn't called then. Late is who
    called after the latest deadline, and not in the week before it.
    """

    call: Call
    amount_minor: int | None
    change_minor: int
    is_late: bool


def calls_said(
    question: Question, *, column: str, since: datetime, due: datetime | None, type_id: UUID | None = None
) -> dict[UUID, Said]:
    """By person the latest call of the period up to the question's instant; `due`: the latest deadline that passed."""
    marks = sorted({mark for mark in (since, due) if mark is not None and mark < question.as_of})
    said = latest_of_each(question, column=column, marks=marks, type_id=type_id)
    latest = {person_id: max(calls, key=_at) for person_id, calls in said.items()}
    earlier = {
        person_id: max(before, key=_at)
        for person_id, calls in said.items()
        if (before := [call for call in calls if call.submitted_at <= since])
    }
    shown, was = _shown(latest, question), _shown(earlier, question)
    return {
        person_id: Said(
            call,
            shown.get(person_id),
            shown[person_id] - was[person_id] if person_id in shown and person_id in was else 0,
            due is not None and is_late([one.submitted_at for one in said[person_id]], due=due),
        )
        for person_id, call in latest.items()
    }


def is_late(submitted: Iterable[datetime], *, due: datetime) -> bool:
    """`submitted` holds the latest call up to `due` and the latest one after it, where there are such."""
    instants = list(submitted)
    in_time = any(due - WEEK < at <= due for at in instants)
    return not in_time and any(due < at for at in instants)


def latest_of_each(
    question: Question, *, column: str, marks: list[datetime], type_id: UUID | None = None
) -> dict[UUID, list[Call]]:
    """By person the latest call up to each mark and the latest of all, a call once."""
    spans = Case(
        *(When(submitted_at__lte=mark, then=Value(place)) for place, mark in enumerate(marks)),
        default=Value(len(marks)),
        output_field=IntegerField(),
    )
    calls = Call.objects.filter(
        period=question.period.key, column=column, type_id=type_id, submitted_at__lte=question.as_of
    ).annotate(span=spans)
    found: dict[UUID, list[Call]] = {}
    for call in calls.order_by("person_id", "span", "-submitted_at").distinct("person_id", "span"):
        found.setdefault(call.person_id, []).append(call)
    return found


def _at(call: Call) -> datetime:
    return call.submitted_at


def _shown(calls: Mapping[UUID, Call], question: Question) -> dict[UUID, int]:
    return shown_minor(
        {person_id: call.amount_minor for person_id, call in calls.items()},
        own=question.organization.currency,
        currency=question.currency,
        day=question.period.last,
        known=question.known,
    )
