"""“Done, next”: finishing the next step asks for the one after it, in a list's cell, on the deal's page, as a page."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from otc.tenancy.middleware import Tenant, tenant_of
from otc.ui import format as fmt
from otc.ui.dates import DayNotUnderstood, parse_day
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.next_step import next_step_finish, next_step_undo_offer
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.views.answers import deal_or_404, is_htmx
from pipeline.opportunities.views.cell import ON_DEAL_PAGE, saved

USUALLY = "+1w"


@page("edit_deal")
def deal_next_step(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/next-step/`: GET asks what comes next, POST `next_step` and `day`. `in=deal` on the deal's page."""
    deal = deal_or_404(request, deal_id)
    if request.method != "POST":
        return ask_for_next(request, deal)
    tenant = tenant_of(request)
    try:
        finished = next_step_finish(
            deal_id,
            next_step=request.POST.get("next_step", ""),
            next_step_on=typed_day(request.POST.get("day", ""), tenant=tenant),
            now=tenant.now,
            today=tenant.today,
        )
    except Refused as refusal:
        return ask_for_next(request, deal, refusal=refusal)
    after = finished.written.opportunity
    day = fmt.day_with_weekday(after.next_step_on, today=tenant.today) if after.next_step_on else ""
    said = f"{deal.name}: next step {after.next_step}, {day}"
    undo = undo_address(slug, next_step_undo_offer(finished))
    return saved(request, deal_id, "next", said=said, undo=undo)


def typed_day(text: str, *, tenant: Tenant) -> date | None:
    """What was typed as the next step's day; raises Refused."""
    if not text.strip():
        return None
    try:
        return parse_day(text, today=tenant.today, calendar=tenant.calendar)
    except DayNotUnderstood as problem:
        raise Refused("next_step_on", str(problem)) from problem


def ask_for_next(request: HttpRequest, deal: Opportunity, *, refusal: Refused | None = None) -> HttpResponse:
    """The two fields as a fragment or a page; 422 with what was typed when `refusal` says why."""
    url = reverse("deal_next_step", args=[tenant_of(request).organization.slug, deal.id])
    is_on_page = request.GET.get("in") == ON_DEAL_PAGE
    context: dict[str, Any] = {
        "page_title": f"Next step of {deal.name}",
        "deal": deal,
        "action": f"{url}?in={ON_DEAL_PAGE}" if is_on_page else url,
        "next_step": request.POST.get("next_step", ""),
        "day": request.POST.get("day", USUALLY),
        "usual_day": tenant_of(request).today + timedelta(days=7),
        "refusal": refusal,
        "target": "closest [data-cell]" if is_on_page else "closest tr",
    }
    name = "_next_form" if is_htmx(request) else "next_step"
    status = 422 if refusal else 200
    return render(request, f"pipeline/opportunities/{name}.html", context, status=status)
