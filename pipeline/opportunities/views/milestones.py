"""What is posted to a deal's milestones: marked with one click, or with evidence in a form of their own."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.opportunities.milestones import LONGEST_NOTE, milestone_mark
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.opportunities.path import state_of
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.views.answers import back, deal_or_404, deal_url
from pipeline.opportunities.views.rooms import room_form, room_saved
from pipeline.process.models import Milestone

ROOM = "milestones"
SAID = {"met": "met", "waived": "waived", "open": "open again"}


@require_POST
@page("mark_milestone")
def deal_milestones(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """Mark milestones (`milestone`, repeated) as `state`."""
    tenant = tenant_of(request)
    deal_or_404(request, deal_id)
    ids = [as_uuid(text) for text in request.POST.getlist("milestone")]
    state = request.POST.get("state", "met")
    try:
        # A refusal is answered by a redirect, which the middleware commits: what was marked for it goes back here.
        with transaction.atomic():
            steps = [milestone_mark(deal_id, milestone_id=id, state=state, now=tenant.now) for id in ids]
    except Refused as refusal:
        return back(request, deal_url(request, deal_id), failed=refusal.reason)
    names = Milestone.objects.filter(id__in=ids).values_list("name", flat=True)
    said = f"{', '.join(names)}: {SAID.get(state, state)}"
    undo = undo_address(slug, steps[0]) if len(steps) == 1 else ""
    return room_saved(request, deal_id, room=f"{ROOM}-{ids[0]}" if ids else ROOM, said=said, undo=undo)


@page("mark_milestone")
def deal_milestone(request: HttpRequest, slug: str, deal_id: UUID, milestone_id: UUID) -> HttpResponse:
    """`/deals/<id>/milestones/<id>/`: GET the form of one milestone, POST `state`, `note` and `url`."""
    deal = deal_or_404(request, deal_id)
    milestone = Milestone.objects.filter(
        id=milestone_id, stage__process_id=deal.process_id, retired_at__isnull=True
    ).first()
    if milestone is None:
        raise Http404
    if request.method != "POST":
        return ask(request, deal, milestone)
    state = request.POST.get("state", "")
    is_open_again = state == "open"
    try:
        step = milestone_mark(
            deal_id,
            milestone_id=milestone_id,
            state=state,
            now=tenant_of(request).now,
            note=None if is_open_again else request.POST.get("note"),
            url=None if is_open_again else request.POST.get("url"),
        )
    except Refused as refusal:
        return ask(request, deal, milestone, refusal=refusal)
    said = f"{milestone.name}: {SAID[state]}" if step else f"{milestone.name} is as it was"
    return room_saved(
        request, deal_id, room=f"{ROOM}-{milestone_id}", said=said, undo=undo_address(slug, step)
    )


def ask(
    request: HttpRequest, deal: Opportunity, milestone: Milestone, *, refusal: Refused | None = None
) -> HttpResponse:
    """The form; 422 with what was typed when `refusal` says why."""
    mark = OpportunityMilestone.objects.filter(opportunity=deal, milestone=milestone).first()
    context: dict[str, Any] = {
        "milestone": milestone,
        "state": state_of(mark),
        "note": request.POST.get("note", mark.note if mark else ""),
        "url": request.POST.get("url", mark.url if mark else ""),
        "refusal": refusal,
        "longest": LONGEST_NOTE,
    }
    name = "pipeline/opportunities/_milestone_form.html"
    return room_form(request, deal, name, context, title=milestone.name, is_refused=refusal is not None)


def as_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as problem:
        raise Http404 from problem
