"""Which adjustments counted at an instant, and which step came last in a cell?"""

from collections.abc import Collection, Hashable, Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, IntegerField, QuerySet, Value, When

from forecasting.adjustments.models import AdjustmentStep, StepKind
from otc.tenancy.context import kept_for_snapshot, once_per_snapshot

# What makes a place: the latest step in it counts.
PLACE = ("column", "person_id", "is_own")


def adjustments_at(
    period_key: str, *, as_of: datetime, day: date, type_id: UUID | None = None
) -> list[AdjustmentStep]:
    """The steps in force at `as_of`, the oldest first; `day` is the organization's day then. One query.

    A step that was withdrawn or has expired brings no earlier one back.
    """
    key = ("adjustments", period_key, as_of, type_id)
    return list(in_force(once_per_snapshot(key, lambda: _latest(period_key, as_of, type_id)), day=day))


def adjustments_keep(period_key: str, *, instants: Collection[datetime], type_id: UUID | None = None) -> None:
    """Read the steps of several instants of one page at once. One query."""

    def read() -> dict[Hashable, Any]:
        steps = AdjustmentStep.objects.filter(period=period_key, type_id=type_id)
        found = latest_by_instant(steps, place=PLACE, instants=instants)
        return {("adjustments", period_key, instant, type_id): rows for instant, rows in found.items()}

    kept_for_snapshot(read)


def latest_by_instant(
    steps: QuerySet[Any], *, place: Sequence[str], instants: Collection[datetime]
) -> dict[datetime, list[Any]]:
    """Of each place the latest step up to each of the instants. One query."""
    marks = sorted(set(instants))
    spans = Case(
        *(When(made_at__lte=mark, then=Value(number)) for number, mark in enumerate(marks)),
        output_field=IntegerField(),
    )
    by_span = steps.filter(made_at__lte=marks[-1]).annotate(span=spans)
    rows = list(by_span.order_by(*place, "span", "-made_at", "-id").distinct(*place, "span"))

    def latest(number: int) -> list[Any]:
        # They come by place and then by span: the last one up to the mark stays.
        return list(
            {tuple(getattr(row, name) for name in place): row for row in rows if row.span <= number}.values()
        )

    return {mark: latest(number) for number, mark in enumerate(marks)}


def in_force(steps: Iterable[AdjustmentStep], *, day: date) -> list[AdjustmentStep]:
    """Of the latest steps those that count on `day`, the oldest first."""
    found = [
        step
        for step in steps
        if step.kind != StepKind.WITHDRAWN and (step.expires_on is None or day <= step.expires_on)
    ]
    return sorted(found, key=lambda step: (step.made_at, step.id))


def latest_step(
    period_key: str, *, column: str, person_id: UUID, is_own: bool, type_id: UUID | None = None
) -> AdjustmentStep | None:
    """The last step of a cell and role, a withdrawn or expired one too."""
    steps = AdjustmentStep.objects.filter(
        period=period_key, type_id=type_id, column=column, person_id=person_id, is_own=is_own
    )
    found: AdjustmentStep | None = steps.select_related("author").order_by("-made_at", "-id").first()
    return found


def steps_of_cell(
    period_key: str, *, column: str, person_id: UUID, as_of: datetime, type_id: UUID | None = None
) -> list[AdjustmentStep]:
    """Everything that was said in a cell up to `as_of`, the latest first."""
    steps = AdjustmentStep.objects.filter(
        period=period_key, type_id=type_id, column=column, person_id=person_id, made_at__lte=as_of
    )
    return list(steps.select_related("author", "person").order_by("-made_at", "-id"))


def _latest(period_key: str, as_of: datetime, type_id: UUID | None) -> list[Any]:
    steps = AdjustmentStep.objects.filter(period=period_key, type_id=type_id)
    return latest_by_instant(steps, place=PLACE, instants=[as_of])[as_of]
