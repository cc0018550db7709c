"""A deal held for a change: locked before it is read, so that nobody writes between the reading and the writing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from otc.tenancy.context import act_on, current_organization_id
from otc.tenancy.models import FOREVER
from otc.tenancy.reach import Reach
from pipeline.opportunities.models import Opportunity
from pipeline.team.queries import sees

# Two statements in one journey: the second sees what was committed while the first waited for the lock.
HOLD = """
SELECT 1 FROM pipeline_opportunity WHERE organization_id = %(organization)s AND id = %(deal)s FOR UPDATE;
SELECT o.*, v.id AS version_id FROM pipeline_opportunity o
JOIN pipeline_opportunityversion v ON v.organization_id = o.organization_id AND v.opportunity_id = o.id
  AND v.valid_to = %(forever)s AND v.known_to = %(forever)s
WHERE o.organization_id = %(organization)s AND o.id = %(deal)s
"""


@dataclass(frozen=True)
class Held:
    """A locked deal, the version that stands, which Undo of the change goes back to, and the values that it had."""

    deal: Opportunity
    version_id: UUID
    had: Mapping[str, Any]

    @property
    def changed(self) -> list[str]:
        """The columns whose value is another by now."""
        return [column for column, value in self.had.items() if getattr(self.deal, column) != value]


def hold(opportunity_id: UUID, *, visible: Reach | None = None) -> Held:
    """Lock the deal until the transaction ends; what is written from here on is about it. One query.

    Raises Opportunity.DoesNotExist where there is none, or where `visible` is given and doesn't hold it or it is
    deleted.
    """
    organization_id = str(current_organization_id())
    parameters = {"organization": organization_id, "deal": str(opportunity_id), "forever": FOREVER}
    found = list(Opportunity.objects.raw(HOLD, parameters))
    if not found:
        raise Opportunity.DoesNotExist
    deal: Opportunity = found[0]
    if visible is not None and not (
        deal.deleted_at is None and sees(visible, deal_id=deal.id, owner_id=deal.owner_id)
    ):
        raise Opportunity.DoesNotExist
    act_on(deal.owner_id)
    return Held(deal, found[0].version_id, values_of(deal))


def deal_held(opportunity_id: UUID) -> Opportunity:
    """The deal, locked, for what is written beside it. One query."""
    deal: Opportunity = Opportunity.objects.select_for_update().get(id=opportunity_id)
    act_on(deal.owner_id)
    return deal


def as_it_stands(deal: Opportunity) -> Opportunity:
    """A second one with the same values, as written as the first, that a change of the first doesn't reach."""
    second = Opportunity(**values_of(deal))
    second._state.adding = deal._state.adding
    return second


def values_of(deal: Opportunity) -> dict[str, Any]:
    """The deal's values by column."""
    return {column.attname: getattr(deal, column.attname) for column in deal._meta.concrete_fields}
