"""The only writers of processes, stages, milestones and reasons."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from otc.audit.services import audit_append
from otc.tenancy.services import fold
from pipeline.process.models import CloseReason, Milestone, Process, Stage
from pipeline.process.versions import version_append

DEFAULT = Path(__file__).with_name("default.json")
NOT_GIVEN = "not given"


def default_content() -> dict[str, Any]:
    """What `process_install` writes by default, as default.json has it."""
    content: dict[str, Any] = json.loads(DEFAULT.read_text())
    return content


def process_install(content: dict[str, Any] | None = None) -> Process:
    """Write a process with its stages, milestones and reasons; by default the one of default.json.

    Everything in `content` may bear an `id`. An organization that already has a default process keeps it.
    """
    existing = Process.objects.filter(is_default=True).first()
    if existing is not None:
        return existing
    data = content or default_content()
    process = Process(name=data["name"], is_default=True, **_given_id(data))
    process.save()
    _write_stages(process, dict(enumerate(data["stages"], start=1)))
    CloseReason.objects.bulk_create(
        _reason(position=position, **entry) for position, entry in enumerate(data["reasons"], start=1)
    )
    version_append(process, changes=["As it was set up"], now=timezone.now())
    audit_append(
        "process.installed",
        subject_kind="process",
        subject_id=process.id,
        summary=f"Installed the process “{process.name}”",
        detail={
            "stages": [entry["name"] for entry in data["stages"]],
            "reasons": [entry["name"] for entry in data["reasons"]],
        },
    )
    return process


def stage_add(process: Process, *, position: int, entry: dict[str, Any]) -> Stage:
    """Add one stage of `default.json`'s form at `position` (1 is the first)."""
    (stage,) = _write_stages(process, {position: entry})
    audit_append(
        "stage.added",
        subject_kind="process",
        subject_id=process.id,
        summary=f"Added the stage “{stage.name}” to “{process.name}”",
        detail={
            "position": position,
            "category": stage.category,
            "milestones": [milestone["name"] for milestone in entry.get("milestones", [])],
        },
    )
    return stage


def reason_add(
    *,
    name: str,
    position: int = 100,
    feeds: str = "process",
    outcomes: list[str],
    id: UUID | None = None,
) -> CloseReason:
    """Add a closing reason that may be chosen for `outcomes`."""
    reason = _reason(name=name, position=position, feeds=feeds, outcomes=outcomes, id=id)
    reason.save()
    audit_append(
        "reason.added",
        subject_kind="reason",
        subject_id=reason.id,
        summary=f"Added the closing reason “{reason.name}”",
        detail={"outcomes": outcomes, "feeds": feeds},
    )
    return reason


def _write_stages(process: Process, entries: dict[int, dict[str, Any]]) -> list[Stage]:
    """The stages by their positions, each with its milestones. Two statements."""
    stages = [
        Stage(
            process=process,
            position=position,
            **{name: value for name, value in entry.items() if name != "milestones"},
        )
        for position, entry in entries.items()
    ]
    Stage.objects.bulk_create(stages)
    Milestone.objects.bulk_create(
        Milestone(stage=stage, position=place, **milestone)
        for stage, entry in zip(stages, entries.values(), strict=True)
        for place, milestone in enumerate(entry.get("milestones", []), start=1)
    )
    return stages


def _reason(
    *,
    name: str,
    outcomes: list[str],
    position: int = 100,
    feeds: str = "process",
    id: UUID | None = None,
) -> CloseReason:
    return CloseReason(
        name=name,
        name_folded=fold(name),
        position=position,
        feeds=feeds,
        outcomes=outcomes,
        **_given_id({"id": id}),
    )


def _given_id(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry's id where it bears one; else the database chooses."""
    return {"id": entry["id"]} if entry.get("id") else {}
