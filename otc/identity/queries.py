"""What the settings pages list: people with today's manager, tokens."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from otc.identity.models import ApiToken
from otc.tenancy.lines import chart_at
from otc.tenancy.models import Person, Role


@dataclass(frozen=True)
class Member:
    """A person of the organization and whom they report to today; a top reports to nobody by declaration."""

    person: Person
    manager_name: str | None
    is_top: bool
    has_left: bool


def members(*, now: datetime, today: date) -> list[Member]:
    """Everybody, by name; two queries."""
    people = list(Person.objects.order_by("name_folded", "id"))
    names = {person.id: person.name for person in people}
    manager_of = chart_at(now).manager_of
    return [
        Member(
            person=person,
            manager_name=names.get(manager_of[person.id]) if manager_of.get(person.id) else None,
            is_top=person.id in manager_of and manager_of[person.id] is None,
            has_left=person.left_on is not None and person.left_on <= today,
        )
        for person in people
    ]


@dataclass(frozen=True)
class ListedToken:
    """A token and what may still be done with it: active, expired or revoked."""

    token: ApiToken
    state: str


def tokens(*, of_person: UUID | None, now: datetime) -> list[ListedToken]:
    """Tokens of one person, or of everybody when `of_person` is None; the newest first."""
    rows: Any = ApiToken.objects.select_related("person").order_by("-created_at", "-id")
    if of_person is not None:
        rows = rows.filter(person_id=of_person)
    return [ListedToken(token, _state(token, now)) for token in rows]


def _state(token: ApiToken, now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "active" if token.expires_at > now else "expired"


def token_holders(person: Person, *, for_others: bool) -> list[Person]:
    """Whom a new token may act for: oneself, and for an administrator the integrations too."""
    if not for_others:
        return [person]
    integrations = Person.objects.filter(role=Role.INTEGRATION, left_on__isnull=True)
    return [person, *integrations.exclude(id=person.id).order_by("name_folded", "id")]
