"""The security page: what every sign-in of this organization must fulfil."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from otc.identity.policy.forms import UNLIMITED, PolicyForm
from otc.identity.policy.queries import readiness
from otc.identity.tabs import settings_tabs
from otc.tenancy.middleware import tenant_of
from otc.tenancy.services import organization_policy_set
from otc.ui.pages import page


@require_http_methods(["GET", "HEAD", "POST"])
@page("manage_policy")
def security(request: HttpRequest, slug: str) -> HttpResponse:
    """Read and change the policy; it holds from the next request of everybody on."""
    tenant = tenant_of(request)
    organization = tenant.organization
    initial = {
        name: getattr(organization, name) or UNLIMITED[0]
        for name in ("second_factor", "session_idle_minutes", "session_length_hours")
    }
    form = PolicyForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        organization_policy_set(**form.cleaned_data)
        messages.success(request, "Saved. It holds from everybody’s next click on.")
        return redirect("security", slug=slug)
    context = {
        "page_title": "Security",
        "tabs": settings_tabs(request, "security"),
        "form": form,
        "readiness": readiness(today=tenant.today),
    }
    return render(request, "otc/identity/security.html", context, status=422 if form.errors else 200)
