"""A deal held for a change: locked before it is read, so that nobody writes between the reading and the writing."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from otc.tenancy.context import act_on, current_organization_id
from otc.tenancy.models import FOREVER
from otc.tenancy.reach import Reach
from pipeline.opportunities.models import Opportunity
from pipeline.team.queries import sees

# Two statements in one journey: the second sees what was committed while the first waited for the lock.
HOLD = """
SELECT 1 FROM pipeline_opportunity WHERE organization_id = %(organization)s AND id = %(deal)s FOR UPDATE;
SELECT id FROM pipeline_opportunityversion WHERE organization_id = %(organization)s AND opportunity_id = %(deal)s
  AND valid_to = %(forever)s AND known_to = %(forever)s
"""


@dataclass(frozen=True)
class Held:
    """A locked deal, and the version that stands: what Undo of the change goes back to."""

    deal: Opportunity
    version_id: UUID


def hold(opportunity_id: UUID, *, visible: Reach | None = None) -> Held:
    """Lock the deal until the transaction ends; what is written from here on is about it. Two queries.

    Raises Opportunity.DoesNotExist where there is none, or where `visible` is given and doesn't hold it or it is
    deleted.
    """
    with connection.cursor() as cursor:
        organization_id = str(current_organization_id())
        cursor.execute(
            HOLD, {"organization": organization_id, "deal": str(opportunity_id), "forever": FOREVER}
        )
        version = cursor.fetchone()
    deal: Opportunity = Opportunity.objects.get(id=opportunity_id)
    if visible is not None and not (
        deal.deleted_at is None and sees(visible, deal_id=deal.id, owner_id=deal.owner_id)
    ):
        raise Opportunity.DoesNotExist
    act_on(deal.owner_id)
    return Held(deal, version[0])


def deal_held(opportunity_id: UUID) -> Opportunity:
    """The deal, locked, for what is written beside it. One query."""
    deal: Opportunity = Opportunity.objects.select_for_update().get(id=opportunity_id)
    act_on(deal.owner_id)
    return deal


def as_it_stands(deal: Opportunity) -> Opportunity:
    """A second one with the same values, that a change of the first doesn't reach."""
    columns = (column.attname for column in deal._meta.concrete_fields)
    return Opportunity(**{column: getattr(deal, column) for column in columns})
