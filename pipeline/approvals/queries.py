"""Who may approve of a deal's move, what was approved, and what waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from otc.delegation.models import Delegation
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import Chart, chart_at
from otc.tenancy.models import Organization, Person
from otc.tenancy.permissions import STANDS_IN
from otc.tenancy.reach import Reach
from pipeline.approvals.models import ApprovalRequest, ApprovalState
from pipeline.team.queries import seen

MOST = 200


@dataclass(frozen=True)
class Approvers:
    """`asked_of` is the manager who is asked, by `name`; any of `deciders` may decide; `told` hear of it."""

    asked_of: UUID | None
    name: str
    deciders: frozenset[UUID]
    told: tuple[UUID, ...]


def approvers_of(owner_id: UUID | None, *, now: datetime) -> Approvers:
    """The managers above the owner today, the nearest first, and today's delegates of each.

    A declared top decides about their own deals; the tops about those of nobody and of people without a line. Nobody
    else decides about a deal of their own, not even while standing in for the manager. Three queries.
    """
    chart = chart_at(now)
    above = _above(owner_id, chart)
    present = Person.objects.filter(id__in=above, left_on__isnull=True, role__in=sorted(STANDS_IN))
    names = dict(present.values_list("id", "name"))
    here = [person_id for person_id in above if person_id in names]
    delegates = _delegates(here, now=now)
    deciders = {*here, *(delegate for delegate, _ in delegates)}
    if owner_id is not None and owner_id not in chart.tops:
        deciders.discard(owner_id)
    nearest = here[0] if here else None
    told = [nearest, *(delegate for delegate, manager in delegates if manager == nearest)] if nearest else []
    return Approvers(
        nearest,
        names.get(nearest, ""),
        frozenset(deciders),
        tuple(dict.fromkeys(one for one in told if one in deciders)),
    )


def _above(owner_id: UUID | None, chart: Chart) -> list[UUID]:
    if owner_id is None or owner_id not in chart.manager_of:
        return sorted(chart.tops)
    found: list[UUID] = []
    manager = chart.manager_of[owner_id]
    while manager is not None and manager not in found:
        found.append(manager)
        manager = chart.manager_of.get(manager)
    return found or [owner_id]


def _delegates(manager_ids: list[UUID], *, now: datetime) -> list[tuple[UUID, UUID]]:
    """(delegate, manager) of today."""
    zone: str = Organization.objects.values_list("timezone", flat=True).get(id=current_organization_id())
    today = now.astimezone(ZoneInfo(zone)).date()
    found = Delegation.objects.filter(
        manager_id__in=manager_ids, ended_at__isnull=True, first_on__lte=today, last_on__gte=today
    )
    return list(found.order_by("id").values_list("delegate_id", "manager_id"))


def approved_minor_of(opportunity_id: UUID) -> int | None:
    """The highest corporate amount that was ever approved for the deal."""
    granted = ApprovalRequest.objects.filter(opportunity_id=opportunity_id, state=ApprovalState.GRANTED)
    highest: int | None = granted.order_by("-amount_minor").values_list("amount_minor", flat=True).first()
    return highest


def visible_requests(visible: Reach) -> Any:
    """The requests about deals in sight, the latest first."""
    found = ApprovalRequest.objects.filter(
        seen(visible, deal="opportunity_id", owner="opportunity__owner"), opportunity__deleted_at__isnull=True
    )
    related = ("opportunity", "stage", "from_stage", "asked_by", "asked_of", "decided_by")
    return found.select_related(*related).order_by("-asked_at", "-id")


def open_request(opportunity_id: UUID) -> ApprovalRequest | None:
    """The deal's request that waits."""
    found: ApprovalRequest | None = (
        ApprovalRequest.objects.filter(opportunity_id=opportunity_id, state=ApprovalState.ASKED)
        .select_related("stage", "asked_of")
        .first()
    )
    return found


def waiting_or_mine(person_id: UUID) -> Q:
    """Requests that wait, and those that the person asked or decided."""
    return Q(state=ApprovalState.ASKED) | Q(asked_by_id=person_id) | Q(decided_by_id=person_id)
