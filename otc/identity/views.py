"""Settings: the organization's facts and the API tokens."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from otc.identity.forms import TokenForm
from otc.identity.models import ApiToken
from otc.identity.queries import token_holders, tokens
from otc.identity.services import token_issue, token_revoke
from otc.identity.tabs import settings_tabs
from otc.logo.queries import logo_now
from otc.tenancy.middleware import Tenant
from otc.ui.pages import page


def tenant_of(request: HttpRequest) -> Tenant:
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]  # set by the middleware
    return tenant


@require_safe
@page("view_settings")
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    """The organization's facts."""
    context = {
        "page_title": "Settings",
        "tabs": settings_tabs(request, "settings"),
        "logo": logo_now(),
        "can_set_logo": tenant_of(request).may("manage_logo"),
    }
    return render(request, "otc/identity/settings.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@page("manage_own_tokens")
def token_list(request: HttpRequest, slug: str) -> HttpResponse:
    """One's own tokens, for administrators everybody's. A new one is shown in the answer to its form, never again."""
    tenant = tenant_of(request)
    manages_all = tenant.may("manage_tokens")
    form = TokenForm(request.POST or None, holders=token_holders(tenant.person, for_others=manages_all))
    issued = None
    if request.method == "POST" and form.is_valid():
        issued = token_issue(
            UUID(form.cleaned_data.get("person") or str(tenant.person.id)),
            name=form.cleaned_data["name"],
            scopes=frozenset(form.cleaned_data["scopes"]),
            expires_at=tenant.now + timedelta(days=int(form.cleaned_data["days"])),
            now=tenant.now,
        )
        form = TokenForm(holders=token_holders(tenant.person, for_others=manages_all))
    context = {
        "page_title": "API tokens",
        "tabs": settings_tabs(request, "tokens"),
        "form": form,
        "issued": issued,
        "tokens": tokens(of_person=None if manages_all else tenant.person.id, now=tenant.now),
        "manages_all": manages_all,
        "api_url": request.build_absolute_uri("/api/v1/opportunities"),
        "schema_url": reverse("api-schema"),
    }
    return render(request, "otc/identity/tokens.html", context, status=422 if form.errors else 200)


@require_POST
@page("manage_own_tokens")
def token_end(request: HttpRequest, slug: str, token_id: UUID) -> HttpResponse:
    """Revoke one's own token, or anybody's as an administrator."""
    tenant = tenant_of(request)
    found = ApiToken.objects.filter(id=token_id)
    if not tenant.may("manage_tokens"):
        found = found.filter(person_id=tenant.person.id)
    token = found.first()
    if token is None:
        raise Http404
    token_revoke(token, now=tenant.now)
    messages.success(request, f"“{token.name}” no longer works.")
    return redirect("tokens", slug=slug)
