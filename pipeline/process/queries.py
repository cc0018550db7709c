"""The organization's processes with their stages and milestones, and its closing reasons."""

from dataclasses import dataclass

from pipeline.process.models import CloseReason, Milestone, Process, Stage


@dataclass(frozen=True)
class StageOutline:
    stage: Stage
    milestones: list[Milestone]


@dataclass(frozen=True)
class ProcessOutline:
    """A process from its first stage to its last."""

    process: Process
    stages: list[StageOutline]


def process_outlines() -> list[ProcessOutline]:
    """Every process, the default one first; three queries."""
    milestones_of: dict[object, list[Milestone]] = {}
    for milestone in Milestone.objects.order_by("position", "id"):
        milestones_of.setdefault(milestone.stage_id, []).append(milestone)
    stages_of: dict[object, list[StageOutline]] = {}
    for stage in Stage.objects.order_by("position", "id"):
        outline = StageOutline(stage, milestones_of.get(stage.id, []))
        stages_of.setdefault(stage.process_id, []).append(outline)
    processes = Process.objects.order_by("-is_default", "name", "id")
    return [ProcessOutline(process, stages_of.get(process.id, [])) for process in processes]


def close_reasons() -> list[CloseReason]:
    """What a closing may be booked under, in the organization's order."""
    return list(CloseReason.objects.order_by("position", "name_folded", "id"))
