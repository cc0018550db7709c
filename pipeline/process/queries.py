"""The organization's processes with their stages and milestones, and its closing reasons."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.db.models import F

from otc.fields.queries import Book, field_book
from otc.fields.rules import PREFIX, Field
from otc.tenancy.context import current_organization_id
from pipeline.process.models import CloseReason, Milestone, Process, Stage
from pipeline.process.rules import BUILT_IN, Place, ProcessRules, StageMilestone, StageRules


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
    for milestone in Milestone.objects.filter(retired_at__isnull=True).order_by("position", "id"):
        milestones_of.setdefault(milestone.stage_id, []).append(milestone)
    stages_of: dict[object, list[StageOutline]] = {}
    for stage in Stage.objects.filter(retired_at__isnull=True).order_by("position", "id"):
        outline = StageOutline(stage, milestones_of.get(stage.id, []))
        stages_of.setdefault(stage.process_id, []).append(outline)
    processes = Process.objects.order_by("-is_default", "name", "id")
    return [ProcessOutline(process, stages_of.get(process.id, [])) for process in processes]


def close_reasons() -> list[CloseReason]:
    """Every closing reason in the organization's order, retired ones last."""
    in_use = F("retired_at").asc(nulls_first=True)
    return list(CloseReason.objects.order_by(in_use, "position", "name_folded", "id"))


def process_stages(process_id: UUID | None) -> list[Stage]:
    """The stages that the process has now, in order. One query."""
    return list(Stage.objects.filter(process_id=process_id, retired_at__isnull=True).order_by("position"))


def stage_after_retirement(stage: Stage | None) -> Stage | None:
    """The stage, or where its open deals went when it was taken out of its process."""
    seen = set()
    while stage is not None and stage.retired_at is not None and stage.id not in seen:
        seen.add(stage.id)
        stage = stage.moved_to
    return stage


STAGE_RULES = """
SELECT s.id, s.name, s.position, s.may_be_skipped, s.may_go_back, s.approval_above_minor, s.required_fields,
  p.gates_winning
FROM pipeline_stage s
JOIN pipeline_process p ON p.organization_id = s.organization_id AND p.id = s.process_id
WHERE s.organization_id = %s AND s.process_id = %s AND s.retired_at IS NULL ORDER BY s.position
"""


@dataclass(frozen=True)
class Rulebook:
    """A process's rules, with the custom fields that they ask for by name, and what every field is called."""

    rules: ProcessRules = field(default_factory=ProcessRules)
    fields: Mapping[str, Field] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        own = {name: label for name, _, label in BUILT_IN}
        return own | {name: found.label for name, found in self.fields.items()}


def process_rulebook(process_id: UUID | None, *, with_milestones: bool = True) -> Rulebook:
    """What the process asks for now. Two queries, one without milestones; one more where a stage asks for a custom
    field.

    A field that is retired or gone is asked of nobody. A process without stages asks for nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(STAGE_RULES, [current_organization_id(), process_id])
        rows = cursor.fetchall()
    required = {row[0]: json.loads(row[-2]) for row in rows}
    asked = {name for names in required.values() for name in names if name.startswith(PREFIX)}
    book = field_book("deal") if asked else Book()
    fields = {one.name: one for one in book.active if one.name in asked}
    known = {name for name, _, _ in BUILT_IN} | set(fields)
    stages = tuple(
        StageRules(
            stage_id,
            name,
            position,
            skip,
            back,
            above,
            tuple(one for one in required[stage_id] if one in known),
        )
        for stage_id, name, position, skip, back, above, _, _ in rows
    )
    milestones = _milestones(stages) if with_milestones else ()
    return Rulebook(ProcessRules(stages, milestones, any(row[-1] for row in rows)), fields)


def _milestones(stages: Sequence[StageRules]) -> tuple[StageMilestone, ...]:
    """In the order of the stages and of their own positions."""
    places = {stage.id: stage for stage in stages}
    found = Milestone.objects.filter(stage_id__in=list(places), retired_at__isnull=True)
    return tuple(
        StageMilestone(one.id, one.name, stage.position, stage.name, one.is_required)
        for one in sorted(found, key=lambda one: (places[one.stage_id].position, one.position))
        for stage in [places[one.stage_id]]
    )


def place_of(stage: Stage) -> Place:
    return Place(stage.id, stage.name, stage.position, stage.category)


def hold_process(process_id: UUID | None) -> None:
    """Let nobody change the process until this transaction ends: a stage isn't removed under a deal that enters it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pipeline_process WHERE organization_id = %s AND id = %s FOR SHARE",
            [str(current_organization_id()), str(process_id) if process_id else None],
        )
