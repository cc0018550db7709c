"""Ending a deal and taking that back: close with a reason, reopen, delete."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from otc.tenancy.middleware import tenant_of
from otc.ui.controls import Choice
from otc.ui.pages import page
from pipeline.opportunities.forms import CloseForm
from pipeline.opportunities.models import Opportunity, Outcome
from pipeline.opportunities.rules import OUTCOMES, Refused
from pipeline.opportunities.services import opportunity_close, opportunity_delete, opportunity_reopen
from pipeline.opportunities.views.answers import back, deal_or_404, deal_url, undo_url

FORM_FIELDS = {"reason": "reason", "close_date": "close_date", "competitor": "competitor"}


@page("close_deal")
def deal_close(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/close/?outcome=`: asks for the reason, the competitor and the day."""
    deal = deal_or_404(request, deal_id)
    if deal.outcome is not None:
        return back(
            request, deal_url(request, deal_id), failed="This deal is already closed; reopen it first"
        )
    asked = request.POST.get("outcome") or request.GET.get("outcome", "")
    outcome = asked if asked in OUTCOMES else "won"
    today = tenant_of(request).today
    form = CloseForm(request.POST if request.method == "POST" else None, outcome=outcome, today=today)
    if request.method == "POST" and form.is_valid() and (answer := close(request, deal, form)):
        return answer
    context = {
        "page_title": f"Close {deal.name}",
        "deal": deal,
        "form": form,
        "outcome": outcome,
        "outcomes": [
            Choice(label, f"{request.path}?outcome={key}", key == outcome) for key, label in Outcome.choices
        ],
    }
    status = 422 if form.is_bound else 200
    return render(request, "pipeline/opportunities/deal_close.html", context, status=status)


def close(request: HttpRequest, deal: Opportunity, form: CloseForm) -> HttpResponse | None:
    """Close and answer; None where a rule refused, which then stands on the form."""
    tenant, cleaned = tenant_of(request), form.cleaned_data
    try:
        written = opportunity_close(
            deal.id,
            outcome=cleaned["outcome"],
            reason_id=UUID(cleaned["reason"]),
            competitor_id=UUID(cleaned["competitor"]) if cleaned["competitor"] else None,
            close_date=cleaned["close_date"],
            now=tenant.now,
            today=tenant.today,
        )
    except Refused as refusal:
        form.add_error(FORM_FIELDS.get(refusal.field), refusal.reason)
        return None
    url = deal_url(request, deal.id)
    said = f"{deal.name}: {Outcome(cleaned['outcome']).label.lower()}"
    undo = undo_url(request, deal.id, written.before)
    return back(request, url, said=said, undo=undo, has_origin=False)


@require_POST
@page("close_deal")
def deal_reopen(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    deal = deal_or_404(request, deal_id)
    url = deal_url(request, deal_id)
    try:
        written = opportunity_reopen(deal_id)
    except Refused as refusal:
        return back(request, url, failed=refusal.reason)
    return back(
        request, url, said=f"{deal.name} is open again", undo=undo_url(request, deal_id, written.before)
    )


@require_POST
@page("edit_deal")
def deal_delete(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    deal = deal_or_404(request, deal_id)
    written = opportunity_delete(deal_id, now=tenant_of(request).now)
    undo = undo_url(request, deal_id, written.before)
    home = redirect("deals", slug=slug).url
    return back(request, home, said=f"{deal.name} is deleted", undo=undo, has_origin=False)
