"""The only writers of processes, stages, milestones and reasons."""

import json
from pathlib import Path
from typing import Any

from otc.audit.services import audit_append
from otc.tenancy.services import fold
from pipeline.process.models import CloseReason, Milestone, Process, Stage

DEFAULT = Path(__file__).with_name("default.json")
NOT_GIVEN = "not given"


def process_install(content: dict[str, Any] | None = None) -> Process:
    """Write a process with its stages, milestones and reasons; by default the one of default.json.

    An organization that already has a default process keeps it.
    """
    existing = Process.objects.filter(is_default=True).first()
    if existing is not None:
        return existing
    data = content or json.loads(DEFAULT.read_text())
    process = Process(name=data["name"], is_default=True)
    process.save()
    for position, entry in enumerate(data["stages"], start=1):
        stage_add(process, position=position, entry=entry)
    for position, entry in enumerate(data["reasons"], start=1):
        reason_add(position=position, **entry)
    audit_append(
        "process.installed",
        subject_kind="process",
        subject_id=process.id,
        summary=f"Installed the process “{process.name}”",
        detail={"stages": [entry["name"] for entry in data["stages"]]},
    )
    return process


def stage_add(process: Process, *, position: int, entry: dict[str, Any]) -> Stage:
    """Add one stage of `default.json`'s form at `position` (1 is the first)."""
    milestones = entry.get("milestones", [])
    fields = {name: value for name, value in entry.items() if name != "milestones"}
    stage = Stage(process=process, position=position, **fields)
    stage.save()
    for place, milestone in enumerate(milestones, start=1):
        Milestone(stage=stage, position=place, **milestone).save()
    return stage


def reason_add(*, name: str, position: int = 100, feeds: str = "process", outcomes: list[str]) -> CloseReason:
    """Add a closing reason that may be chosen for `outcomes`."""
    reason = CloseReason(name=name, name_folded=fold(name), position=position, feeds=feeds, outcomes=outcomes)
    reason.save()
    return reason
