"""What every page of an organization may rely on: who looks, at which organization, and where else to go."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.urls import Resolver404, resolve

from otc.tenancy.permissions import may


@dataclass(frozen=True)
class Place:
    """A page in the navigation, for roles that may `action`. tab_label puts it into the narrow tab bar too."""

    path: str
    label: str
    icon: str
    go_key: str
    group: str = ""
    tab_label: str = ""
    action: str = ""


@dataclass(frozen=True)
class NavItem:
    """A place with its address in this organization."""

    place: Place
    href: str
    is_current: bool


PLACES = (
    Place("today/", "Today", "today", "t", tab_label="Today"),
    Place("deals/", "Deals", "deals", "d", tab_label="Deals"),
    Place("leads/", "Leads", "flag", "q"),
    Place("accounts/", "Accounts", "accounts", "a"),
    Place("inspection/", "Inspection", "inspection", "i", group="Inspect", tab_label="Inspect"),
    Place("flow/", "Flow", "flow", "w", group="Inspect"),
    Place("trends/", "Trends", "forecast", "e", group="Inspect"),
    Place("funnel/", "Funnel", "deals", "u", group="Inspect"),
    Place("health/", "Health", "inspection", "h", group="Inspect", action="view_health"),
    Place("integrity/", "Integrity", "triangle", "y", group="Inspect", action="view_health"),
    Place("team/", "Team", "team", "m", group="Inspect"),
    Place("alerts/", "Alerts", "bell", "b", group="Inspect", action="keep_alerts"),
    Place("approvals/", "Approvals", "check", "v", group="Inspect"),
    Place("forecast/", "Forecast", "forecast", "f", group="Forecast", tab_label="Forecast"),
    Place("landing/", "Landing", "landing", "l", group="Forecast"),
    Place("accuracy/", "Accuracy", "accuracy", "c", group="Forecast"),
    Place("winloss/", "Win/loss", "winloss", "x", group="Learn"),
    Place("reviews/", "Reviews", "reviews", "r", group="Learn"),
    Place("settings/", "Settings", "settings", "s", group="Learn", action="view_settings"),
)
TAB_BAR_PLACES = 4


@lru_cache(maxsize=64)
def page_exists(path: str) -> bool:
    """Whether the URL map answers below an organization, so that no link leads nowhere."""
    try:
        resolve(f"/o/any/{path}")
    except Resolver404:
        return False
    return True


def nav_items(*, org_url: str, path: str, role: str) -> list[NavItem]:
    """The places that exist and that this role may see, the current one marked."""
    return [
        NavItem(place=place, href=org_url + place.path, is_current=path.startswith(org_url + place.path))
        for place in PLACES
        if (not place.action or may(role, place.action)) and page_exists(place.path)
    ]


def ui(request: HttpRequest) -> dict[str, Any]:
    """Context processor: names of the organization and its navigation; empty outside of one."""
    tenant = getattr(request, "tenant", None)
    if tenant is None:
        return {"tenant": None, "organization": None, "person": None, "nav": [], "org_url": "/"}
    organization, person = tenant.organization, tenant.person
    org_url = f"/o/{organization.slug}/"
    nav = nav_items(org_url=org_url, path=request.path, role=getattr(person, "role", "") or "")
    return {
        "tenant": tenant,
        "organization": organization,
        "person": person,
        "organizations": tenant.organizations,
        "org_url": org_url,
        "currency": tenant.currency,
        "today": tenant.today,
        "nav": nav,
        "nav_tabs": [item for item in nav if item.place.tab_label][:TAB_BAR_PLACES],
    }
