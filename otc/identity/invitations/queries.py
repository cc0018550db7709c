"""Which invitations are open here, and whose is the link in somebody's hand?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from otc.identity.invitations.links import BrokenLink, hash_of
from otc.identity.models import Invitation
from otc.tenancy.context import through_doorway


@dataclass(frozen=True)
class FoundInvitation:
    """An invitation as its link finds it, before any organization is known."""

    id: UUID
    organization_id: UUID
    person_id: UUID
    accepted_at: datetime | None
    revoked_at: datetime | None
    expires_at: datetime

    def is_open(self, *, now: datetime) -> bool:
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > now


def invitation_by_token(token: str) -> FoundInvitation | None:
    """The invitation of a link, open or not; None for a link that was never made or was changed."""
    try:
        token_hash = hash_of(token)
    except BrokenLink:
        return None
    rows = through_doorway(
        "token",
        token_hash,
        "SELECT id, organization_id, person_id, accepted_at, revoked_at, expires_at FROM otc_invitation "
        "WHERE token_hash = %s",
        [token_hash],
    )
    return FoundInvitation(*rows[0]) if rows else None


def open_invitations() -> list[Invitation]:
    """Neither accepted nor revoked, those that ended too (they can be sent again); by name."""
    rows: Any = Invitation.objects.filter(accepted_at__isnull=True, revoked_at__isnull=True)
    return list(rows.select_related("person").order_by("person__name_folded", "id"))


def open_invitation_of(person_id: UUID) -> Invitation | None:
    found: Invitation | None = Invitation.objects.filter(
        person_id=person_id, accepted_at__isnull=True, revoked_at__isnull=True
    ).first()
    return found


def revoked_invitation(person_id: UUID, invitation_id: str) -> Invitation | None:
    """The person's revoked one of this id, unless another is open by now."""
    try:
        asked = UUID(invitation_id)
    except ValueError:
        return None
    if open_invitation_of(person_id) is not None:
        return None
    rows: Any = Invitation.objects.filter(id=asked, person_id=person_id, accepted_at__isnull=True)
    found: Invitation | None = rows.filter(revoked_at__isnull=False).first()
    return found
