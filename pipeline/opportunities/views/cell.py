"""Editing one field in place: its editor, and what saving it answers in a list and on the deal's own page."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from otc.fields.queries import Book, field_book
from otc.question import ask, since_instant
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from pipeline.history.changes import Change, changes
from pipeline.opportunities.cells import Cell, Typing, base_day, cell_named
from pipeline.opportunities.conflicts import ChangedSince, Theirs, must_stand, theirs_of
from pipeline.opportunities.holding import Held, as_it_stands
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.queries import visible_opportunity
from pipeline.opportunities.report import deal_rows
from pipeline.opportunities.rules import MoveRefused, Refused
from pipeline.opportunities.services import opportunity_edit
from pipeline.opportunities.views.answers import (
    back,
    deal_or_404,
    deal_url,
    held_or_404,
    is_htmx,
    tenant_after_write,
    toast,
    undo_url,
)
from pipeline.opportunities.views.deal import deal_main
from pipeline.opportunities.views.frame import columns_of_list, shows_fit
from pipeline.opportunities.views.gate import gate_url
from pipeline.templatetags.deal_rows import Look
from pipeline.templatetags.deal_rows import row_html as write_row

ON_DEAL_PAGE = "deal"
CONFLICT = 409


@page("edit_deal")
def deal_cell(request: HttpRequest, slug: str, deal_id: UUID, field: str) -> HttpResponse:
    """`/deals/<id>/edit/<field>/`: GET the editor, POST the value. `in=deal` where it stands on the deal's page."""
    cell = cell_named(field)
    if cell is None:
        raise Http404
    if request.method != "POST":
        deal = deal_or_404(request, deal_id)
        return editor(
            request, cell, field, deal, value=cell.write(deal), theirs=_theirs_since(request, cell, deal)
        )
    held = held_or_404(request, deal_id)
    if "keep" in request.POST:
        return saved(request, deal_id, field, said="", undo="")
    return save(request, cell, field, held)


def _theirs_since(request: HttpRequest, cell: Cell, deal: Opportunity) -> Theirs | None:
    """Who changed the cell since the list that asks for its editor was read; None where nobody did."""
    was = request.GET.get("was")
    if was is None or was == cell.write(deal):
        return None
    return theirs(request, cell, deal)


def theirs(request: HttpRequest, cell: Cell, deal: Opportunity) -> Theirs:
    tenant = tenant_of(request)
    return theirs_of(cell, deal, today=tenant.today, zone=ZoneInfo(tenant.organization.timezone))


def editor(
    request: HttpRequest,
    cell: Cell,
    field: str,
    deal: Opportunity,
    *,
    value: str,
    error: str = "",
    cure: str = "",
    theirs: Theirs | None = None,
    status: int = 0,
) -> HttpResponse:
    """The editor as a fragment or a page; 422 with the typed value and the reason when `error` says why.

    `cure` is the page that fills in or asks for what a move lacks. `theirs` is what somebody else wrote meanwhile:
    said beside the editor, and with 409 a choice between both.
    """
    url = reverse("deal_cell", args=[tenant_of(request).organization.slug, deal.id, field])
    is_on_page = request.GET.get("in") == ON_DEAL_PAGE
    context: dict[str, Any] = {
        "page_title": f"{cell.label} of {deal.name}",
        "edit_url": f"{url}?in={ON_DEAL_PAGE}" if is_on_page else url,
        "name": "value",
        "value": value,
        "label": cell.label,
        "kind": cell.kind,
        "choices": cell.choices(deal) if cell.choices else (),
        "error": error,
        "error_href": cure,
        "error_link": "Put that right and go on",
        "base": base_day(cell, deal),
        "currency": cell.currency(deal),
        "target": "closest [data-cell]" if is_on_page else "closest tr",
        "was": cell.write(deal),
        "theirs": theirs,
        "is_conflict": status == CONFLICT,
    }
    if field == "next" and deal.next_step and deal.is_open:
        done_url = reverse("deal_next_step", args=[tenant_of(request).organization.slug, deal.id])
        context["done_url"] = f"{done_url}?in={ON_DEAL_PAGE}" if is_on_page else done_url
    template = "ui/cell_form.html" if is_htmx(request) else "ui/cell_page.html"
    return render(request, template, context, status=status or (422 if error else 200))


def save(request: HttpRequest, cell: Cell, field: str, held: Held) -> HttpResponse:
    tenant, deal = tenant_of(request), as_it_stands(held.deal)
    typed = request.POST.get("value", "")
    try:
        value = cell.read(typed, Typing(deal, tenant.organization, tenant.today, tenant.calendar))
        if value == cell.present(deal):
            return saved(request, deal.id, field, said="", undo="")
        check = must_stand(cell, was=request.POST.get("was"), value=value)
        written = opportunity_edit(deal.id, changes=cell.changes(value), check=check, held=held)
    except MoveRefused as refusal:
        cure = gate_url(request, deal, cell.changes(value), refusal)
        return editor(request, cell, field, deal, value=typed, error=refusal.reason, cure=cure)
    except Refused as refusal:
        return editor(request, cell, field, deal, value=typed, error=refusal.reason)
    except ChangedSince as change:
        present = theirs(request, cell, change.deal)
        return editor(request, cell, field, change.deal, value=typed, theirs=present, status=CONFLICT)
    told = told_changes(deal, written.opportunity, today=tenant.today)
    undo = undo_url(request, deal.id, written.before)
    if leaves_sight(request, deal, written.opportunity):
        return given_away(request, said=f"{deal.name} is no longer in your sight", undo=undo)
    said = f"{deal.name}: {told[0].sentence.strip()}" if told else ""
    return saved(request, deal.id, field, said=said, undo=undo)


def leaves_sight(request: HttpRequest, before: Opportunity, after: Opportunity) -> bool:
    """Whether the viewer no longer sees what they changed; only another owner can do that."""
    if after.owner_id == before.owner_id:
        return False
    return visible_opportunity(after.id, visible=tenant_of(request).visible, related=()) is None


def told_changes(before: Opportunity, after: Opportunity, *, today: date) -> tuple[Change, ...]:
    """What the edit changed, custom fields under their labels."""
    book = Book()
    if before.attributes != after.attributes:
        book = field_book("deal").naming([before.attributes, after.attributes])
    return changes(before, after, today=today, fields=book.fields, names=book.names)


def given_away(request: HttpRequest, *, said: str, undo: str) -> HttpResponse:
    """The row goes; who stood on the deal's page, which is not theirs any more, is led to the list."""
    if is_htmx(request) and request.GET.get("in") != ON_DEAL_PAGE:
        return HttpResponse(toast(request, said, undo=undo))
    url = reverse("deals", args=[tenant_of(request).organization.slug])
    led = back(request, url, said=said, undo=undo, has_origin=False)
    return HttpResponse(headers={"HX-Redirect": led["Location"]}) if is_htmx(request) else led


def saved(request: HttpRequest, deal_id: UUID, field: str, *, said: str, undo: str) -> HttpResponse:
    """The row again, or the deal's page again, with a toast; a redirect without htmx."""
    if not is_htmx(request):
        return back(request, deal_url(request, deal_id), said=said, undo=undo, has_origin=False)
    spoken = toast(request, said, undo=undo) if said else ""
    if request.GET.get("in") == ON_DEAL_PAGE:
        return deal_main(request, deal_id, edited=field, beside=spoken)
    return HttpResponse(row_html(request, deal_id) + spoken)


def row_html(request: HttpRequest, deal_id: UUID) -> str:
    """The deal's row of the list as it stands now; nothing once it has left the viewer's sight."""
    return rows_html(request, [deal_id]).get(deal_id, "")


def rows_html(request: HttpRequest, deal_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The rows of the list as they stand now, of those deals that are in the viewer's sight."""
    question = ask(tenant_after_write(request), {})
    _, since = since_instant(question, "", last_visit=None)
    rows = deal_rows(question, deal_ids, since=since, shows_fit=shows_fit(request))
    columns, names = columns_of_list(request, rows)
    tenant = tenant_of(request)
    look = Look(
        deals_url=reverse("deals", args=[tenant.organization.slug]),
        as_of_query="",
        today=tenant.today,
        currency=tenant.currency,
        can_edit=True,
        columns=columns,
        names=names,
    )
    return {row.id: write_row(row, look) for row in rows}
