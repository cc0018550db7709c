"""The only writers of a deal's links: add and take off, with undo. A changed link is another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from otc.tenancy.context import current_context
from otc.tenancy.names import clean_name
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.links.models import DealLink
from pipeline.links.rules import MOST_LINKS, checked_name, checked_url
from pipeline.opportunities.holding import deal_held
from pipeline.opportunities.rules import Refused

KIND = "deal_link"


@dataclass(frozen=True)
class Written:
    """The link that was added or taken off, and the step that Undo takes back."""

    link: DealLink
    step: UUID | None


def link_add(opportunity_id: UUID, *, name: str, url: str, now: datetime) -> Written:
    """Put a link on the deal. Raises Refused."""
    with transaction.atomic():
        deal = deal_held(opportunity_id)
        url = checked_url(url)
        standing = DealLink.objects.filter(opportunity_id=deal.id, removed_at__isnull=True)
        if standing.count() >= MOST_LINKS:
            raise Refused("url", f"A deal has at most {MOST_LINKS} links; take one off first")
        if standing.filter(url=url).exists():
            raise Refused("url", "This address stands on the deal already")
        link = DealLink(
            opportunity_id=deal.id,
            name=checked_name(clean_name(name), url=url),
            url=url,
            added_by_id=current_context().person_id,
            added_at=now,
        )
        link.save(force_insert=True)
        return Written(link, _offer(link, was_there=False))


def link_remove(opportunity_id: UUID, link_id: UUID, *, now: datetime) -> Written:
    """Take a link off the deal. DoesNotExist for one of another deal or one that is off."""
    with transaction.atomic():
        deal_held(opportunity_id)
        link: DealLink = DealLink.objects.get(
            id=link_id, opportunity_id=opportunity_id, removed_at__isnull=True
        )
        _set_removed(link, at=now)
        return Written(link, _offer(link, was_there=True))


@undoes(KIND, action="edit_deal")
def put_link_back(payload: Mapping[str, Any]) -> str:
    link = DealLink.objects.select_for_update().filter(id=payload["id"]).first()
    if link is None or (link.removed_at is not None) != payload["was_there"]:
        raise CantUndo("Somebody did that already")
    _set_removed(link, at=None if payload["was_there"] else timezone.now())
    return f"{link.name} is {'on the deal again' if payload['was_there'] else 'off the deal again'}"


def _set_removed(link: DealLink, *, at: datetime | None) -> None:
    link.removed_at = at
    link.removed_by_id = current_context().person_id if at else None
    link.save(update_fields=["removed_at", "removed_by"])


def _offer(link: DealLink, *, was_there: bool) -> UUID | None:
    payload = {"id": str(link.id), "was_there": was_there}
    return undo_offer(KIND, said=f"Link {link.name}", payload=payload)
