"""What waits for approval, one question with its answer, and taking a question back."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from pipeline.approvals.decisions import (
    approval_decline,
    approval_grant,
    approval_withdraw,
    may_decide,
)
from pipeline.approvals.models import ApprovalRequest, ApprovalState
from pipeline.approvals.queries import MOST, visible_requests
from pipeline.opportunities.rules import Refused


@require_safe
@page("view_deals")
def approvals(request: HttpRequest, slug: str) -> HttpResponse:
    """`/approvals/`: what waits, and the latest answers, about deals in sight."""
    found = visible_requests(tenant_of(request).visible)
    waiting = list(found.filter(state=ApprovalState.ASKED)[:MOST])
    decided = list(found.exclude(state=ApprovalState.ASKED)[:MOST])
    context = {"page_title": "Approvals", "waiting": waiting, "decided": decided}
    return render(request, "pipeline/approvals/approvals.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page("view_deals")
def approval(request: HttpRequest, slug: str, approval_id: UUID) -> HttpResponse:
    """`/approvals/<id>/`: GET the question, POST `answer` granted or declined, with a `reason`."""
    found = request_or_404(request, approval_id)
    error = ""
    if request.method == "POST":
        error = decide(request, found)
        if not error:
            return redirect("approval", slug=slug, approval_id=approval_id)
    return render(
        request,
        "pipeline/approvals/approval.html",
        context_of(request, found) | {"error": error},
        status=422 if error else 200,
    )


def decide(request: HttpRequest, found: ApprovalRequest) -> str:
    """Why it can't be decided so; empty where it is done, and said."""
    tenant, reason = tenant_of(request), request.POST.get("reason", "")
    if not tenant.may_on("edit_deal", found.opportunity.owner_id):
        return "Your role doesn’t decide about deals"
    try:
        with transaction.atomic():
            if request.POST.get("answer") == "granted":
                approval_grant(found.id, reason=reason, now=tenant.now)
                messages.success(request, f"Granted: {found.opportunity.name} moved on")
            else:
                approval_decline(found.id, reason=reason, now=tenant.now)
                messages.success(request, f"Declined; {found.opportunity.name} stays where it is")
    except Refused as refused:
        return refused.reason
    return ""


@require_POST
@page("edit_deal")
def approval_take_back(request: HttpRequest, slug: str, approval_id: UUID) -> HttpResponse:
    """Withdraw the question."""
    found = request_or_404(request, approval_id)
    try:
        approval_withdraw(found.id, now=tenant_of(request).now)
    except Refused as refused:
        messages.error(request, refused.reason)
    else:
        messages.success(request, "Taken back")
    return redirect("approval", slug=slug, approval_id=approval_id)


def request_or_404(request: HttpRequest, approval_id: UUID) -> ApprovalRequest:
    found: ApprovalRequest | None = (
        visible_requests(tenant_of(request).visible).filter(id=approval_id).first()
    )
    if found is None:
        raise Http404
    return found


def context_of(request: HttpRequest, found: ApprovalRequest) -> dict[str, Any]:
    tenant = tenant_of(request)
    return {
        "page_title": f"Approval for {found.opportunity.name}",
        "request_for": found,
        "deal": found.opportunity,
        "can_decide": found.is_asked and may_decide(found, now=tenant.now),
        "is_mine": found.is_asked and found.asked_by_id == tenant.person.id,
        "all_href": reverse("approvals", args=[tenant.organization.slug]),
        "reason": request.POST.get("reason", ""),
    }
