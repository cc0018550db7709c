"""Many deals changed at once: all of them or none, by the rules of one, and put back together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from otc.tenancy.context import current_context, current_organization_id
from otc.tenancy.models import Organization, Person
from otc.tenancy.reach import Reach, visible_reach
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import Written, opportunity_delete, opportunity_edit
from pipeline.opportunities.undo import opportunity_undo_in_sight
from pipeline.team.queries import seen

# What one request changes; more is narrowed down first.
MOST_DEALS = 500
KIND = "deals_changed"
NAMED_AT_MOST = 3

Changes = Callable[[Opportunity], Mapping[str, Any] | None]


@dataclass(frozen=True)
class RefusedDeal:
    """A deal that a rule kept as it is, and why."""

    id: UUID
    name: str
    reason: str


class SomeRefused(Exception):
    """Nothing was written, because these deals can't be changed so; `others` could."""

    def __init__(self, refused: Sequence[RefusedDeal], *, others: int) -> None:
        super().__init__(f"{len(refused)} refused")
        self.refused, self.others = tuple(refused), others


@dataclass(frozen=True)
class Bulk:
    """How many deals were changed, how many were so already, and the step that Undo takes back."""

    changed: int
    unchanged: int
    step_id: UUID | None


def deals_to_change(deal_ids: Sequence[UUID], *, visible: Reach) -> list[Opportunity]:
    """Those of the deals that are in sight and not deleted, by name."""
    found = Opportunity.objects.filter(seen(visible), id__in=deal_ids, deleted_at__isnull=True)
    return list(found.select_related("stage", "account").order_by("name_folded", "id"))


def deals_edit(deals: Sequence[Opportunity], *, changes: Changes, said: str, skips_refused: bool) -> Bulk:
    """Edit each deal by `changes(deal)`; None where it is so already. Raises SomeRefused, and then nothing is written.

    `changes` may raise Refused. With `skips_refused` the others are written, and only one that is left raises.
    """

    def edit(deal: Opportunity) -> Written | None:
        wanted = changes(deal)
        return None if wanted is None else opportunity_edit(deal.id, changes=wanted)

    return _each(deals, edit, said=said, skips_refused=skips_refused)


def deals_delete(deals: Sequence[Opportunity], *, said: str) -> Bulk:
    """Put the deals into the trash."""
    now = timezone.now()
    return _each(deals, lambda deal: opportunity_delete(deal.id, now=now), said=said, skips_refused=False)


def _each(
    deals: Sequence[Opportunity],
    write: Callable[[Opportunity], Written | None],
    *,
    said: str,
    skips_refused: bool,
) -> Bulk:
    written: list[Written] = []
    refused: list[RefusedDeal] = []
    with transaction.atomic():
        # By id, so that two people who change the same deals wait for each other instead of blocking for good.
        for deal in sorted(deals, key=lambda deal: deal.id):
            try:
                done = write(deal)
            except Refused as refusal:
                refused.append(RefusedDeal(deal.id, deal.name, refusal.reason))
            else:
                written += [done] if done else []
        others = len(deals) - len(refused)
        if refused and (not skips_refused or not others):
            raise SomeRefused(sorted(refused, key=lambda one: one.name.casefold()), others=others)
    if not written:
        return Bulk(0, others, None)
    steps = [[str(one.opportunity.id), str(one.before)] for one in written]
    return Bulk(len(written), others - len(written), undo_offer(KIND, said=said, payload={"deals": steps}))


@undoes(KIND, action="edit_deal")
def put_deals_back(payload: Mapping[str, Any]) -> str:
    """Each deal as it was; one that somebody changed since, or that would be out of sight, stays and is named."""
    now = timezone.now()
    person = Person.objects.get(id=current_context().person_id)
    organization = Organization.objects.get(id=current_organization_id())
    visible = visible_reach(person, organization=organization, now=now)
    before = {UUID(deal_id): UUID(version_id) for deal_id, version_id in payload["deals"]}
    names = dict(Opportunity.objects.filter(id__in=before).order_by("id").values_list("id", "name"))
    kept = []
    for deal_id, name in names.items():
        try:
            opportunity_undo_in_sight(deal_id, to_version=before[deal_id], visible=visible)
        except (Refused, Opportunity.DoesNotExist):
            kept.append(name)
    back = len(names) - len(kept)
    if not back:
        raise CantUndo("Somebody changed these deals since, or they would be out of your sight")
    if back == len(before):
        return "The deal is as before" if back == 1 else f"{back} deals are as before"
    return f"{back} of {len(before)} deals are as before; changed by somebody since, and left so: {_listed(kept)}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED_AT_MOST
    listed = ", ".join(sorted(names, key=str.casefold)[:NAMED_AT_MOST])
    return f"{listed} and {more} more" if more > 0 else listed
