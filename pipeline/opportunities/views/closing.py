"""Ending a deal and taking that back: close with a reason, reopen, delete."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions
from otc.ui.controls import Choice, href_with
from otc.ui.pages import page
from pipeline.accounts.rules import Invalid
from pipeline.opportunities.forms import CloseForm
from pipeline.opportunities.gate_forms import GateForm
from pipeline.opportunities.gates import win_verdict
from pipeline.opportunities.models import Opportunity, Outcome
from pipeline.opportunities.rules import OUTCOMES, MoveRefused, Refused
from pipeline.opportunities.services import (
    opportunity_close,
    opportunity_delete,
    opportunity_edit,
    opportunity_reopen,
)
from pipeline.opportunities.views.answers import back, deal_or_404, deal_url, is_htmx, undo_url
from pipeline.opportunities.views.board_parts import done
from pipeline.opportunities.views.gate import mark_all, stand_on

FORM_FIELDS = {"reason": "reason", "close_date": "close_date", "competitor": "competitor"}
# What the closing itself asks: a win that the process wants it of isn't asked twice.
ASKED_BY_CLOSING = {"competitor": "competitor_id", "close_date": "close_date"}


@page("close_deal")
@answers_bad_questions
def deal_close(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/close/?outcome=`: asks for the reason, the competitor, the day, and what a win misses."""
    deal = deal_or_404(request, deal_id)
    if deal.outcome is not None:
        failed = "This deal is already closed; reopen it first"
        return done(request, deal_url(request, deal_id), failed=failed)
    asked = request.POST.get("outcome") or request.GET.get("outcome", "")
    context = closing_context(request, deal, outcome=asked if asked in OUTCOMES else "won")
    form, gate = context["form"], context["gate"]
    # Both say at once what they miss.
    is_whole = all([form.is_valid(), gate.is_valid()]) if form.is_bound else False
    if is_whole and (answer := close(request, deal, form, gate, context["refused"])):
        return answer
    name = "_close_dialog.html" if is_htmx(request) else "deal_close.html"
    status = 422 if form.is_bound else 200
    return render(request, f"pipeline/opportunities/{name}", context, status=status)


def closing_context(request: HttpRequest, deal: Opportunity, *, outcome: str) -> dict[str, Any]:
    """The form of the closing, bound where it was sent here, and what the process misses of a win.

    The address may bring what was chosen for another outcome: reason, competitor and close_date.
    """
    tenant = tenant_of(request)
    here = reverse("deal_close", args=[tenant.organization.slug, deal.id])
    sent = request.POST if request.method == "POST" and request.path == here else None
    refused = win_verdict(deal) if outcome == "won" else None
    query = request.GET.copy()
    initial = {name: query.pop(name)[-1] for name in FORM_FIELDS.values() if name in query}
    form = CloseForm(sent, initial=initial, outcome=outcome, today=tenant.today)
    if refused and "competitor" in refused.verdict.fields:
        form.fields["competitor"].required = True
    query.pop("outcome", None)
    target = request.POST.get("next") or query.get("next", "")
    return {
        "page_title": f"Close {deal.name}",
        "deal": deal,
        "form": form,
        "gate": GateForm(
            sent,
            deal=deal,
            refused=refused,
            today=tenant.today,
            calendar=tenant.calendar,
            asked_elsewhere=frozenset(ASKED_BY_CLOSING),
            asks_approver=False,
        ),
        "refused": refused,
        "outcome": outcome,
        "outcomes": [
            Choice(label, href_with(here, query, outcome=key), key == outcome)
            for key, label in Outcome.choices
        ],
        "next": target,
        "move_query": query.urlencode(),
    }


def close(
    request: HttpRequest, deal: Opportunity, form: CloseForm, gate: GateForm, refused: MoveRefused | None
) -> HttpResponse | None:
    """Mark, fill in, close and answer, all or nothing; None where a rule refused, which then stands on the form."""
    tenant, cleaned = tenant_of(request), form.cleaned_data
    competitor_id = UUID(cleaned["competitor"]) if cleaned["competitor"] else None
    missing = refused.verdict.fields if refused else ()
    chosen = {"competitor": competitor_id, "close_date": cleaned["close_date"] or tenant.today}
    told = {ASKED_BY_CLOSING[name]: value for name, value in chosen.items() if name in missing}
    try:
        with transaction.atomic():
            mark_all(deal, gate, now=tenant.now)
            if filled := gate.changes() | told:
                opportunity_edit(deal.id, changes=filled)
            written = opportunity_close(
                deal.id,
                outcome=cleaned["outcome"],
                reason_id=UUID(cleaned["reason"]),
                competitor_id=competitor_id,
                close_date=cleaned["close_date"],
                now=tenant.now,
                today=tenant.today,
            )
    except (Refused, Invalid) as refusal:
        if refusal.field in FORM_FIELDS:
            form.add_error(FORM_FIELDS[refusal.field], refusal.reason)
        elif stand_on(gate, refusal) is None:
            form.add_error(None, refusal.reason)
        return None
    said = f"{deal.name}: {Outcome(cleaned['outcome']).label.lower()}"
    undo = undo_url(request, deal.id, written.before)
    return done(request, deal_url(request, deal.id), said=said, undo=undo)


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
