"""Who can sign in to a demo organization: one person of each kind, with a random password that is shown once."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_urlsafe

from otc.identity.models import User
from otc.tenancy.models import Person, Role

SHOWN_ROLES = (Role.EXECUTIVE, Role.MANAGER, Role.REP, Role.ADMINISTRATOR)
PASSWORD_BYTES = 12


@dataclass(frozen=True)
class SignIn:
    """`password` in clear: printed, and kept nowhere."""

    organization: str
    role: str
    name: str
    email: str
    password: str


def sign_ins_create(organization: str) -> list[SignIn]:
    """A sign-in for the first present person of each role of the organization in context."""
    found = []
    for role in SHOWN_ROLES:
        person = Person.objects.filter(role=role, left_on=None, user=None).order_by("external_id").first()
        if person is None or not person.email or User.objects.filter(email=person.email).exists():
            continue
        password = token_urlsafe(PASSWORD_BYTES)
        person.user = User.objects.create_user(person.email, password, name=person.name)
        person.save(update_fields=["user"])
        found.append(SignIn(organization, role, person.name, person.email, password))
    return found
