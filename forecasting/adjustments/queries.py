"""Which adjustments counted at an instant, and which step came last in a cell?"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from forecasting.adjustments.models import AdjustmentStep, StepKind
from otc.tenancy.context import once_per_snapshot

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
    steps = AdjustmentStep.objects.filter(period=period_key, type_id=type_id, made_at__lte=as_of)
    return list(steps.order_by(*PLACE, "-made_at", "-id").distinct(*PLACE))
