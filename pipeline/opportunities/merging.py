"""Deals when records are merged: to another account, and one deal into another; and back again.

Versions are never rewritten: what a deal was stays what it was, and a merge is one more change from now on.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from otc.jobs.services import enqueue
from otc.tenancy.context import act_on
from otc.tenancy.models import FOREVER
from otc.tenancy.services import fold
from pipeline.history.models import STATE_COLUMNS, OpportunityVersion
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import HEALTH_JOB, opportunity_delete, opportunity_edit


@dataclass(frozen=True)
class Absorbed:
    """The present versions of both deals before and after one took in the other."""

    kept_before: UUID
    kept_after: UUID
    gone_after: UUID


def deals_reaccount(deal_ids: Iterable[UUID], *, account_id: UUID) -> None:
    """Give deals, deleted ones too, to another account. No gate: it is the same buyer under another record."""
    by_owner: dict[UUID | None, list[UUID]] = defaultdict(list)
    found = Opportunity.objects.select_for_update().filter(id__in=list(deal_ids)).order_by("id")
    for deal_id, owner_id in found.values_list("id", "owner_id"):
        by_owner[owner_id].append(deal_id)
    for owner_id, owned in by_owner.items():
        act_on(owner_id)
        Opportunity.objects.filter(id__in=owned).update(account_id=account_id)


def deal_absorb(
    kept_id: UUID, gone_id: UUID, *, changes: Mapping[str, Any], attributes: Mapping[str, Any], now: datetime
) -> Absorbed:
    """Change the deal that stays as its editing would, and delete the other. Raises Refused.

    `attributes` are those of the one that goes which the other lacks; they have been accepted once.
    """
    kept, gone = (Opportunity.objects.select_for_update().get(id=one) for one in (kept_id, gone_id))
    _check_ends(kept, gone)
    before = _present_version(kept_id)
    if changes:
        opportunity_edit(kept_id, changes=changes)
    if attributes:
        act_on(kept.owner_id)
        Opportunity.objects.filter(id=kept_id).update(attributes=kept.attributes | dict(attributes))
    opportunity_delete(gone_id, now=now)
    enqueue(HEALTH_JOB, subject=kept_id)
    return Absorbed(before, _present_version(kept_id), _present_version(gone_id))


def deal_release(kept_id: UUID, gone_id: UUID, *, absorbed: Absorbed) -> None:
    """Put both deals back as they stood. Raises Refused where either was changed since."""
    kept, gone = (Opportunity.objects.select_for_update().get(id=one) for one in (kept_id, gone_id))
    for deal, version_id in ((kept, absorbed.kept_after), (gone, absorbed.gone_after)):
        if _present_version(deal.id) != version_id:
            raise Refused("undo", f"{deal.name} was changed since; change by hand what you want back")
    if absorbed.kept_before != absorbed.kept_after:
        stood = OpportunityVersion.objects.get(id=absorbed.kept_before)
        for column in STATE_COLUMNS:
            setattr(kept, column, getattr(stood, column))
        kept.name_folded = fold(kept.name)
        act_on(kept.owner_id)
        kept.save(force_update=True)
    act_on(gone.owner_id)
    gone.deleted_at = None
    gone.save(force_update=True)
    for deal in (kept, gone):
        enqueue(HEALTH_JOB, subject=deal.id)


def _check_ends(kept: Opportunity, gone: Opportunity) -> None:
    for deal in (kept, gone):
        if deal.deleted_at is not None:
            raise Refused("deleted", f"{deal.name} is in the trash; restore it first")
    if gone.outcome is not None and kept.outcome != gone.outcome:
        raise Refused("keep", f"{gone.name} is closed as {gone.get_outcome_display().lower()}; keep that one")


def _present_version(deal_id: UUID) -> UUID:
    found: UUID = OpportunityVersion.objects.values_list("id", flat=True).get(
        opportunity_id=deal_id, valid_to=FOREVER, known_to=FOREVER
    )
    return found
