"""What other rooms show on a deal's page: they say so here, since this package doesn't know them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from otc.tenancy.middleware import Tenant


@dataclass(frozen=True)
class Panel:
    """A page of its own at the URL name `address`, loaded into the deal's. `is_for` asks no query: of a viewer and a
    deal, or a version of it.
    """

    address: str
    label: str
    is_for: Callable[[Tenant, Any], bool]


PANELS: dict[str, Panel] = {}


def show_panel(panel: Panel) -> None:
    """Register a room's panel, once, when its application is ready."""
    PANELS[panel.address] = panel


def panels_of(tenant: Tenant, deal: Any) -> list[Panel]:
    """What the viewer is shown of a deal beside its own facts."""
    return [panel for panel in PANELS.values() if panel.is_for(tenant, deal)]
