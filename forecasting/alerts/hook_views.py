"""Where alerts are posted to, with the answers, and a new address whose secret is shown once."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from forecasting.alerts.forms import HookForm
from forecasting.alerts.models import AlertDelivery, AlertHook
from forecasting.alerts.services import hook_add, hook_remove
from forecasting.alerts.views import tabs
from otc.tenancy.middleware import Tenant, tenant_of
from otc.ui.pages import page
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.team.queries import seen

SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@page("manage_alerts")
def alert_hooks(request: HttpRequest, slug: str) -> HttpResponse:
    """`/alerts/hooks/`: POST `name` and `url` makes one; its secret is in the answer to the form, never again."""
    tenant = tenant_of(request)
    form, made = HookForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            made = hook_add(**form.cleaned_data, owner=tenant.person, now=tenant.now)
        except Refused as refusal:
            form.add_error(refusal.field, refusal.reason)
        else:
            form = HookForm()
    hooks = AlertHook.objects.filter(deleted_at__isnull=True).select_related("owner")
    context = {
        "page_title": "Webhooks",
        "tabs": tabs(request, "alert_hooks"),
        "form": form,
        "made": made,
        "hooks": list(hooks.order_by("name", "id")),
        "deliveries": deliveries_shown(tenant),
    }
    return render(request, "forecasting/alerts/hooks.html", context, status=422 if form.errors else 200)


def deliveries_shown(tenant: Tenant) -> list[AlertDelivery]:
    """The latest posts: samples, and those about deals that the viewer may see. One query."""
    visible = Opportunity.objects.filter(seen(tenant.visible)).values("id")
    found = AlertDelivery.objects.select_related("hook", "fired", "fired__rule")
    sees_all = tenant.visible.owners.person_ids is None
    rows = (
        found if sees_all else found.filter(fired__isnull=True) | found.filter(fired__opportunity__in=visible)
    )
    return list(rows.order_by("-created_at", "-id")[:SHOWN])


@require_POST
@page("manage_alerts")
def alert_hook_remove(request: HttpRequest, slug: str, hook_id: UUID) -> HttpResponse:
    """Nothing is posted there any more."""
    tenant = tenant_of(request)
    hook = AlertHook.objects.filter(id=hook_id, deleted_at__isnull=True).first()
    if hook is None:
        raise Http404
    hook_remove(hook, now=tenant.now)
    messages.success(
        request, f"Nothing is posted to “{hook.name}” any more. Make another to post there again."
    )
    return redirect("alert_hooks", slug=slug)
