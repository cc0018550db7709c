"""The seller's side of a close plan: what the buyer sees, who has a link, what was ticked and said."""

import contextlib
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from otc.undo.services import undo_offer
from otc.undo.views import undo_address
from pipeline.closeplan.forms import CommentForm, LinkForm, PlanForm
from pipeline.closeplan.models import ClosePlanEvent, ClosePlanLink
from pipeline.closeplan.queries import colleagues, colleagues_called, events_of, links_of, plan_of
from pipeline.closeplan.report import SharedPlan, shared_plan, usual_title
from pipeline.closeplan.rules import PlanRefused
from pipeline.closeplan.services import (
    REVOKED,
    link_make,
    link_revoke,
    plan_set,
    seller_comment,
    tick_undo,
)
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.views.answers import back, deal_or_404
from pipeline.process.models import Milestone, Side

SHOWN_EVENTS = 100
MOST_PEOPLE = 100


def plan_href(request: HttpRequest, deal_id: UUID) -> str:
    return reverse("close_plan", args=[tenant_of(request).organization.slug, deal_id])


@require_safe
@page("view_deals")
def close_plan(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/close-plan/`."""
    return _page(request, deal_or_404(request, deal_id))


@require_POST
@page("share_close_plan")
def close_plan_choose(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """POST `title`, `people` and `milestones`, the last two repeated, and `add`: names."""
    deal = deal_or_404(request, deal_id)
    form = _plan_form(request, deal, request.POST)
    if form.is_valid():
        try:
            plan_set(
                deal.id,
                title=form.cleaned_data["title"],
                person_ids=form.person_ids,
                milestone_ids=[UUID(key) for key in form.cleaned_data.get("milestones", [])],
            )
        except PlanRefused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.reason)
        else:
            return back(request, plan_href(request, deal_id), said="Saved: the buyer sees it so from now on")
    form.offer_candidates()
    return _page(request, deal, plan_form=form, status=422)


@require_safe
@page("share_close_plan")
def close_plan_people(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/close-plan/people/?q=an`: who may be added, as the options of a list box."""
    deal_or_404(request, deal_id)
    found = colleagues_called(request.GET.get("q", ""))
    return render(request, "pipeline/closeplan/_people.html", {"people": found})


@require_POST
@never_cache
@page("share_close_plan")
def close_plan_link_new(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """POST `recipient` and `expires`. The answer shows the link, once."""
    tenant = tenant_of(request)
    deal = deal_or_404(request, deal_id)
    form = LinkForm(request.POST, today=tenant.today)
    if form.is_valid():
        ends = datetime.combine(form.cleaned_data["expires"] + timedelta(days=1), time(), tenant.zone)
        try:
            issued = link_make(
                deal.id, recipient=form.cleaned_data["recipient"], expires_at=ends, now=tenant.now
            )
        except PlanRefused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.reason)
        else:
            href = request.build_absolute_uri(reverse("plan", args=[issued.token]))
            return _page(request, deal, made=issued.link, made_href=href)
    return _page(request, deal, link_form=form, status=422)


@require_POST
@page("share_close_plan")
def close_plan_link_revoke(
    request: HttpRequest, slug: str, deal_id: UUID, close_plan_link_id: UUID
) -> HttpResponse:
    """End a link at once."""
    deal = deal_or_404(request, deal_id)
    link = ClosePlanLink.objects.filter(id=close_plan_link_id, opportunity=deal).first()
    if link is None:
        raise Http404
    step = None
    if link_revoke(link, now=tenant_of(request).now):
        said = f"The link for {link.recipient} opens again"
        step = undo_offer(REVOKED, said=said, payload={"link": str(link.id)})
    undo = undo_address(slug, step)
    return back(
        request,
        plan_href(request, deal_id),
        said=f"The link for {link.recipient} no longer opens",
        undo=undo,
        # The page that showed a new link bears the address that made it.
        has_origin=False,
    )


@require_POST
@page("share_close_plan")
def close_plan_comment(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """POST `text` and `about`: what every recipient reads."""
    deal = deal_or_404(request, deal_id)
    tenant = tenant_of(request)
    form = _comment_form(shared_plan(deal, tenant.organization, now=tenant.now), request.POST)
    if form.is_valid():
        about = form.cleaned_data["about"]
        try:
            seller_comment(
                deal.id,
                text=form.cleaned_data["text"],
                milestone_id=UUID(about) if about else None,
                now=tenant.now,
            )
        except PlanRefused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.reason)
        else:
            return back(request, plan_href(request, deal_id), said="Every recipient reads it in the plan")
    return _page(request, deal, comment_form=form, status=422)


@require_POST
@page("mark_milestone")
def close_plan_undo(
    request: HttpRequest, slug: str, deal_id: UUID, close_plan_event_id: UUID
) -> HttpResponse:
    """Put a step back as it was before a recipient ticked it."""
    deal = deal_or_404(request, deal_id)
    try:
        undone = tick_undo(close_plan_event_id, opportunity_id=deal.id, now=tenant_of(request).now)
    except ClosePlanEvent.DoesNotExist:
        raise Http404 from None
    except PlanRefused as refusal:
        return back(request, plan_href(request, deal_id), failed=refusal.reason)
    name = undone.milestone.name if undone.milestone else ""
    return back(request, plan_href(request, deal_id), said=f"{name} is as it was before")


def _page(
    request: HttpRequest,
    deal: Opportunity,
    *,
    plan_form: PlanForm | None = None,
    link_form: LinkForm | None = None,
    comment_form: CommentForm | None = None,
    made: ClosePlanLink | None = None,
    made_href: str = "",
    status: int = 200,
) -> HttpResponse:
    tenant = tenant_of(request)
    shown = shared_plan(deal, tenant.organization, now=tenant.now)
    links, events = links_of(deal.id), events_of(deal.id)
    can_share = tenant.may("share_close_plan")
    standing = [link for link in links if link.revoked_at is None and link.expires_at > tenant.now]
    context: dict[str, Any] = {
        "page_title": "Close plan",
        "deal": deal,
        "plan": shown,
        "logo_href": reverse("logo", args=[tenant.organization.slug, shown.logo.id]) if shown.logo else "",
        "links": [(link, link in standing) for link in links],
        "open_count": len(standing),
        "events": events[:SHOWN_EVENTS],
        "undoable": _undoable(events) if tenant.may("mark_milestone") else frozenset(),
        "can_share": can_share,
        "plan_form": plan_form or _plan_form(request, deal),
        "link_form": link_form or LinkForm(today=tenant.today),
        "comment_form": comment_form or _comment_form(shown),
        "made": made,
        "made_href": made_href,
        "zone": tenant.zone,
        "printable": True,
    }
    if made:
        messages.success(request, f"A link for {made.recipient} opens the plan from now on")
    return render(request, "pipeline/closeplan/close_plan.html", context, status=status)


def _undoable(events: Sequence[ClosePlanEvent]) -> frozenset[UUID]:
    """The latest tick of each step, where a recipient made it."""
    latest: dict[UUID, ClosePlanEvent] = {}
    for event in events:
        if event.milestone_id is not None and event.act != "comment":
            latest.setdefault(event.milestone_id, event)
    return frozenset(event.id for event in latest.values() if event.link_id is not None)


def _plan_form(request: HttpRequest, deal: Opportunity, data: Any = None) -> PlanForm:
    plan = plan_of(deal.id)
    ours = Milestone.objects.filter(
        stage__process_id=deal.process_id,
        stage__retired_at__isnull=True,
        retired_at__isnull=True,
        side=Side.SELLER,
    )
    owner = [str(deal.owner_id)] if deal.owner_id else []
    title = usual_title(deal, tenant_of(request).organization) if plan is None else plan.title
    initial = {
        "title": title,
        "people": plan.person_ids if plan else owner,
        "milestones": plan.milestone_ids if plan else [],
    }
    ticked = data.getlist("people") if data is not None else initial["people"]
    return PlanForm(
        data,
        initial=initial,
        people=list(colleagues().filter(id__in=_ids(ticked)[:MOST_PEOPLE])),
        milestones=list(ours.select_related("stage").order_by("stage__position", "position", "id")),
    )


def _ids(texts: Sequence[str]) -> list[UUID]:
    """Those that can be ids; what can't is nobody's."""
    found = []
    for text in texts:
        with contextlib.suppress(ValueError):
            found.append(UUID(text))
    return found


def _comment_form(shown: SharedPlan, data: Any = None) -> CommentForm:
    return CommentForm(data, milestones=[(one.id, one.name) for one in shown.needed])
