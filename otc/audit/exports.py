"""What left the house: every download of a page, and reading a list over the API page after page."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.audit.services import audit_append

DAY = timedelta(days=1)
MADE, READ = "export.made", "export.read"


def export_append(request: HttpRequest, response: HttpResponseBase, *, person_id: UUID) -> None:
    """Record what an answer hands out, if it is a download or one more page of a list; call it inside the context."""
    disposition = response.headers.get("Content-Disposition", "")
    if disposition.startswith("attachment"):
        _append_download(request, response, disposition=disposition)
    elif request.method == "GET" and "cursor" in request.GET and request.path_info.startswith("/api/"):
        _append_reading(request, person_id=person_id, now=timezone.now())


def _append_download(request: HttpRequest, response: HttpResponseBase, *, disposition: str) -> None:
    """Rows are known for a file made whole; a stream is recorded as it begins."""
    name = disposition.partition("filename=")[2].strip('"') or "a file"
    rows = getattr(response, "row_count", None)
    counted = f", {rows} row{'' if rows == 1 else 's'}" if rows is not None else ""
    detail: dict[str, Any] = {"path": request.path, "filters": _filters(request), "file": name}
    audit_append(
        MADE,
        subject_kind="export",
        summary=f"Downloaded {name}{counted}",
        detail=detail if rows is None else {**detail, "rows": rows},
    )


def _append_reading(request: HttpRequest, *, person_id: UUID, now: datetime) -> None:
    """Once per person, list and day: whoever asks for the second page reads on."""
    path = request.path
    if not cache.add(f"audit-read:{person_id}:{path}", True, DAY.total_seconds()):
        return
    told = AuditEntry.objects.filter(actor_id=person_id, action=READ, at__gte=now - DAY, detail__path=path)
    # The cache may have been emptied; the log hasn't.
    if not told.exists():
        audit_append(
            READ,
            subject_kind="export",
            summary=f"Reads {path} page by page",
            detail={"path": path, "filters": _filters(request)},
        )


def _filters(request: HttpRequest) -> dict[str, Any]:
    return {name: request.GET.getlist(name) for name in request.GET if name not in ("cursor", "format")}
