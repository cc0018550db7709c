"""Settings, Audit: who did what, newest first; one entry; the log and its checkpoints as files."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from otc.audit.asked import FILTERS, NOBODY, Asked, narrowed, read
from otc.audit.downloads import TYPES, checkpoint_download, download
from otc.audit.queries import FIELDS, actions_known, chain_end, entries, latest_checkpoint, spelled
from otc.audit.words import action_words, detail_rows
from otc.identity.tabs import settings_tabs
from otc.tenancy.middleware import tenant_of
from otc.tenancy.models import Person
from otc.ui.bar import answers_bad_questions
from otc.ui.controls import href_with
from otc.ui.pages import page

PAGE_SIZE = 50


@require_safe
@page("view_audit")
@answers_bad_questions
def audit(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Entries that the filters ask for; with `format` csv or jsonl all of them as a file, or the checkpoints."""
    tenant = tenant_of(request)
    asked = read(request.GET.dict())
    kind = request.GET.get("format", "")
    if kind == "checkpoints":
        return checkpoint_download(tenant)
    if kind in TYPES:
        return download(tenant, asked, kind=kind)
    found = narrowed(entries(), asked, zone=tenant.zone)
    if asked.after is not None:
        found = found.filter(sequence__lt=asked.after)
    rows = list(found.order_by("-sequence")[: PAGE_SIZE + 1])
    return render(request, "otc/audit/audit.html", _context(request, asked, rows))


# Where an act came from, in a word.
CHANNELS = {"ui": "Page", "api": "API", "import": "Import", "task": "Job"}


def _context(request: HttpRequest, asked: Asked, rows: list[Any]) -> dict[str, Any]:
    path, query = request.path, request.GET
    people = Person.objects.order_by("name_folded", "id").values_list("id", "name")
    shown = rows[:PAGE_SIZE]
    next_href = href_with(path, query, after=shown[-1].sequence) if len(rows) > PAGE_SIZE else ""
    return {
        "page_title": "Audit",
        "tabs": settings_tabs(request, "audit"),
        "asked": asked,
        "rows": [(row, action_words(row.action), CHANNELS.get(row.channel, row.channel)) for row in shown],
        "people": [(str(key), name, str(key) == asked.person) for key, name in people],
        "nobody": NOBODY,
        "actions": [(name, action_words(name), name == asked.action) for name in actions_known()],
        "checkpoint": latest_checkpoint(),
        "end": chain_end(),
        "zone": tenant_of(request).zone,
        "first_href": href_with(path, query, after=None) if asked.after is not None else "",
        "next_href": next_href,
        "clear_href": href_with(path, query, **dict.fromkeys(FILTERS)),
        "csv_href": href_with(path, query, format="csv", after=None),
        "jsonl_href": href_with(path, query, format="jsonl", after=None),
        "checkpoints_href": href_with(path, {}, format="checkpoints"),
    }


@require_safe
@page("view_audit")
def audit_entry(request: HttpRequest, slug: str, entry_id: UUID) -> HttpResponse:
    """One entry with everything that is hashed, and the ones before and after it."""
    row = entries().filter(id=entry_id).first()
    if row is None:
        raise Http404
    around = entries().filter(sequence__in=[row.sequence - 1, row.sequence + 1])
    beside = dict(around.values_list("sequence", "id"))
    context = {
        "page_title": f"Audit #{row.sequence}",
        "tabs": settings_tabs(request, "audit"),
        "entry": row,
        "words": action_words(row.action),
        "detail": detail_rows(row.detail),
        "spelled": spelled({name: getattr(row, name) for name in FIELDS}),
        "before_id": beside.get(row.sequence - 1),
        "after_id": beside.get(row.sequence + 1),
        "zone": tenant_of(request).zone,
    }
    return render(request, "otc/audit/entry.html", context)
