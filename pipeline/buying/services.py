"""The only writers of buying roles. A change or a removal ends an interval; nothing that stood is rewritten."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from otc.jobs.services import enqueue
from otc.tenancy.models import FOREVER
from pipeline.accounts.models import Account, Contact
from pipeline.buying.models import BuyingRole, Influence, Part, Stance
from pipeline.opportunities.holding import deal_held
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import HEALTH_JOB

CHOICES = {"role": Part, "influence": Influence, "stance": Stance}
TAKEN_BACK_WITHIN = timedelta(hours=1)
CHANGED_SINCE = "Somebody changed the buying team since; look at it before you go back"


@dataclass(frozen=True)
class Written:
    """What undo needs: the role that a write began (`made`) and the one that it ended (`ended`)."""

    made: BuyingRole | None
    ended: BuyingRole | None


def buying_role_add(
    opportunity_id: UUID,
    *,
    contact_id: UUID,
    role: str,
    now: datetime,
    influence: str = Influence.MEDIUM,
    stance: str = Stance.UNKNOWN,
) -> Written:
    """Give a contact of the deal's account (or of its parent or sites) a part from `now` on.

    Raises Refused for somebody from elsewhere, an unknown word, and a part that the contact plays already.
    """
    _check_words({"role": role, "influence": influence, "stance": stance})
    deal = deal_held(opportunity_id)
    _check_contact(deal, contact_id)
    _check_not_taken(deal.id, contact_id, role)
    made = BuyingRole(
        opportunity_id=deal.id,
        contact_id=contact_id,
        role=role,
        influence=influence,
        stance=stance,
        valid_from=now,
    )
    made.save()
    enqueue(HEALTH_JOB, subject=deal.id)
    return Written(made, None)


def buying_role_change(
    opportunity_id: UUID, buying_role_id: UUID, *, changes: Mapping[str, Any], now: datetime
) -> Written:
    """Change role, influence or stance from `now` on. Raises Refused; DoesNotExist for one that has ended."""
    _check_words(changes)
    deal = deal_held(opportunity_id)
    present = _current(deal.id, buying_role_id)
    fields = {name: changes.get(name, getattr(present, name)) for name in CHOICES}
    if all(getattr(present, name) == value for name, value in fields.items()):
        return Written(None, None)
    if fields["role"] != present.role:
        _check_not_taken(deal.id, present.contact_id, fields["role"])
    end = _end(present, now)
    made = BuyingRole(opportunity_id=deal.id, contact_id=present.contact_id, valid_from=end, **fields)
    made.save()
    enqueue(HEALTH_JOB, subject=deal.id)
    return Written(made, present)


def buying_role_remove(opportunity_id: UUID, buying_role_id: UUID, *, now: datetime) -> Written:
    """End the part at `now`; it stays in the past. DoesNotExist for one that has ended already."""
    deal = deal_held(opportunity_id)
    present = _current(deal.id, buying_role_id)
    _end(present, now)
    enqueue(HEALTH_JOB, subject=deal.id)
    return Written(None, present)


def buying_role_undo(
    opportunity_id: UUID, *, made_id: UUID | None, ended_id: UUID | None, now: datetime
) -> None:
    """Take back the last write: forget what it began, let what it ended go on.

    Raises Refused when the team was changed since, and after an hour: then a change of its own is due.
    """
    deal = deal_held(opportunity_id)
    roles = BuyingRole.objects.filter(opportunity_id=deal.id)
    recent = now - TAKEN_BACK_WITHIN
    made = roles.filter(id=made_id, valid_to=FOREVER, valid_from__gt=recent).first() if made_id else None
    ended = roles.filter(id=ended_id, valid_to__gt=recent).exclude(valid_to=FOREVER).first()
    is_one_write = made is None or ended is None or made.valid_from == ended.valid_to
    if (made_id and made is None) or (ended_id and ended is None) or not is_one_write:
        raise Refused("undo", CHANGED_SINCE)
    if made is not None:
        made.delete()
    if ended is not None:
        if roles.filter(contact_id=ended.contact_id, role=ended.role, valid_to=FOREVER).exists():
            raise Refused("undo", CHANGED_SINCE)
        ended.valid_to = FOREVER
        ended.save(update_fields=["valid_to"])
    enqueue(HEALTH_JOB, subject=deal.id)


def _current(opportunity_id: UUID, buying_role_id: UUID) -> BuyingRole:
    present: BuyingRole = BuyingRole.objects.get(
        id=buying_role_id, opportunity_id=opportunity_id, valid_to=FOREVER
    )
    return present


def _end(present: BuyingRole, now: datetime) -> datetime:
    """End an interval at `now`, at least a microsecond after it began, so that none is empty."""
    present.valid_to = max(now, present.valid_from + timedelta(microseconds=1))
    present.save(update_fields=["valid_to"])
    end: datetime = present.valid_to
    return end


def _check_words(fields: Mapping[str, Any]) -> None:
    for name, choices in CHOICES.items():
        if name in fields and fields[name] not in choices.values:
            raise Refused(name, "Choose one of: " + ", ".join(label.lower() for label in choices.labels))


def _check_contact(deal: Opportunity, contact_id: UUID) -> None:
    """Refuse nobody, and somebody whose account has nothing to do with the deal's."""
    if deal.account_id is None:
        raise Refused("contact_id", "Give the deal an account first: its people make the buying team")
    house = Account.objects.filter(id=deal.account_id).values("parent_id")
    family = Q(account_id=deal.account_id) | Q(account_id__in=house) | Q(account__parent_id=deal.account_id)
    if not Contact.objects.filter(family, id=contact_id).exists():
        raise Refused("contact_id", "There is no such contact at the deal's account; add them there first")


def _check_not_taken(opportunity_id: UUID, contact_id: UUID, role: str) -> None:
    playing = BuyingRole.objects.filter(
        opportunity_id=opportunity_id, contact_id=contact_id, role=role, valid_to=FOREVER
    )
    if playing.exists():
        raise Refused("role", f"This contact is {Part(role).label.lower()} here already")
