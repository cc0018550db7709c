"""Putting a deal back, by somebody who may see it once it is back: also when the change took it out of their sight."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from otc.tenancy.context import current_context, current_organization_id
from otc.tenancy.models import Organization, Person
from otc.tenancy.reach import Reach, visible_reach
from otc.undo.registry import CantUndo
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


def put_version_back(deal_id: UUID, version_id: UUID) -> None:
    """The same for a step that Undo takes back: by the person at work. Raises CantUndo."""
    person = Person.objects.get(id=current_context().person_id)
    organization = Organization.objects.get(id=current_organization_id())
    visible = visible_reach(person, organization=organization, now=timezone.now())
    try:
        opportunity_undo_in_sight(deal_id, to_version=version_id, visible=visible)
    except Refused as refusal:
        raise CantUndo(refusal.reason) from refusal
    except Opportunity.DoesNotExist:
        raise CantUndo("This deal is out of your sight now; ask its owner") from None
