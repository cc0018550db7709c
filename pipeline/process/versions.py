"""What did a process look like, who changed it when? Its document now, and the versions that are kept of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from otc.tenancy.context import current_context
from pipeline.process.document import Document
from pipeline.process.models import Milestone, Process, ProcessVersion, Stage

STAGE_MEMBERS = (
    "name",
    "objective",
    "guidance",
    "category",
    "win_percent",
    "expected_days",
    "may_be_skipped",
    "may_go_back",
    "approval_above_minor",
    "required_fields",
    "aids",
)
MILESTONE_MEMBERS = ("name", "side", "is_required", "due_days")


def document_of(process: Process) -> Document:
    """The process as it stands. Two queries."""
    milestones: dict[UUID, list[Document]] = {}
    standing = Milestone.objects.filter(stage__process=process, retired_at__isnull=True)
    for one in standing.order_by("position", "id"):
        entry = {"id": str(one.id)} | {name: getattr(one, name) for name in MILESTONE_MEMBERS}
        milestones.setdefault(one.stage_id, []).append(entry)
    stages = Stage.objects.filter(process=process, retired_at__isnull=True).order_by("position")
    return {
        "name": process.name,
        "gates_winning": process.gates_winning,
        "stages": [
            {"id": str(stage.id)}
            | {name: getattr(stage, name) for name in STAGE_MEMBERS}
            | {"milestones": milestones.get(stage.id, [])}
            for stage in stages
        ],
    }


def latest_version(process_id: UUID) -> ProcessVersion | None:
    found: ProcessVersion | None = (
        ProcessVersion.objects.filter(process_id=process_id).order_by("-number").first()
    )
    return found


def base_number(process: Process) -> int:
    """What an edit that begins now has to name: the latest version's number, 0 where what stands isn't recorded."""
    latest = latest_version(process.id)
    return latest.number if latest is not None and latest.document == document_of(process) else 0


def versions_of(process_id: UUID) -> list[ProcessVersion]:
    """The latest first."""
    found = ProcessVersion.objects.filter(process_id=process_id).select_related("person")
    return list(found.order_by("-number"))


def version_append(
    process: Process, *, changes: list[str], now: datetime, is_anonymous: bool = False
) -> ProcessVersion:
    """Keep the process as it stands. The only writer of versions; the database lets nobody change one."""
    latest = latest_version(process.id)
    version = ProcessVersion(
        process=process,
        number=latest.number + 1 if latest else 1,
        document=document_of(process),
        changes=changes,
        person_id=None if is_anonymous else current_context().person_id,
        made_at=now,
    )
    version.save(force_insert=True)
    return version


@dataclass(frozen=True)
class StageThen:
    """A stage as it was called and where it stood (1 is the first) at an instant."""

    name: str
    position: int


def documents_then(instant: datetime) -> dict[UUID, Document]:
    """Every process as it stood then, by id; before its first version, that one. One query, a row per version."""
    found: dict[UUID, Document] = {}
    for process_id, made_at, document in ProcessVersion.objects.order_by("process_id", "number").values_list(
        "process_id", "made_at", "document"
    ):
        if made_at <= instant or process_id not in found:
            found[process_id] = document
    return found


def stages_then(instant: datetime) -> dict[UUID, StageThen]:
    """Every stage of then, by id. One query."""
    return {
        UUID(stage["id"]): StageThen(stage["name"], position)
        for document in documents_then(instant).values()
        for position, stage in enumerate(document["stages"], start=1)
    }


def names_in(documents: Iterable[Document]) -> dict[str, str]:
    """What stages and milestones are called there, by id."""
    return {
        entry["id"]: entry["name"]
        for document in documents
        for stage in document["stages"]
        for entry in (stage, *stage["milestones"])
    }


def document_then(process_id: UUID | None, instant: datetime) -> Document | None:
    """The process as it stood at an instant, its first version before that; None where none is kept. One query."""
    versions = ProcessVersion.objects.filter(process_id=process_id)
    then = versions.filter(made_at__lte=instant).order_by("-number").first()
    found = then or versions.order_by("number").first()
    return found.document if found else None
