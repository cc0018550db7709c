"""Changing a process: the whole new document at once, checked, written, kept as a version, and put back by Undo."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from otc.audit.services import audit_append
from otc.fields.queries import field_book
from otc.jobs.services import enqueue
from otc.tenancy.context import current_context
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.opportunities.models import Competitor
from pipeline.opportunities.restaging import deals_restage, deals_unstage, open_deals_in
from pipeline.process.document import Document, Unfit, changes_between, checked, removed_stages
from pipeline.process.models import Milestone, Process, ProcessVersion, Stage
from pipeline.process.versions import base_number, document_of, latest_version, version_append

KIND = "process_changed"
# Far above any stage's place: where stages wait, under their ids, while places and names are dealt out anew.
ASIDE = 1000


def process_checked(document: Any) -> Document:
    """The document cleaned, with only fields and competitors that are there. Raises Unfit."""
    return checked(
        document,
        custom_fields=[field.name for field in field_book("deal").active],
        competitors=[str(found) for found in Competitor.objects.values_list("id", flat=True)],
    )


def process_change(
    process_id: UUID, *, document: Any, base: int, moves: Mapping[str, str], now: datetime
) -> tuple[ProcessVersion, UUID | None]:
    """Make the process what `document` says; the version, and the step that Undo takes back.

    `base` is the number of the version that the edit began with: another's change in between is refused, never
    overwritten. `moves` says by id where the open deals of each removed stage go. Raises Unfit, and then nothing
    is written.
    """
    process = Process.objects.select_for_update().get(id=process_id)
    before = document_of(process)
    if base_number(process) != base:
        raise Unfit(
            "base", "Somebody changed this process since; look at it as it is now, then change it again"
        )
    latest = _latest_recorded(process, before, now=now)
    after = process_checked(document)
    if not changes_between(before, after):
        raise Unfit("stages", "Nothing is different; change something first")
    with transaction.atomic():
        version = _write(process, before=before, after=after, moves=moves, now=now)
    step = undo_offer(
        KIND,
        said=f"{process.name} changed",
        payload={
            "process_id": str(process.id),
            "back_to": str(latest.id),
            "made": str(version.id),
            "moves": dict(moves),
        },
    )
    return version, step


def _write(
    process: Process, *, before: Document, after: Document, moves: Mapping[str, str], now: datetime
) -> ProcessVersion:
    if Process.objects.filter(name=after["name"]).exclude(id=process.id).exists():
        raise Unfit("name", f"There is a process {after['name']} already; choose another name")
    gone = removed_stages(before, after)
    targets = _targets(gone, after, moves)
    Stage.objects.filter(id__in=[stage["id"] for stage in gone]).update(retired_at=now)
    for position, entry in enumerate(after["stages"], start=1):
        Stage.objects.filter(process=process, id=entry["id"]).update(
            position=ASIDE + position, name=entry["id"]
        )
    for position, entry in enumerate(after["stages"], start=1):
        _write_stage(process, entry, position=position, now=now)
    Process.objects.filter(id=process.id).update(name=after["name"], gates_winning=after["gates_winning"])
    process.name, process.gates_winning = after["name"], after["gates_winning"]
    for stage_id, target_id in targets.items():
        Stage.objects.filter(id=stage_id).update(moved_to_id=target_id)
        deals_restage(UUID(stage_id), to=UUID(target_id), now=now)
    said = changes_between(before, after)
    version = version_append(process, changes=said, now=now)
    # Health looks at stages and milestones: one job for all deals instead of one for each.
    enqueue("health_daily", key="process")
    audit_append(
        "process.changed",
        subject_kind="process",
        subject_id=process.id,
        summary=f"Changed the process “{process.name}”",
        detail={"version": version.number, "changes": said, "moves": targets},
    )
    return version


def _latest_recorded(process: Process, present: Document, *, now: datetime) -> ProcessVersion:
    """The latest version; what an import or an installation left unrecorded becomes one first."""
    latest = latest_version(process.id)
    if latest is not None and latest.document == present:
        return latest
    said = ["As it was set up"] if latest is None else changes_between(latest.document, present)
    return version_append(process, changes=said, now=now - timedelta(microseconds=1), is_anonymous=True)


def _targets(gone: list[Document], after: Document, moves: Mapping[str, str]) -> dict[str, str]:
    """Where the deals of each removed stage go. Raises Unfit where open deals would stand nowhere."""
    kept = {stage["id"]: stage["name"] for stage in after["stages"] if stage["id"]}
    found = {}
    for stage in gone:
        target = moves.get(stage["id"], "")
        if target in kept:
            found[stage["id"]] = target
        elif target or open_deals_in(UUID(stage["id"])):
            raise Unfit(
                f"to-{stage['id']}", f"Say where the open deals of {stage['name']} go: a stage that stays"
            )
    return found


def _write_stage(process: Process, entry: Document, *, position: int, now: datetime) -> None:
    fields = {name: value for name, value in entry.items() if name not in ("id", "milestones")}
    fields |= {"position": position, "retired_at": None, "moved_to_id": None}
    if entry["id"]:
        stage = Stage.objects.filter(id=entry["id"], process=process).first()
        if stage is None:
            raise Unfit("stages", f"{entry['name']} is a stage of another process; add it as a new one")
        Stage.objects.filter(id=stage.id).update(**fields)
    else:
        stage = Stage(process=process, **fields)
        stage.save()
    _write_milestones(stage, entry["milestones"], now=now)


def _write_milestones(stage: Stage, entries: list[Document], *, now: datetime) -> None:
    kept = [entry["id"] for entry in entries if entry["id"]]
    Milestone.objects.filter(stage=stage, retired_at__isnull=True).exclude(id__in=kept).update(retired_at=now)
    for position, milestone_id in enumerate(kept, start=1):
        Milestone.objects.filter(stage=stage, id=milestone_id).update(position=ASIDE + position)
    for position, entry in enumerate(entries, start=1):
        fields = {name: value for name, value in entry.items() if name != "id"} | {"position": position}
        if not entry["id"]:
            Milestone(stage=stage, **fields).save()
        elif not Milestone.objects.filter(stage=stage, id=entry["id"]).update(**fields, retired_at=None):
            raise Unfit("milestones", f"{entry['name']} is a milestone of another stage; add it as a new one")


@undoes(KIND, action="manage_process")
def put_process_back(payload: Mapping[str, Any]) -> str:
    """The version before; the deals that the change moved go back, those that were moved since stay."""
    now = timezone.now()
    process = Process.objects.select_for_update().get(id=payload["process_id"])
    latest = latest_version(process.id)
    made = ProcessVersion.objects.get(id=payload["made"])
    if latest is None or latest.id != made.id or latest.document != document_of(process):
        raise CantUndo(
            "Somebody changed this process since; its earlier versions are kept, change back to one"
        )
    before = document_of(process)
    after = ProcessVersion.objects.get(id=payload["back_to"]).document
    added = {stage["id"]: "" for stage in removed_stages(before, after)}
    moves = {stage_id: to for stage_id in added if (to := _first_kept(after))}
    try:
        with transaction.atomic():
            _write(process, before=before, after=process_checked(after), moves=moves, now=now)
            for gone, to in payload["moves"].items():
                deals_unstage(UUID(to), back_to=UUID(gone), since=made.made_at)
    except Unfit as problem:
        raise CantUndo(problem.reason) from problem
    return f"{process.name} is as it was before"


def _first_kept(document: Document) -> str:
    """Where deals go that entered a stage which Undo takes away again: to the first one."""
    return next((stage["id"] for stage in document["stages"] if stage["id"]), "")


def process_add(*, name: str, like: UUID | None, now: datetime) -> Process:
    """Another process: a copy of the one `like`, else one stage to begin with. Raises Unfit."""
    source = Process.objects.filter(id=like).first() if like else None
    document = document_of(source) if source else {"stages": [{"name": "Qualify", "category": "pipeline"}]}
    fresh = process_checked(_without_ids({**document, "name": name}))
    if Process.objects.filter(name=fresh["name"]).exists():
        raise Unfit("name", f"There is a process {fresh['name']} already; choose another name")
    process = Process(name=fresh["name"], gates_winning=fresh["gates_winning"])
    process.save()
    for position, entry in enumerate(fresh["stages"], start=1):
        _write_stage(process, entry, position=position, now=now)
    said = f"Added like {source.name}" if source else "Added"
    version_append(process, changes=[said], now=now)
    audit_append(
        "process.added",
        subject_kind="process",
        subject_id=process.id,
        summary=f"{said}: the process “{process.name}”",
    )
    return process


def _without_ids(document: Document) -> Document:
    stages = [
        {**stage, "id": None, "milestones": [{**one, "id": None} for one in stage.get("milestones", [])]}
        for stage in document["stages"]
    ]
    return {**document, "stages": stages}


def process_make_default(process_id: UUID) -> Process:
    """New deals begin here from now on."""
    process: Process = Process.objects.select_for_update().get(id=process_id)
    former = Process.objects.filter(is_default=True).exclude(id=process_id)
    former_names = list(former.values_list("name", flat=True))
    former.update(is_default=False)
    Process.objects.filter(id=process_id).update(is_default=True)
    process.is_default = True
    audit_append(
        "process.made_default",
        subject_kind="process",
        subject_id=process.id,
        summary=f"New deals begin in “{process.name}”",
        detail={"person_id": current_context().person_id, "former": former_names},
    )
    return process
