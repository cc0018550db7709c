"""The trash: what was deleted, and the way back."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from otc.tenancy.middleware import tenant_of
from otc.ui.controls import href_with
from otc.ui.pages import page
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import opportunity_restore
from pipeline.opportunities.trash import trash_report
from pipeline.opportunities.views.answers import back, deal_url
from pipeline.team.queries import seen

MOST_PAGES = 10_000


@page("view_deals")
def trash(request: HttpRequest, slug: str) -> HttpResponse:
    """`/trash/?page=`."""
    asked = request.GET.get("page", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
    report = trash_report(tenant_of(request), page=min(number, MOST_PAGES))
    context = {
        "page_title": "Trash",
        "report": report,
        "can_edit": tenant_of(request).may("edit_deal"),
        "previous_href": href_with(request.path, request.GET, page=report.page - 1 or None)
        if report.page
        else "",
        "next_href": href_with(request.path, request.GET, page=report.page + 1) if report.has_more else "",
    }
    return render(request, "pipeline/opportunities/trash.html", context)


@require_POST
@page("edit_deal")
def deal_restore(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    found = Opportunity.objects.filter(seen(tenant_of(request).visible), id=deal_id).first()
    if found is None:
        raise Http404
    try:
        opportunity_restore(deal_id)
    except Refused as refusal:
        return back(request, reverse("trash", args=[slug]), failed=refusal.reason)
    return back(request, deal_url(request, deal_id), said=f"{found.name} is back", has_origin=False)
