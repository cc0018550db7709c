"""The pages around the forecast, which lead to each other with the period that one looks at."""

from django.http import HttpRequest
from django.urls import reverse

from otc.tenancy.middleware import tenant_of
from otc.ui.controls import Tab, href_with

TABS = (
    ("forecast", "Grid"),
    ("forecast_calls", "Calls"),
    ("forecast_history", "History"),
    ("quotas", "Quotas"),
    ("forecast_locks", "Locks"),
)
KEPT = ("period", "scope", "as_of", "type", "currency")
FRAME = (*KEPT, "knowledge", "org_chart", "since")


def forecast_tabs(request: HttpRequest, current: str) -> list[Tab]:
    """The pages, `current` marked; each keeps whom and when one asks of."""
    slug = tenant_of(request).organization.slug
    kept = {name: request.GET[name] for name in KEPT if name in request.GET}
    return [
        Tab(label, href_with(reverse(name, args=[slug]), kept), is_current=name == current)
        for name, label in TABS
    ]


def landing_href(request: HttpRequest, **changes: str) -> str:
    """The landing of what one looks at, compared with the same day."""
    framed = {name: request.GET[name] for name in FRAME if request.GET.get(name)}
    return href_with(reverse("landing", args=[tenant_of(request).organization.slug]), framed | changes)
