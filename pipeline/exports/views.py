"""Files of deals: ask for one, watch it, cancel it, fetch it while it lasts."""

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from otc.question import BadQuestion
from otc.tenancy.lines import UnknownScope
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from pipeline.exports.models import DealExport
from pipeline.exports.services import (
    FORGOTTEN,
    KEPT,
    ExportRefused,
    export_ask,
    export_cancel,
    export_file,
    export_of,
)
from pipeline.opportunities.report import check_sort
from pipeline.opportunities.views.frame import frame_of

SHOWN = 30
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@page("view_deals")
def deals_exports(request: HttpRequest, slug: str) -> HttpResponse:
    """`/deals/exports/`: one's own files; POST `format` and `query`, the list's address, asks for one."""
    tenant = tenant_of(request)
    if request.method == "POST":
        query = request.POST.get("query", "")
        try:
            check_sort(frame_of(tenant, QueryDict(query)).asked)
            export = export_ask(tenant.person.id, query=query, format=request.POST.get("format", ""))
        except (BadQuestion, UnknownScope, ExportRefused) as problem:
            messages.error(request, str(problem))
            return redirect("deals_exports", slug=slug)
        return redirect("deals_export", slug=slug, export_id=export.id)
    rows = list(DealExport.objects.filter(person_id=tenant.person.id).order_by("-asked_at")[:SHOWN])
    context = {
        "page_title": "Files",
        "rows": rows,
        "now": tenant.now,
        "kept_hours": int(KEPT.total_seconds() // 3600),
        "kept_days": FORGOTTEN.days,
    }
    return render(request, "pipeline/exports/exports.html", context)


@page("view_deals")
def deals_export(request: HttpRequest, slug: str, export_id: UUID) -> HttpResponse:
    """`/deals/exports/<id>/`: how far it is, then its file."""
    export = own_or_404(request, export_id)
    total = export.total_count or 0
    context = {
        "page_title": export.file_name,
        "export": export,
        "percent": 100 * export.row_count // total if total else 0,
        "is_there": export_file(export, now=tenant_of(request).now) is not None,
        "finished_at": export.finished_at and export.finished_at.astimezone(tenant_of(request).zone),
        "expires_at": export.expires_at and export.expires_at.astimezone(tenant_of(request).zone),
    }
    return render(request, "pipeline/exports/export.html", context)


@require_POST
@page("view_deals")
def deals_export_cancel(request: HttpRequest, slug: str, export_id: UUID) -> HttpResponse:
    """`/deals/exports/<id>/cancel/`."""
    try:
        export_cancel(export_id, person_id=tenant_of(request).person.id, now=timezone.now())
    except DealExport.DoesNotExist:
        raise Http404 from None
    return redirect("deals_export", slug=slug, export_id=export_id)


@page("view_deals")
def deals_export_file(request: HttpRequest, slug: str, export_id: UUID) -> HttpResponse | FileResponse:
    """`/deals/exports/<id>/file/`: for whoever asked for it, until it expires."""
    export = own_or_404(request, export_id)
    path = export_file(export, now=timezone.now())
    if path is None:
        messages.error(request, "This file isn’t there any more; ask for it again")
        return redirect("deals_export", slug=slug, export_id=export_id)
    response = FileResponse(
        path.open("rb"), as_attachment=True, filename=export.file_name, content_type=TYPES[export.format]
    )
    # The audit says how many rows left the house.
    response.row_count = export.row_count  # type: ignore[attr-defined]  # Django's way
    return response


def own_or_404(request: HttpRequest, export_id: UUID) -> DealExport:
    try:
        return export_of(export_id, person_id=tenant_of(request).person.id)
    except DealExport.DoesNotExist:
        raise Http404 from None
