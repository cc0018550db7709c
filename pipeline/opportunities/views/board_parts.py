"""What of the board is drawn again after a write that was asked for there: every column, the sums, a toast."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from otc.tenancy.middleware import tenant_of
from otc.ui.controls import href_with
from pipeline.fields.asked import people_asked_for
from pipeline.opportunities.board import BoardReport, board_report
from pipeline.opportunities.views.answers import back, is_htmx, tenant_after_write, toast
from pipeline.opportunities.views.field_controls import field_chips, field_controls, fit_chips, fit_filter
from pipeline.opportunities.views.frame import Frame, frame, view_switch

# What the filter's form leaves as it is.
KEPT = ("scope", "period", "as_of", "stage_id", "category")


def is_on_board(request: HttpRequest) -> bool:
    """Whether a form that stands on the board was sent by its script; the address then bears the board's question."""
    return is_htmx(request) and request.POST.get("in") == "board"


def board_context(request: HttpRequest, framed: Frame, report: BoardReport) -> dict[str, Any]:
    slug = framed.question.organization.slug
    asked = framed.asked
    names = asked.book.naming([], beside=people_asked_for(asked.filter.fields)).names
    listed = reverse("deals", args=[slug])
    query = request.GET
    period = framed.question.period
    return {
        **field_controls(request, asked, (), names),
        "fit_filter": fit_filter(framed),
        "asked": asked,
        "chips": [*fit_chips(request, asked), *field_chips(request, asked, names)],
        "kept_names": [(name, query.get(name, "")) for name in KEPT],
        "page_title": "Deals",
        "report": report,
        "switch": view_switch(request, current="board"),
        "can_edit": not framed.question.is_past and tenant_of(request).may("edit_deal"),
        "move_query": request.GET.urlencode(),
        "columns": [
            (column, href_with(listed, query, stage_id=str(column.id)) if column.id else listed)
            for column in report.columns
        ],
        "won_href": href_with(listed, query, state="won", period=period.key),
        "list_href": href_with(listed, query),
        "no_rate_href": href_with(listed, query, tab="no_rate"),
        "period": period,
    }


def board_answer(request: HttpRequest, *, said: str, undo: str = "") -> HttpResponse:
    """The board's parts as they stand after the write, to be swapped where they are, and a toast."""
    framed = frame(request, tenant=tenant_after_write(request))
    report = board_report(framed.question, framed.asked, since=framed.since)
    context = board_context(request, framed, report) | {"oob": True}
    response = render(request, "pipeline/opportunities/_board_parts.html", context)
    response.content += toast(request, said, undo=undo).encode()
    return response


def board_refusal(request: HttpRequest, *, title: str, note: str) -> HttpResponse:
    """422 with words that the board shows beside the card."""
    return render(request, "ui/refusal.html", {"title": title, "note": note}, status=422)


def done(
    request: HttpRequest, fallback: str, *, said: str = "", undo: str = "", failed: str = ""
) -> HttpResponse:
    """What a form answers that stands on the board or on a page of its own."""
    if not is_on_board(request):
        return back(request, fallback, said=said, undo=undo, failed=failed, has_origin=False)
    if failed:
        return board_refusal(request, title=failed, note="")
    return board_answer(request, said=said, undo=undo)
