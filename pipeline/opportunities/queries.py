"""Which deals may be seen, found by id or listed."""

from typing import Any
from uuid import UUID

from otc.tenancy.lines import Owners
from pipeline.opportunities.models import Opportunity

RELATED = ("account", "owner", "stage", "process", "reason", "competitor", "product")


def visible_opportunities(visible: Owners) -> Any:
    """Deals that aren't deleted, of owners the viewer may see."""
    return Opportunity.objects.filter(visible.matching("owner"), deleted_at__isnull=True)


def visible_opportunity(opportunity_id: UUID, *, visible: Owners) -> Opportunity | None:
    """One deal with its names, or None: not there and not visible look the same."""
    found = visible_opportunities(visible).select_related(*RELATED).filter(id=opportunity_id)
    deal: Opportunity | None = found.first()
    return deal
