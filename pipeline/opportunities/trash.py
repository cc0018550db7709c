"""Which deals were deleted, by whom and when? They keep their versions and can come back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from otc.tenancy.middleware import Tenant
from otc.tenancy.models import FOREVER, Person
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from pipeline.team.queries import seen

PAGE_SIZE = 50


@dataclass(frozen=True)
class Deleted:
    id: UUID
    name: str
    account_name: str
    owner_name: str
    amount_minor: int | None
    currency: str
    deleted_at: datetime
    deleted_by: str


@dataclass(frozen=True)
class TrashReport:
    """A page of the deleted deals that the viewer might see were they there, the latest first."""

    rows: tuple[Deleted, ...]
    count: int
    page: int
    has_more: bool


def trash_report(tenant: Tenant, *, page: int = 0) -> TrashReport:
    """Four queries, whatever the rows. `page` counts from 0."""
    found = Opportunity.objects.filter(seen(tenant.visible), deleted_at__isnull=False)
    first = page * PAGE_SIZE
    chosen = found.select_related("account", "owner").order_by("-deleted_at", "id")[
        first : first + PAGE_SIZE + 1
    ]
    deals = list(chosen)
    by_deal = _deleted_by([deal.id for deal in deals])
    rows = tuple(
        Deleted(
            id=deal.id,
            name=deal.name,
            account_name=deal.account.name if deal.account else "",
            owner_name=deal.owner.name if deal.owner else "",
            amount_minor=deal.amount_minor,
            currency=deal.currency,
            deleted_at=deal.deleted_at,
            deleted_by=by_deal.get(deal.id, ""),
        )
        for deal in deals[:PAGE_SIZE]
    )
    return TrashReport(rows, found.count(), page, len(deals) > PAGE_SIZE)


def _deleted_by(deal_ids: list[UUID]) -> dict[UUID, str]:
    """Nobody edits a deleted deal, so whoever wrote its present version deleted it."""
    present = OpportunityVersion.objects.filter(
        opportunity_id__in=deal_ids, valid_to=FOREVER, known_to=FOREVER
    )
    actors = dict(present.values_list("opportunity_id", "actor_id"))
    people = Person.objects.filter(id__in={actor for actor in actors.values() if actor})
    names = dict(people.values_list("id", "name"))
    return {deal_id: names.get(actor, "") for deal_id, actor in actors.items()}
