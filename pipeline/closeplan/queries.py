"""Whose is the link in somebody's hand, which links does a deal have, and what happened on its plan?"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare

from otc.tenancy.context import through_doorway
from otc.tenancy.models import Person, Role
from otc.tenancy.permissions import may
from otc.tenancy.services import fold
from pipeline.closeplan.links import BrokenLink, hash_of
from pipeline.closeplan.models import ClosePlan, ClosePlanEvent, ClosePlanLink

MOST_OFFERED = 8


@dataclass(frozen=True)
class FoundLink:
    """A link as its token finds it, before any organization is known."""

    id: UUID
    organization_id: UUID
    opportunity_id: UUID
    recipient: str
    expires_at: datetime
    revoked_at: datetime | None

    def is_open(self, *, now: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > now


def link_by_token(token: str) -> FoundLink | None:
    """The link of a token, open or not; None for one that was never made or was changed."""
    try:
        token_hash = hash_of(token)
    except BrokenLink:
        return None
    rows = through_doorway(
        "token",
        token_hash,
        "SELECT id, organization_id, opportunity_id, recipient, expires_at, revoked_at, token_hash "
        "FROM pipeline_closeplanlink WHERE token_hash = %s",
        [token_hash],
    )
    # The index has compared them already; this one takes as long for a near miss as for a far one.
    if not rows or not constant_time_compare(rows[0][6], token_hash):
        return None
    return FoundLink(*rows[0][:6])


def plan_of(opportunity_id: UUID) -> ClosePlan | None:
    found: ClosePlan | None = ClosePlan.objects.filter(opportunity_id=opportunity_id).first()
    return found


def links_of(opportunity_id: UUID) -> list[ClosePlanLink]:
    """The deal's links, open or over, the latest first."""
    found = ClosePlanLink.objects.filter(opportunity_id=opportunity_id)
    return list(found.select_related("made_by").order_by("-made_at", "-id"))


def events_of(opportunity_id: UUID, *, until: datetime | None = None) -> list[ClosePlanEvent]:
    """What happened on the deal's plan, the latest first, with names."""
    found = ClosePlanEvent.objects.filter(opportunity_id=opportunity_id)
    if until is not None:
        found = found.filter(at__lte=until)
    return list(found.select_related("link", "person", "milestone").order_by("-at", "-id"))


def colleagues() -> QuerySet[Person]:
    """Who may be shown to a buyer: whoever is here and uses the pages, by name."""
    roles = [role for role in Role.values if may(role, "use_pages")]
    return Person.objects.filter(left_on__isnull=True, role__in=roles).order_by("name_folded", "id")


def colleagues_called(typed: str) -> list[Person]:
    """Who bears the whole name, else the first eight with a word of it that begins so; nobody for nothing."""
    wanted = fold(" ".join(typed.replace("\x00", "").split())[:200])
    if not wanted:
        return []
    exact = list(colleagues().filter(name_folded=wanted)[:MOST_OFFERED])
    if exact:
        return exact
    begins = Q(name_folded__startswith=wanted) | Q(name_folded__contains=f" {wanted}")
    return list(colleagues().filter(begins)[:MOST_OFFERED])
