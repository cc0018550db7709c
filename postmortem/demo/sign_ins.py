"""Who can sign in to a demo organization: one person of each kind, with a random password that is shown once."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_urlsafe

from django.db.models import Count

from otc.identity.models import User
from otc.tenancy.models import FOREVER, Person, ReportingLine, Role
from pipeline.opportunities.models import Opportunity

SHOWN_ROLES = (Role.EXECUTIVE, Role.MANAGER, Role.REP, Role.OPERATIONS, Role.ADMINISTRATOR)
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
    """A sign-in for one present person of each role of the organization in context: the busiest rep, that rep's
    manager, the first of the others.
    """
    found = []
    for role in SHOWN_ROLES:
        person = shown_person(role)
        if person is None or not person.email or User.objects.filter(email=person.email).exists():
            continue
        password = token_urlsafe(PASSWORD_BYTES)
        person.user = User.objects.create_user(person.email, password, name=person.name)
        person.save(update_fields=["user"])
        found.append(SignIn(organization, role, person.name, person.email, password))
    return found


def shown_person(role: str) -> Person | None:
    """Whom a newcomer should be: somebody whose pages have something on them."""
    present = Person.objects.filter(role=role, left_on=None, user=None)
    busiest = (
        Opportunity.objects.filter(outcome=None, owner__role=Role.REP, owner__left_on=None)
        .values("owner")
        .annotate(count=Count("id"))
        .order_by("-count", "owner")
        .first()
    )
    if busiest and role == Role.REP:
        present = present.filter(id=busiest["owner"])
    if busiest and role == Role.MANAGER:
        line = ReportingLine.objects.filter(person=busiest["owner"], valid_to=FOREVER).first()
        present = present.filter(id=line.manager_id) if line and line.manager_id else present
    person: Person | None = present.order_by("external_id").first()
    return person
