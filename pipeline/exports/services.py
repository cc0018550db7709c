"""Ask for a file of deals, cancel it, find it while it lasts, forget it."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings

from otc.embedded.places import private_folder
from otc.jobs.services import enqueue
from otc.tenancy.context import current_organization_id
from pipeline.exports.models import RUNNING, DealExport, ExportState

EXPORT_JOB = "deals_export"
KEPT = timedelta(hours=24)
FORGOTTEN = timedelta(days=30)
MOST_AT_ONCE = 3
LONGEST_QUERY = 8000


class ExportRefused(ValueError):
    """The file isn't made; the text says why and what to do."""


def export_ask(person_id: UUID, *, query: str, format: str) -> DealExport:
    """Ask for all deals that the list's address `query` shows. Raises ExportRefused."""
    if format not in ("csv", "xlsx"):
        raise ExportRefused("Choose CSV or XLSX")
    if len(query) > LONGEST_QUERY:
        raise ExportRefused("This address is too long; let go of a filter")
    if DealExport.objects.filter(person_id=person_id, state__in=RUNNING).count() >= MOST_AT_ONCE:
        raise ExportRefused(f"{MOST_AT_ONCE} of your files are being made; wait for one, or cancel it")
    export = DealExport(person_id=person_id, query=query, format=format)
    export.save(force_insert=True)
    enqueue(EXPORT_JOB, subject=export.id)
    return export


def export_cancel(export_id: UUID, *, person_id: UUID, now: datetime) -> None:
    """Stop it; one that waits ends at once, one that runs with its next step. Raises DealExport.DoesNotExist."""
    export = DealExport.objects.select_for_update().get(id=export_id, person_id=person_id)
    if export.state == ExportState.WAITING:
        export.state, export.finished_at = ExportState.CANCELLED, now
    export.is_cancel_asked = export.is_running
    export.save()


def export_of(export_id: UUID, *, person_id: UUID) -> DealExport:
    """One's own export. Raises DealExport.DoesNotExist for another's as for none."""
    found: DealExport = DealExport.objects.get(id=export_id, person_id=person_id)
    return found


def export_file(export: DealExport, *, now: datetime) -> Path | None:
    """The file, as long as it may be opened and is there."""
    if export.state != ExportState.DONE or not export.stored_as:
        return None
    if export.expires_at is None or export.expires_at <= now:
        return None
    path = file_path(export.stored_as)
    return path if path.is_file() else None


def file_path(stored_as: str) -> Path:
    """Where a file of the organization in context lies; its folder is made."""
    private_folder(settings.EXPORT_FOLDER)
    return private_folder(Path(settings.EXPORT_FOLDER) / str(current_organization_id())) / stored_as


def exports_forget(*, now: datetime) -> int:
    """Delete files that have expired, and what was asked for long ago. Returns how many files."""
    gone = 0
    for export in DealExport.objects.filter(expires_at__lte=now).exclude(stored_as=""):
        file_path(export.stored_as).unlink(missing_ok=True)
        gone += 1
    DealExport.objects.filter(expires_at__lte=now).update(stored_as="")
    DealExport.objects.filter(asked_at__lt=now - FORGOTTEN, stored_as="").delete()
    known = set(DealExport.objects.exclude(stored_as="").values_list("stored_as", flat=True))
    for path in file_path("").iterdir():
        is_old = path.stat().st_mtime < (now - KEPT).timestamp()
        if path.name not in known and is_old:
            path.unlink(missing_ok=True)
    return gone
