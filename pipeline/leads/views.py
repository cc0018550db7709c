"""Leads: the list, one lead, and what is decided about it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions
from otc.ui.controls import Tab, href_with
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.accounts.models import Account
from pipeline.accounts.rules import Invalid
from pipeline.leads.forms import ConvertForm, LeadForm, ReturnForm, initial_of
from pipeline.leads.models import Lead, LeadState
from pipeline.leads.report import checklist_of, leads_report, visible_lead
from pipeline.leads.rules import LeadRefused
from pipeline.leads.services import (
    lead_convert,
    lead_create,
    lead_edit,
    lead_marks_set,
    lead_reopen,
    lead_return,
)
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.views.answers import back

TABS = {"open": "Open", "converted": "Converted", "returned": "Returned", "any": "All"}
SUGGESTED = 100
REFUSALS = (LeadRefused, Invalid, Refused)


@require_safe
@page("view_leads")
@answers_bad_questions
def leads(request: HttpRequest, slug: str) -> HttpResponse:
    """`/leads/?state=&q=&sort=&after=`."""
    state, after = request.GET.get("state") or "open", request.GET.get("after")
    words = request.GET.get("q", "")[:200].replace("\x00", "")
    sort = request.GET.get("sort") or "-created"
    report = leads_report(
        visible=tenant_of(request).visible, state=state, words=words, sort=sort, after=after
    )
    context = {
        "page_title": "Leads",
        "report": report,
        "state": state,
        "words": words,
        "open_count": report.counts["open"],
        "tabs": [
            Tab(
                label,
                href_with(request.path, {}, state=key, q=words or None),
                report.counts[key],
                key == state,
            )
            for key, label in TABS.items()
        ],
        "next_href": href_with(request.path, request.GET, after=report.next_cursor)
        if report.next_cursor
        else "",
        "first_href": href_with(request.path, request.GET, after=None) if after else "",
        "can_edit_leads": tenant_of(request).may("edit_lead"),
        "can_define": tenant_of(request).may("manage_process"),
    }
    return render(request, "pipeline/leads/leads.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page("edit_lead")
def lead_new(request: HttpRequest, slug: str) -> HttpResponse:
    """`/leads/new/`."""
    initial = {"owner": str(tenant_of(request).person.id)}
    form = LeadForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            found = lead_create(now=timezone.now(), **form.lead_fields())
        except LeadRefused as refusal:
            blame(form, refusal)
        else:
            messages.success(request, f"{found.name} added")
            return redirect("lead", slug=slug, lead_id=found.id)
    context = {"page_title": "New lead", "form": form, "home": reverse("leads", args=[slug]), **suggestions()}
    return render(request, "pipeline/leads/lead_form.html", context, status=422 if form.is_bound else 200)


@require_safe
@page("view_leads")
def lead(request: HttpRequest, slug: str, lead_id: UUID) -> HttpResponse:
    """`/leads/<id>/`: what is known, the checklist, and what becomes of it."""
    return lead_page(request, lead_or_404(request, lead_id))


def lead_page(
    request: HttpRequest,
    found: Lead,
    *,
    convert: ConvertForm | None = None,
    returned: ReturnForm | None = None,
) -> HttpResponse:
    questions, fit = checklist_of(found.id)
    is_open = found.state == LeadState.OPEN
    can_edit = tenant_of(request).may("edit_lead")
    context: dict[str, Any] = {
        "page_title": found.name,
        "lead": found,
        "questions": questions,
        "fit": fit,
        "is_open": is_open,
        "can_edit_lead": can_edit,
        "can_decide": can_edit and is_open,
    }
    if can_edit and is_open:
        context |= {
            "convert_form": convert or convert_form(request, found),
            "return_form": returned or ReturnForm(),
            "accounts": Account.objects.order_by("name_folded").values_list("name", flat=True)[:SUGGESTED],
        }
    refused = (convert and convert.is_bound) or (returned and returned.is_bound)
    return render(request, "pipeline/leads/lead.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page("edit_lead")
def lead_change(request: HttpRequest, slug: str, lead_id: UUID) -> HttpResponse:
    """`/leads/<id>/edit/`."""
    found = lead_or_404(request, lead_id)
    form = LeadForm(request.POST if request.method == "POST" else None, initial=initial_of(found))
    home = reverse("lead", args=[slug, lead_id])
    if form.is_bound and form.is_valid():
        try:
            step_id = lead_edit(lead_id, changes=form.lead_fields())
        except LeadRefused as refusal:
            blame(form, refusal)
        else:
            messages.success(request, f"{found.name} saved", extra_tags=undo_address(slug, step_id))
            return redirect(home)
    context = {"page_title": f"Edit {found.name}", "form": form, "lead": found, "home": home, **suggestions()}
    return render(request, "pipeline/leads/lead_form.html", context, status=422 if form.is_bound else 200)


@require_POST
@page("edit_lead")
def lead_checks(request: HttpRequest, slug: str, lead_id: UUID) -> HttpResponse:
    """POST `check` once per question that holds."""
    lead_or_404(request, lead_id)
    try:
        wanted = [UUID(one) for one in request.POST.getlist("check")]
        lead_marks_set(lead_id, check_ids=wanted, now=timezone.now())
    except (ValueError, LeadRefused) as refusal:
        failed = str(refusal) if isinstance(refusal, LeadRefused) else "Load the page again"
        return back(request, reverse("lead", args=[slug, lead_id]), failed=failed, has_origin=False)
    return back(request, reverse("lead", args=[slug, lead_id]), said="Checklist saved", has_origin=False)


@require_POST
@page("edit_lead")
def lead_to_deal(request: HttpRequest, slug: str, lead_id: UUID) -> HttpResponse:
    """One step: account, contact and deal, which says where it came from."""
    found = lead_or_404(request, lead_id)
    form = convert_form(request, found, request.POST)
    if found.state != LeadState.OPEN:
        return decided_already(request, found)
    if not form.is_valid():
        return lead_page(request, found, convert=form)
    try:
        with transaction.atomic():
            deal, step_id = lead_convert(lead_id, conversion=form.conversion(), now=timezone.now())
    except REFUSALS as refusal:
        blame(form, refusal)
        return lead_page(request, found, convert=form)
    messages.success(request, f"{found.name} is a deal now", extra_tags=undo_address(slug, step_id))
    return redirect("deal", slug=slug, deal_id=deal.id)


@require_POST
@page("edit_lead")
def lead_back(request: HttpRequest, slug: str, lead_id: UUID) -> HttpResponse:
    """Back, with a reason."""
    found = lead_or_404(request, lead_id)
    form = ReturnForm(request.POST)
    if found.state != LeadState.OPEN:
        return decided_already(request, found)
    if not form.is_valid():
        return lead_page(request, found, returned=form)
    try:
        step_id = lead_return(lead_id, now=timezone.now(), **form.cleaned_data)
    except LeadRefused as refusal:
        return back(request, reverse("lead", args=[slug, lead_id]), failed=refusal.reason, has_origin=False)
    undo = undo_address(slug, step_id)
    return back(
        request, reverse("leads", args=[slug]), said=f"{found.name} returned", undo=undo, has_origin=False
    )


@require_POST
@page("edit_lead")
def lead_open_again(request: HttpRequest, slug: str, lead_id: UUID) -> HttpResponse:
    found = lead_or_404(request, lead_id)
    home = reverse("lead", args=[slug, lead_id])
    try:
        lead_reopen(lead_id)
    except LeadRefused as refusal:
        return back(request, home, failed=refusal.reason, has_origin=False)
    return back(request, home, said=f"{found.name} is open again", has_origin=False)


def decided_already(request: HttpRequest, found: Lead) -> HttpResponse:
    """Somebody was faster."""
    home = reverse("lead", args=[tenant_of(request).organization.slug, found.id])
    failed = f"This lead is {found.get_state_display().lower()} already"
    return back(request, home, failed=failed, has_origin=False)


def lead_or_404(request: HttpRequest, lead_id: UUID) -> Lead:
    found = visible_lead(lead_id, visible=tenant_of(request).visible)
    if found is None:
        raise Http404
    return found


def convert_form(request: HttpRequest, found: Lead, *args: Any) -> ConvertForm:
    tenant = tenant_of(request)
    return ConvertForm(
        *args,
        lead=found,
        currency=tenant.organization.currency,
        today=tenant.today,
        calendar=tenant.calendar,
    )


def blame(form: Any, refusal: Any) -> None:
    """Put a refusal where it belongs, on its input or above them."""
    names = {"amount_minor": "amount", "currency": "amount", "account_name": "account"}
    name = names.get(refusal.field, refusal.field)
    form.add_error(name if name in form.fields else None, refusal.reason)


def suggestions() -> dict[str, Any]:
    """Sources and campaigns that were written before. Two queries."""
    found = Lead.objects.order_by()
    return {
        f"{column}s": list(
            found.exclude(**{column: ""})
            .order_by(column)
            .values_list(column, flat=True)
            .distinct()[:SUGGESTED]
        )
        for column in ("source", "campaign")
    }
