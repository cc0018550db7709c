"""A move that the process refuses, put right: its missing fields and milestones, the approval, and then the move."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from otc.fields.rules import LARGEST_MINOR
from otc.money.rules import DECIMALS
from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions
from otc.ui.pages import page
from pipeline.accounts.rules import Invalid
from pipeline.approvals.decisions import approval_ask
from pipeline.approvals.models import ApprovalRequest
from pipeline.approvals.queries import open_request
from pipeline.fields.forms import input_of
from pipeline.opportunities.gate_forms import GateForm
from pipeline.opportunities.gates import change_verdict
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import MoveRefused, Refused
from pipeline.opportunities.services import opportunity_edit
from pipeline.opportunities.views.answers import deal_or_404, deal_url, undo_url
from pipeline.opportunities.views.board_parts import board_refusal, done, is_on_board
from pipeline.process.models import Stage
from pipeline.process.rules import BUILT_IN

AMOUNTS = ("amount_minor", "currency")
COLUMNS = {column: name for name, column, _ in BUILT_IN}


@page("edit_deal")
@answers_bad_questions
def deal_gate(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/gate/?stage=` or `?amount_minor=&currency=`: GET what is missing, POST it and the move."""
    deal = deal_or_404(request, deal_id)
    changes = asked_changes(request.POST if request.method == "POST" else request.GET)
    if "stage_id" in changes and not Stage.objects.filter(id=changes["stage_id"]).exists():
        raise Http404
    if not changes or deal.outcome is not None:
        return done(request, deal_url(request, deal_id), failed="There is no move to be made")
    problem, refused = "", None
    try:
        refused = change_verdict(deal, changes=changes)
    except Refused as refusal:
        problem = refusal.reason
    form = gate_form(request, deal, refused)
    is_ready = request.method == "POST" and not problem and form.is_valid()
    if is_ready and (answer := go_on(request, deal, form, changes)):
        return answer
    context = gate_context(request, deal, refused, form, changes) | {"problem": problem}
    if is_on_board(request):
        if problem:
            return board_refusal(request, title=f"{deal.name} stays where it is", note=problem)
        return render(request, "pipeline/opportunities/_gate_refusal.html", context, status=422)
    status = 422 if form.is_bound else 200
    return render(request, "pipeline/opportunities/gate.html", context, status=status)


def asked_changes(asked: QueryDict) -> dict[str, Any]:
    """The stage, or the amount, that the deal is to have; empty where neither can be meant."""
    try:
        if stage := asked.get("stage"):
            return {"stage_id": UUID(stage)}
        if amount := asked.get("amount_minor"):
            currency = {"currency": asked["currency"]} if asked.get("currency") in DECIMALS else {}
            return {"amount_minor": min(int(amount[:18]), LARGEST_MINOR), **currency}
    except ValueError:
        pass
    return {}


def gate_url(
    request: HttpRequest, deal: Opportunity, changes: Mapping[str, Any], refused: MoveRefused
) -> str:
    """The page that puts it right; empty where nothing would."""
    if refused.verdict.is_barred:
        return ""
    asked = (
        {"stage": changes["stage_id"]}
        if "stage_id" in changes
        else {name: changes[name] for name in AMOUNTS if name in changes}
    )
    url = reverse("deal_gate", args=[tenant_of(request).organization.slug, deal.id])
    return f"{url}?{urlencode(asked)}"


def gate_form(request: HttpRequest, deal: Opportunity, refused: MoveRefused | None) -> GateForm:
    tenant = tenant_of(request)
    is_ours = request.method == "POST" and request.path.endswith("/gate/")
    return GateForm(
        request.POST if is_ours else None,
        deal=deal,
        refused=refused,
        today=tenant.today,
        calendar=tenant.calendar,
    )


def gate_context(
    request: HttpRequest,
    deal: Opportunity,
    refused: MoveRefused | None,
    form: GateForm,
    changes: Mapping[str, Any],
) -> dict[str, Any]:
    stage_id = changes.get("stage_id")
    stage = Stage.objects.filter(id=stage_id).first() if stage_id else deal.stage
    return {
        "page_title": f"{deal.name} to {stage.name if stage else 'its stage'}",
        "deal": deal,
        "stage": stage,
        "is_move": stage_id is not None,
        "refused": refused,
        "form": form,
        "asked": [("stage", stage_id)] if stage_id else [(name, changes[name]) for name in changes],
        "waiting": open_request(deal.id),
        "title": f"{deal.name} stays in {deal.stage.name if deal.stage else 'its stage'}",
        "move_query": request.GET.urlencode(),
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }


def go_on(
    request: HttpRequest, deal: Opportunity, form: GateForm, changes: Mapping[str, Any]
) -> HttpResponse | None:
    """Mark, fill in, move or ask; None where a rule refused, which then stands on the form and nothing is written."""
    now = tenant_of(request).now
    try:
        with transaction.atomic():
            mark_all(deal, form, now=now)
            if filled := form.changes():
                opportunity_edit(deal.id, changes=filled)
            outcome = approval_ask(deal.id, changes=changes, note=form.cleaned_data.get("note", ""), now=now)
    except (Refused, Invalid) as refusal:
        if stand_on(form, refusal) is None:
            form.add_error(None, refusal.reason)
        return None
    if isinstance(outcome, ApprovalRequest):
        who = outcome.asked_of.name if outcome.asked_of else "a manager"
        said = f"{who} is asked; {deal.name} moves once that is granted"
        return done(request, deal_url(request, deal.id), said=said)
    stage = outcome.opportunity.stage
    said = f"{deal.name} moved to {stage.name}" if "stage_id" in changes and stage else f"{deal.name} changed"
    return done(
        request, deal_url(request, deal.id), said=said, undo=undo_url(request, deal.id, outcome.before)
    )


def mark_all(deal: Opportunity, form: GateForm, *, now: datetime) -> None:
    """Each milestone of the form, with its evidence. Raises Refused."""
    for one in form.marks():
        milestone_mark(
            deal.id, milestone_id=one.milestone_id, state=one.state, note=one.note, url=one.url, now=now
        )


def stand_on(form: GateForm, refusal: Refused | Invalid) -> str | None:
    """Put a refusal beside the input that it is about; None where the form has no such input."""
    name = COLUMNS.get(refusal.field, input_of(refusal.field))
    if name not in form.fields:
        return None
    form.add_error(name, refusal.reason)
    return name
