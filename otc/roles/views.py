"""Roles and visibility: the whole matrix, who has which role, and who sees which deals."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from otc.identity.tabs import settings_tabs
from otc.roles.report import roles_report
from otc.tenancy.middleware import tenant_of
from otc.tenancy.models import Visibility
from otc.tenancy.services import visibility_set
from otc.ui.pages import page

MEANINGS = {
    Visibility.LINE: "One’s own deals and those of everybody below. A seat on a deal’s team opens nothing.",
    Visibility.TEAM: "Also the deals on whose team, or in whose splits, oneself or somebody below is.",
    Visibility.OPEN: "No deal is hidden from anybody in the organization.",
}


@require_safe
@page("view_settings")
def roles(request: HttpRequest, slug: str) -> HttpResponse:
    """The role table as it is enforced, and the choice of visibility."""
    tenant = tenant_of(request)
    context = {
        "page_title": "Roles",
        "tabs": settings_tabs(request, "roles"),
        "report": roles_report(today=tenant.today),
        "choices": [
            (kind.value, kind.label, MEANINGS[kind], kind == tenant.organization.visibility)
            for kind in Visibility
        ],
        "may_choose": tenant.may("manage_visibility"),
    }
    return render(request, "otc/roles/roles.html", context)


@require_POST
@page("manage_visibility")
def visibility(request: HttpRequest, slug: str) -> HttpResponse:
    """POST `visibility`, in the body or, from an undo, in the address."""
    chosen = request.POST.get("visibility") or request.GET.get("visibility")
    if chosen not in Visibility.values:
        messages.error(request, "Choose one of the three")
        return redirect("roles", slug=slug)
    before = visibility_set(tenant_of(request).organization.id, visibility=chosen)
    if before != chosen:
        undo = f"{reverse('visibility', args=[slug])}?visibility={before}"
        messages.success(request, f"{Visibility(chosen).label}: from now on", extra_tags=undo)
    return redirect("roles", slug=slug)
