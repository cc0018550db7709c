"""Delegates: who stands in for whom, naming one, and taking that back."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from otc.delegation.forms import DelegateForm
from otc.delegation.models import Delegation
from otc.delegation.queries import delegations
from otc.delegation.rules import DelegationRefused
from otc.delegation.services import delegate_name, delegation_end, delegation_restore
from otc.identity.tabs import settings_tabs
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page


@require_http_methods(["GET", "HEAD", "POST"])
@page("name_delegate")
def delegates(request: HttpRequest, slug: str) -> HttpResponse:
    """One's own delegations, for administrators everybody's; POST names a delegate."""
    tenant = tenant_of(request)
    for_others = tenant.may("manage_delegates")
    form = DelegateForm(request.POST or None, person=tenant.person, for_others=for_others, today=tenant.today)
    if request.method == "POST" and form.is_valid():
        try:
            named = delegate_name(
                form.manager_id,
                delegate_id=UUID(form.cleaned_data["delegate"]),
                first_on=form.cleaned_data["first_on"],
                last_on=form.cleaned_data["last_on"],
                today=tenant.today,
            )
        except DelegationRefused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.reason)
        else:
            undo = reverse("delegation_end", args=[slug, named.id])
            said = f"{named.delegate.name} stands in for {named.manager.name}"
            messages.success(request, said, extra_tags=undo)
            return redirect("delegates", slug=slug)
    listed = delegations(of_person=None if for_others else tenant.person.id, today=tenant.today)
    context = {
        "page_title": "Delegates",
        "tabs": settings_tabs(request, "delegates"),
        "form": form,
        "listed": listed,
        "for_others": for_others,
        "running": [one.delegation for one in listed if one.state == "running"],
    }
    return render(request, "otc/delegation/delegates.html", context, status=422 if form.errors else 200)


def own_delegation(request: HttpRequest, delegation_id: UUID) -> Delegation:
    """A delegation that the viewer may end: their own absence, or as an administrator anybody's."""
    tenant = tenant_of(request)
    found = Delegation.objects.select_related("manager", "delegate").filter(id=delegation_id)
    if not tenant.may("manage_delegates"):
        found = found.filter(manager_id=tenant.person.id)
    delegation: Delegation | None = found.first()
    if delegation is None:
        raise Http404
    return delegation


@require_POST
@page("name_delegate")
def delegation_take_back(request: HttpRequest, slug: str, delegation_id: UUID) -> HttpResponse:
    """End a delegation at once."""
    delegation = own_delegation(request, delegation_id)
    delegation_end(delegation, now=tenant_of(request).now)
    said = f"{delegation.delegate.name} no longer stands in for {delegation.manager.name}"
    messages.success(request, said, extra_tags=reverse("delegation_again", args=[slug, delegation_id]))
    return redirect("delegates", slug=slug)


@require_POST
@page("name_delegate")
def delegation_again(request: HttpRequest, slug: str, delegation_id: UUID) -> HttpResponse:
    """Undo of taking it back."""
    delegation = own_delegation(request, delegation_id)
    try:
        delegation_restore(delegation, today=tenant_of(request).today)
    except DelegationRefused as refusal:
        messages.error(request, refusal.reason)
    else:
        messages.success(request, f"{delegation.delegate.name} stands in again")
    return redirect("delegates", slug=slug)
