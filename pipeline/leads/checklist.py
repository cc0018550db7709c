"""The page where an administrator defines the checklist of leads."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from otc.ui.pages import page
from pipeline.leads.models import LeadCheck
from pipeline.leads.rules import LeadRefused
from pipeline.leads.services import checklist_set

MOST, SPARE = 30, 3


@require_http_methods(["GET", "HEAD", "POST"])
@page("manage_process")
def lead_checklist(request: HttpRequest, slug: str) -> HttpResponse:
    """`/leads/checklist/`: a row per question; one whose text is emptied is retired."""
    rows, error = stored_rows(), ""
    if request.method == "POST":
        rows = typed_rows(request)
        try:
            with transaction.atomic():
                checklist_set(items_of(rows), now=timezone.now())
        except LeadRefused as refusal:
            error = refusal.reason
        else:
            messages.success(request, "Checklist saved")
            return redirect("leads", slug=slug)
    spare = [{"id": "", "text": "", "points": ""}] * min(SPARE, MOST - len(rows))
    context = {"page_title": "Checklist of leads", "rows": [*rows, *spare], "error": error}
    return render(request, "pipeline/leads/checklist.html", context, status=422 if error else 200)


def stored_rows() -> list[dict[str, Any]]:
    asked = LeadCheck.objects.filter(retired_at__isnull=True)
    return [{"id": str(one.id), "text": one.text, "points": one.points} for one in asked]


def typed_rows(request: HttpRequest) -> list[dict[str, Any]]:
    names = [request.POST.getlist(name)[:MOST] for name in ("id", "text", "points")]
    rows = [dict(zip(("id", "text", "points"), row, strict=True)) for row in zip(*names, strict=False)]
    return [row for row in rows if row["text"].strip()]


def items_of(rows: list[dict[str, Any]]) -> list[tuple[UUID | None, str, int]]:
    """What checklist_set takes. Raises LeadRefused."""
    items = []
    for row in rows:
        points = str(row["points"]).strip() or "1"
        if not (points.isascii() and points.isdigit() and len(points) < 5):
            raise LeadRefused("points", f"“{points}” is not a number of points; write 1 to 100")
        try:
            check_id = UUID(row["id"]) if row["id"] else None
        except ValueError:
            check_id = None
        items.append((check_id, row["text"][:200], int(points)))
    return items
