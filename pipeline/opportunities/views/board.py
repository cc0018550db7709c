"""The board: deals as cards by stage, and what moving one answers."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions
from otc.ui.controls import href_with
from otc.ui.pages import page
from pipeline.opportunities.board import board_report
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import MoveRefused, Refused
from pipeline.opportunities.services import opportunity_edit
from pipeline.opportunities.views.answers import back, deal_or_404, is_htmx, undo_url
from pipeline.opportunities.views.board_parts import board_answer, board_context, board_refusal
from pipeline.opportunities.views.closing import closing_context
from pipeline.opportunities.views.frame import bar_of, frame
from pipeline.opportunities.views.gate import gate_context, gate_form, gate_url
from pipeline.opportunities.views.milestones import as_uuid

# The columns that end a deal.
ENDS = ("won", "lost")


@page("view_deals")
@answers_bad_questions
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """`/deals/board/`."""
    framed = frame(request)
    report = board_report(framed.question, framed.asked, since=framed.since)
    context = board_context(request, framed, report) | bar_of(request, framed)
    return render(request, "pipeline/opportunities/board.html", context)


@require_POST
@page("edit_deal")
@answers_bad_questions
def board_move(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """POST `stage`: the columns again, or 422 with what keeps the card where it is, or asks why the deal ends."""
    deal = deal_or_404(request, deal_id)
    stage = request.POST.get("stage", "")
    board_url = href_with(reverse("board", args=[slug]), request.GET)
    title = f"{deal.name} stays where it is"
    if stage in ENDS:
        return ending(request, deal, outcome=stage, board_url=board_url)
    if not stage:
        return refusal(request, title=title, note="No stage was named.", board_url=board_url)
    try:
        written = opportunity_edit(deal_id, changes={"stage_id": as_uuid(stage)})
    except MoveRefused as missing:
        return gate(request, deal, missing, stage=stage, board_url=board_url)
    except Refused as refused:
        return refusal(request, title=title, note=refused.reason, board_url=board_url)
    after = deal_or_404(request, deal_id)
    said = f"{deal.name} moved to {after.stage.name if after.stage else 'no stage'}"
    undo = undo_url(request, deal_id, written.before)
    if not is_htmx(request):
        return back(request, board_url, said=said, undo=undo)
    return board_answer(request, said=said, undo=undo)


def gate(
    request: HttpRequest, deal: Opportunity, missing: MoveRefused, *, stage: str, board_url: str
) -> HttpResponse:
    """What is met, and the form that takes what is missing, milestone by milestone, and then moves the card."""
    here = deal.stage.name if deal.stage else "its stage"
    title = f"{deal.name} stays in {here}"
    if missing.verdict.is_barred:
        return refusal(request, title=title, note=missing.reason, board_url=board_url)
    changes: dict[str, Any] = {"stage_id": as_uuid(stage)}
    if not is_htmx(request):
        return back(request, gate_url(request, deal, changes, missing), failed=missing.reason)
    form = gate_form(request, deal, missing)
    context = gate_context(request, deal, missing, form, changes)
    context |= {"title": title, "next": board_url, "move_query": request.GET.urlencode()}
    return render(request, "pipeline/opportunities/_gate_refusal.html", context, status=422)


def ending(request: HttpRequest, deal: Opportunity, *, outcome: str, board_url: str) -> HttpResponse:
    """A card that is dropped into Won or Lost is asked why: in a dialog over the board, else on the closing page."""
    if deal.outcome is not None:
        title = f"{deal.name} is closed already"
        return refusal(request, title=title, note="Reopen it first.", board_url=board_url)
    if not is_htmx(request):
        close = reverse("deal_close", args=[tenant_of(request).organization.slug, deal.id])
        return redirect(f"{close}?{urlencode({'outcome': outcome, 'next': board_url})}")
    if not tenant_of(request).may("close_deal"):
        return board_refusal(request, title=f"{deal.name} stays open", note="Your role closes no deals.")
    context = closing_context(request, deal, outcome=outcome)
    return render(request, "pipeline/opportunities/_close_dialog.html", context, status=422)


def refusal(request: HttpRequest, *, title: str, note: str, board_url: str) -> HttpResponse:
    """422 with the fragment, or the board with the words where there is no script."""
    if not is_htmx(request):
        return back(request, board_url, failed=f"{title}. {note}".strip(". "))
    return board_refusal(request, title=title, note=note)
