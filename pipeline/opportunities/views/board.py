"""The board: deals as cards by stage, and what moving one answers."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions
from otc.ui.controls import href_with
from otc.ui.pages import page
from pipeline.fields.asked import people_asked_for
from pipeline.opportunities.board import BoardReport, board_report
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import MoveRefused, Refused
from pipeline.opportunities.services import opportunity_edit
from pipeline.opportunities.views.answers import (
    back,
    deal_or_404,
    is_htmx,
    tenant_after_write,
    toast,
    undo_url,
)
from pipeline.opportunities.views.field_controls import field_chips, field_controls, fit_chips, fit_filter
from pipeline.opportunities.views.frame import Frame, bar_of, frame, view_switch
from pipeline.opportunities.views.gate import gate_context, gate_form, gate_url
from pipeline.opportunities.views.milestones import as_uuid

WON = "won"
# What the filter's form leaves as it is.
KEPT = ("scope", "period", "as_of", "stage_id", "category")


@page("view_deals")
@answers_bad_questions
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """`/deals/board/`."""
    framed = frame(request)
    report = board_report(framed.question, framed.asked, since=framed.since)
    context = context_of(request, framed, report) | bar_of(request, framed)
    return render(request, "pipeline/opportunities/board.html", context)


def context_of(request: HttpRequest, framed: Frame, report: BoardReport) -> dict[str, Any]:
    slug = framed.question.organization.slug
    asked = framed.asked
    names = asked.book.naming([], beside=people_asked_for(asked.filter.fields)).names
    listed = reverse("deals", args=[slug])
    query = request.GET
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
        "won_href": href_with(listed, query, state="won", period=framed.question.period.key),
        "list_href": href_with(listed, query),
        "no_rate_href": href_with(listed, query, tab="no_rate"),
        "period": framed.question.period,
    }


@require_POST
@page("edit_deal")
@answers_bad_questions
def board_move(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """POST `stage`: the columns again, or 422 with what keeps the card where it is."""
    deal = deal_or_404(request, deal_id)
    stage = request.POST.get("stage", "")
    board_url = href_with(reverse("board", args=[slug]), request.GET)
    if stage == WON:
        return must_be_closed(request, deal)
    if not stage:
        return refusal(request, deal, title=f"{deal.name} stays where it is", note="No stage was named.")
    try:
        written = opportunity_edit(deal_id, changes={"stage_id": as_uuid(stage)})
    except MoveRefused as missing:
        return gate(request, deal, missing, stage=stage, board_url=board_url)
    except Refused as refused:
        return refusal(request, deal, title=f"{deal.name} stays where it is", note=refused.reason)
    after = deal_or_404(request, deal_id)
    said = f"{deal.name} moved to {after.stage.name if after.stage else 'no stage'}"
    undo = undo_url(request, deal_id, written.before)
    if not is_htmx(request):
        return back(request, board_url, said=said, undo=undo)
    framed = frame(request, tenant=tenant_after_write(request))
    report = board_report(framed.question, framed.asked, since=framed.since)
    context = context_of(request, framed, report) | {"oob": True}
    response = render(request, "pipeline/opportunities/_board_parts.html", context)
    response.content += toast(request, said, undo=undo).encode()
    return response


def gate(
    request: HttpRequest, deal: Opportunity, missing: MoveRefused, *, stage: str, board_url: str
) -> HttpResponse:
    """What is met, what is missing, and the buttons or the form that cure it and then move the card."""
    here = deal.stage.name if deal.stage else "its stage"
    title = f"{deal.name} stays in {here}"
    if missing.verdict.is_barred:
        return refusal(request, deal, title=title, note=missing.reason)
    if missing.verdict.fields or missing.verdict.approval:
        return asking(request, deal, missing, title=title, stage=stage, board_url=board_url)
    cure = reverse("deal_milestones", args=[tenant_of(request).organization.slug, deal.id])
    pairs = [("stage", stage), ("next", board_url), *(("milestone", str(one.id)) for one in missing.missing)]
    is_one = len(missing.missing) == 1
    words = (
        (("Mark met", "Waive") if is_one else ("Mark all met", "Waive all")) if missing.missing else ("", "")
    )
    actions = [
        (words[0], f"{cure}?{urlencode([('state', 'met'), *pairs])}", "M"),
        (words[1], f"{cure}?{urlencode([('state', 'waived'), *pairs])}", "W"),
    ]
    return refusal(
        request,
        deal,
        title=title,
        met=[one.name for one in missing.met],
        missing=[f"{one.name} is required to leave {one.stage}" for one in missing.missing],
        actions=actions,
    )


def asking(
    request: HttpRequest, deal: Opportunity, missing: MoveRefused, *, title: str, stage: str, board_url: str
) -> HttpResponse:
    """The form that fills in what is missing, or asks for the approval, and then moves the card."""
    if not is_htmx(request):
        return back(
            request, gate_url(request, deal, {"stage_id": as_uuid(stage)}, missing), failed=missing.reason
        )
    form = gate_form(request, deal, missing)
    context = gate_context(request, deal, missing, form, {"stage_id": as_uuid(stage)})
    context |= {"title": title, "next": board_url}
    return render(request, "pipeline/opportunities/_gate_refusal.html", context, status=422)


def must_be_closed(request: HttpRequest, deal: Opportunity) -> HttpResponse:
    """A card isn't dropped into Won: closing asks why."""
    close = reverse("deal_close", args=[tenant_of(request).organization.slug, deal.id])
    return refusal(
        request,
        deal,
        title=f"Why was {deal.name} won?",
        note="Closing a deal asks for the primary reason.",
        links=[("Close as won", f"{close}?outcome=won")],
    )


def refusal(request: HttpRequest, deal: Opportunity, *, title: str, **parts: Any) -> HttpResponse:
    """422 with the fragment, or the deal's board with the words where there is no script."""
    if not is_htmx(request):
        said = ". ".join([title, *parts.get("missing", []), parts.get("note", "")]).strip(". ")
        return back(request, reverse("board", args=[tenant_of(request).organization.slug]), failed=said)
    return render(request, "pipeline/opportunities/_refusal.html", {"title": title, **parts}, status=422)
