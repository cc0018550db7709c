"""The life of an upload: mapped, checked, applied, cancelled, brought in again, forgotten. Its only writer."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile

from otc.audit.services import audit_append
from otc.imports.models import RUNNING, ImportRow, ImportRun, ImportState, SavedMapping
from otc.imports.names_shown import shown_name
from otc.imports.presets import header_signature
from otc.imports.profile import file_profile, line_count
from otc.imports.reader import ImportFileError
from otc.imports.uploads import delete_stored, delete_strays, store_upload, stored_path
from otc.jobs.services import enqueue
from otc.tenancy.context import current_context

RUN_JOB = "import_run"
# How long uploaded files and refused rows are kept.
FILES_KEPT, ROWS_KEPT = timedelta(days=7), timedelta(days=30)
STRAYS_KEPT = timedelta(days=1)


class NotNow(RuntimeError):
    """The run can't do this as it stands; the message may be shown to a person."""


def run_upload(upload: UploadedFile) -> tuple[ImportRun, tuple[str, ...]]:
    """Keep an uploaded file; returns its run, without a kind yet, and its header. Raises ImportFileError, and then
    nothing is kept.
    """
    context = current_context()
    name = shown_name(upload.name or "")
    stored_as = store_upload(context.organization_id, upload)
    path = stored_path(context.organization_id, stored_as)
    try:
        profile = file_profile(path, name=name)
        if not profile.sampled:
            raise ImportFileError(f"{name} names columns and has no rows: there is nothing to bring in")
    except Exception:
        path.unlink(missing_ok=True)
        raise
    run = ImportRun(
        file_name=name,
        person_id=context.person_id,
        state=ImportState.UPLOADED,
        stored_as=stored_as,
        size_bytes=path.stat().st_size,
        row_estimate=line_count(path),
        encoding=profile.encoding.label,
        signature=header_signature(profile.header),
    )
    run.save(force_insert=True)
    return run, profile.header


def run_map(
    run_id: UUID, *, kind: str, mapping: Mapping[str, Any], creates_missing: bool, system: str | None = None
) -> ImportRun:
    """Keep what a file is and how its columns are meant. Raises NotNow while it is being read."""
    run = _idle(run_id)
    run.kind, run.mapping, run.creates_missing = kind, dict(mapping), creates_missing
    if system is not None:
        run.system = system
    if run.state != ImportState.APPLIED:
        run.state, run.error = ImportState.UPLOADED, ""
    run.save()
    return run


def mapping_remember(run: ImportRun, *, now: datetime) -> None:
    """The next file with this header starts with this run's mapping."""
    SavedMapping.objects.update_or_create(
        organization_id=run.organization_id,
        signature=run.signature,
        defaults={
            "kind": run.kind,
            "system": run.system,
            "mapping": run.mapping,
            "creates_missing": run.creates_missing,
            "person_id": current_context().person_id,
            "used_at": now,
        },
    )


def run_start(run_id: UUID, *, is_dry_run: bool, now: datetime) -> ImportRun:
    """Ask for the check or the import of a mapped file. Raises NotNow."""
    run = _idle(run_id)
    if not run.stored_as:
        raise NotNow("The file was deleted; upload it again")
    if not run.kind:
        raise NotNow("Say first what the file holds")
    if run.state == ImportState.APPLIED:
        raise NotNow("This file is applied; bring it in again instead")
    mapping_remember(run, now=now)
    run.state = ImportState.CHECKING if is_dry_run else ImportState.APPLYING
    run.is_dry_run, run.person_id = is_dry_run, current_context().person_id
    run.phase, run.progress_count, run.is_cancel_asked, run.error = "", 0, False, ""
    run.save()
    enqueue(RUN_JOB, subject=run.id)
    return run


def run_cancel(run_id: UUID) -> ImportRun:
    """Ask a running import to stop: nothing of its file is applied. Raises NotNow when it isn't running."""
    run: ImportRun = ImportRun.objects.select_for_update().get(id=run_id)
    if run.state not in RUNNING:
        raise NotNow("It isn't running any more")
    run.is_cancel_asked = True
    if not run.phase:
        run.state = ImportState.CANCELLED
    run.save()
    audit_append("import.cancelled", subject_kind="import", subject_id=run.id, summary=run.file_name)
    return run


def run_again(run_id: UUID, *, kind: str | None = None) -> ImportRun:
    """A new run of the same file. Raises NotNow when the file is gone."""
    old: ImportRun = ImportRun.objects.get(id=run_id)
    if not old.stored_as:
        raise NotNow("The file was deleted; upload it again")
    run = ImportRun(
        kind=old.kind if kind is None else kind,
        file_name=old.file_name,
        person_id=current_context().person_id,
        state=ImportState.UPLOADED,
        stored_as=old.stored_as,
        size_bytes=old.size_bytes,
        row_estimate=old.row_estimate,
        encoding=old.encoding,
        system=old.system,
        signature=old.signature,
        mapping=old.mapping if kind is None else {},
        creates_missing=old.creates_missing,
    )
    run.save(force_insert=True)
    return run


def run_forget(run_id: UUID) -> ImportRun:
    """Delete the uploaded file and the refused rows now. Raises NotNow while it is being read."""
    run = _idle(run_id)
    _forget_file(run)
    ImportRow.objects.filter(run_id=run.id).delete()
    if run.state == ImportState.UPLOADED:
        run.state = ImportState.CANCELLED
    run.differences = []
    run.save()
    audit_append("import.forgotten", subject_kind="import", subject_id=run.id, summary=run.file_name)
    return run


def forget_old(*, now: datetime) -> int:
    """Delete files and refused rows that are older than they are kept; returns how many files."""
    organization_id = current_context().organization_id
    old = ImportRun.objects.exclude(stored_as="").filter(started_at__lt=now - FILES_KEPT)
    gone = 0
    for run in old.exclude(state__in=RUNNING):
        _forget_file(run)
        run.save(update_fields=["stored_as"])
        gone += 1
    ImportRow.objects.filter(run__started_at__lt=now - ROWS_KEPT).delete()
    ImportRun.objects.filter(started_at__lt=now - ROWS_KEPT).exclude(differences=[]).update(differences=[])
    known = set(ImportRun.objects.exclude(stored_as="").values_list("stored_as", flat=True))
    delete_strays(organization_id, known=known, older_than_seconds=STRAYS_KEPT.total_seconds())
    return gone


def _forget_file(run: ImportRun) -> None:
    """The file goes with the last run that has it."""
    if not ImportRun.objects.filter(stored_as=run.stored_as).exclude(id=run.id).exists():
        delete_stored(run.organization_id, run.stored_as)
    run.stored_as = ""


def _idle(run_id: UUID) -> ImportRun:
    run: ImportRun = ImportRun.objects.select_for_update().get(id=run_id)
    if run.state in RUNNING:
        raise NotNow("It is being read; cancel it first")
    return run
