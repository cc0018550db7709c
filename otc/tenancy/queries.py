"""The doorways in SQL: which organizations a user belongs to, and whose token a hash is."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from otc.tenancy.context import through_doorway
from otc.tenancy.models import Organization, Person

ORGANIZATION_FIELDS = [field.attname for field in Organization._meta.local_fields]
PERSON_FIELDS = [field.attname for field in Person._meta.local_fields]

MEMBERS = (
    f"SELECT {', '.join([f'o.{name}' for name in ORGANIZATION_FIELDS] + [f'p.{name}' for name in PERSON_FIELDS])} "
    "FROM otc_person p JOIN otc_organization o ON o.id = p.organization_id WHERE"
)


@dataclass(frozen=True)
class Membership:
    organization: Organization
    person: Person


def memberships(user_id: UUID, *, today: date) -> list[Membership]:
    """The organizations where the user has a person who hasn't left, by name."""
    condition = "p.user_id = %s AND (p.left_on IS NULL OR p.left_on > %s) ORDER BY o.name, o.slug"
    rows = through_doorway("user_id", str(user_id), f"{MEMBERS} {condition}", [str(user_id), today])
    return [_membership(row) for row in rows]


def _membership(row: tuple[Any, ...]) -> Membership:
    cut = len(ORGANIZATION_FIELDS)
    return Membership(
        Organization.from_db("default", ORGANIZATION_FIELDS, row[:cut]),
        Person.from_db("default", PERSON_FIELDS, row[cut:]),
    )


@dataclass(frozen=True)
class TokenOwner:
    token_id: UUID
    organization_id: UUID
    person_id: UUID
    scopes: frozenset[str]


def token_owner(token_hash: str, *, now: datetime) -> TokenOwner | None:
    """Whose token this is, if it is neither revoked nor expired."""
    rows = through_doorway(
        "token",
        token_hash,
        "SELECT id, organization_id, person_id, scopes FROM otc_apitoken "
        "WHERE token_hash = %s AND revoked_at IS NULL AND expires_at > %s",
        [token_hash, now.astimezone(UTC)],
    )
    return TokenOwner(rows[0][0], rows[0][1], rows[0][2], frozenset(json.loads(rows[0][3]))) if rows else None


def token_member(owner: TokenOwner, *, today: date) -> Membership | None:
    """The token's person and organization; None once that person has left."""
    rows = through_doorway(
        "organization",
        str(owner.organization_id),
        f"{MEMBERS} p.organization_id = %s AND p.id = %s AND (p.left_on IS NULL OR p.left_on > %s)",
        [str(owner.organization_id), str(owner.person_id), today],
    )
    return _membership(rows[0]) if rows else None
