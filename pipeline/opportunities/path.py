"""The stages of a deal's process, which of them it went through, and where it stands with their milestones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from otc.question import Question
from pipeline.links.rules import host_of
from pipeline.opportunities.models import MarkState
from pipeline.opportunities.timeline import days_by_stage, stages_entered
from pipeline.process.document import Document
from pipeline.process.models import Milestone, Side, Stage
from pipeline.process.rules import due_on


@dataclass(frozen=True)
class PathMilestone:
    """`due_on` is empty while its stage lies ahead; `mark` has who met or waived it, when, and the evidence."""

    id: UUID
    name: str
    is_required: bool
    is_buyers: bool
    due_days: int
    due_on: date | None
    mark: MarkState | None
    today: date

    @property
    def state(self) -> str:
        return state_of(self.mark)

    @property
    def days_late(self) -> int:
        """Days past its day; 0 where it is settled, not due yet, or lies ahead."""
        is_waiting = self.mark is None and self.due_on is not None
        return max(0, (self.today - self.due_on).days) if is_waiting and self.due_on else 0

    @property
    def anchor(self) -> str:
        """Its place on the deal's page."""
        return f"milestones-{self.id}"

    @property
    def marked_at(self) -> datetime | None:
        return (self.mark.met_at or self.mark.waived_at) if self.mark else None

    @property
    def marked_by(self) -> str:
        """One of ours, or the recipient of a close plan; empty where an import brought it."""
        if self.mark is None:
            return ""
        return self.mark.ticked_by or (self.mark.marked_by.name if self.mark.marked_by else "")

    @property
    def host(self) -> str:
        return host_of(self.mark.url) if self.mark else ""


@dataclass(frozen=True)
class PathStage:
    """A node of the path. `days` were spent there; `expected_days` is what the process plans."""

    id: UUID
    name: str
    objective: str
    state: str
    days: int | None
    expected_days: int
    milestones: tuple[PathMilestone, ...]
    guidance: str = ""
    aids: tuple[Mapping[str, Any], ...] = ()

    @property
    def settled_count(self) -> int:
        return sum(one.mark is not None for one in self.milestones)

    @property
    def late_count(self) -> int:
        return sum(one.days_late > 0 for one in self.milestones)


def state_of(mark: MarkState | None) -> str:
    return "open" if mark is None else "met" if mark.met_at else "waived"


def path_of(
    question: Question,
    state: Any,
    marks: Sequence[MarkState],
    versions: Sequence[Any],
    *,
    document: Document | None,
) -> tuple[PathStage, ...]:
    """The stages of the deal's process in order, each with its milestones. Two queries.

    `document` is the process as it stood then, where a past instant is shown; else the path of now.
    """
    days = days_by_stage(versions, until=question.as_of)
    standing = Q() if question.is_past else Q(retired_at__isnull=True) | Q(id=state.stage_id)
    stages = list(Stage.objects.filter(standing, process_id=state.process_id).order_by("position"))
    here = next((stage.position for stage in stages if stage.id == state.stage_id), 0)
    entered = stages_entered(versions)
    milestones: dict[UUID, list[PathMilestone]] = {}
    asked = Milestone.objects.filter(stage__process_id=state.process_id, retired_at__isnull=True)
    since = {stage.id: entered.get(stage.id) for stage in stages if stage.position <= here}
    tell = _Milestones(marks, since, zone=question.zone, today=question.day)
    for one in asked.order_by("position"):
        told = tell.milestone(
            one.id, one.stage_id, one.name, one.is_required, one.side, due_days=one.due_days
        )
        milestones.setdefault(one.stage_id, []).append(told)
    path = tuple(
        PathStage(
            stage.id,
            stage.name,
            stage.objective,
            _place(stage.position, here, outcome=state.outcome),
            days.get(stage.id),
            stage.expected_days,
            tuple(milestones.get(stage.id, [])),
            stage.guidance,
            _aids(stage, state),
        )
        for stage in stages
    )
    return path if document is None else _path_then(document, path, state, tell)


class _Milestones:
    """Where the deal stands with a milestone: its mark, and the day that counts from entering its stage."""

    def __init__(
        self,
        marks: Sequence[MarkState],
        since: Mapping[UUID, datetime | None],
        *,
        zone: ZoneInfo,
        today: date,
    ) -> None:
        self.mark_of = {mark.milestone_id: mark for mark in marks}
        self.since, self.zone, self.today = since, zone, today

    def milestone(
        self, id: UUID, stage_id: UUID, name: str, is_required: bool, side: str, *, due_days: int
    ) -> PathMilestone:
        return PathMilestone(
            id,
            name,
            is_required,
            side == Side.BUYER,
            due_days,
            due_on(self.since.get(stage_id), due_days, zone=self.zone),
            self.mark_of.get(id),
            self.today,
        )


def _path_then(
    document: Document, path: tuple[PathStage, ...], state: Any, tell: _Milestones
) -> tuple[PathStage, ...]:
    """The stages and milestones of then, by their names of then."""
    known = {str(stage.id): stage for stage in path}
    kept = tuple(
        replace(
            known[entry["id"]],
            name=entry["name"],
            objective=entry["objective"],
            guidance=entry["guidance"],
            expected_days=entry["expected_days"],
            milestones=tuple(
                tell.milestone(
                    UUID(one["id"]),
                    UUID(entry["id"]),
                    one["name"],
                    one["is_required"],
                    one["side"],
                    due_days=one["due_days"],
                )
                for one in entry["milestones"]
            ),
        )
        for entry in document["stages"]
        if entry["id"] in known
    )
    # A deal of then stands in a stage that the versions don't have where an import brought it: the path of now.
    return kept if any(stage.id == state.stage_id for stage in kept) or state.stage_id is None else path


def stages_at_hand(path: Sequence[PathStage]) -> tuple[PathStage, ...]:
    """The stage that the deal is in and the one after it; none for a deal that is closed or in no stage."""
    here = next((number for number, stage in enumerate(path) if stage.state == "now"), None)
    return () if here is None else tuple(path[here : here + 2])


def _aids(stage: Stage, state: Any) -> tuple[Mapping[str, Any], ...]:
    """What helps in the stage whoever competes, or against the deal's competitor."""
    return tuple(
        {**aid, "role_words": aid["role"].replace("_", " ")}
        for aid in stage.aids
        if aid["competitor_id"] in (None, str(state.competitor_id))
    )


def _place(position: int, here: int, *, outcome: str | None) -> str:
    if outcome == "won" or position < here:
        return "done"
    return "now" if position == here and outcome is None else "ahead"
