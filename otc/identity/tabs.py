"""The tabs that every settings page bears."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from otc.ui.controls import Tab

# URL name, label, action of the role table.
TABS = (
    ("settings", "Organization", "view_settings"),
    ("people", "People", "view_settings"),
    ("roles", "Roles", "view_settings"),
    ("delegates", "Delegates", "name_delegate"),
    ("security", "Security", "manage_policy"),
    ("process", "Process", "view_settings"),
    ("fields", "Fields", "manage_fields"),
    ("fit", "Fit", "manage_fit"),
    ("health_settings", "Health", "manage_health"),
    ("imports", "Imports", "view_imports"),
    ("calendar", "Calendar", "view_settings"),
    ("forecast_types", "Forecasts", "manage_forecast_types"),
    ("rhythm", "Rhythm", "manage_rhythm"),
    ("pay", "Pay", "manage_pay"),
    ("currencies", "Currencies", "view_settings"),
    ("big_deals", "Big deals", "manage_notices"),
    ("tokens", "API tokens", "manage_own_tokens"),
    ("audit", "Audit", "view_audit"),
)


def settings_tabs(request: HttpRequest, current: str) -> list[Tab]:
    """The settings pages that the viewer may open, `current` marked."""
    tenant: Any = request.tenant  # type: ignore[attr-defined]  # set by the middleware
    return [
        Tab(label, reverse(name, kwargs={"slug": tenant.organization.slug}), is_current=name == current)
        for name, label, action in TABS
        if tenant.may(action)
    ]
