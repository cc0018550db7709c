"""Putting a deal back, by somebody who may see it once it is back: also when the change took it out of their sight."""

from uuid import UUID

from django.db import transaction

from otc.tenancy.reach import Reach
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import Written, opportunity_undo
from pipeline.team.queries import seen


def opportunity_undo_in_sight(deal_id: UUID, *, to_version: UUID, visible: Reach) -> Written:
    """Undo the last change. Raises Refused, and Opportunity.DoesNotExist for a deal out of sight before and after.

    Who gave a deal away may take that back; who has never seen it learns nothing of it.
    """
    in_sight = Opportunity.objects.filter(seen(visible), id=deal_id)
    was_in_sight = in_sight.exists()
    try:
        with transaction.atomic():
            written = opportunity_undo(deal_id, to_version=to_version)
            if not was_in_sight and not in_sight.exists():
                raise Opportunity.DoesNotExist
    except Refused:
        if not was_in_sight:
            raise Opportunity.DoesNotExist from None
        raise
    return written
