"""How does somebody want to be told, and where do mails for them go?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from otc.identity.models import User
from otc.notices.kinds import NOTICE_KINDS, USUAL, NoticeKind, Ways
from otc.notices.models import MailChoice, NoticeChoice
from otc.tenancy.models import Person
from otc.tenancy.permissions import may


@dataclass(frozen=True)
class Mails:
    """Which mails somebody gets at all."""

    digest: bool = True
    at_once: bool = True


@dataclass(frozen=True)
class Addressee:
    """Somebody who may be mailed today: here, with a sign-in and its address."""

    person: Person
    email: str
    mails: Mails


def ways_of(person_ids: Iterable[UUID], kind: str, *, usual: Ways | None = None) -> dict[UUID, Ways]:
    """How each of them wants to be told of the kind: as they chose, else in the `usual` ways. One query."""
    asked = list(person_ids)
    chosen = {
        row.person_id: Ways(row.in_app, row.in_digest, row.is_mailed)
        for row in NoticeChoice.objects.filter(person_id__in=asked, kind=kind)
    }
    return {person_id: chosen.get(person_id, usual or USUAL[kind]) for person_id in asked}


def choices_of(person_id: UUID) -> list[tuple[NoticeKind, Ways]]:
    """Every kind with the person's choice. One query."""
    chosen = {
        row.kind: Ways(row.in_app, row.in_digest, row.is_mailed)
        for row in NoticeChoice.objects.filter(person_id=person_id)
    }
    return [(kind, chosen.get(kind.key, kind.usual)) for kind in NOTICE_KINDS]


def mails_of(person_id: UUID) -> Mails:
    row: MailChoice | None = MailChoice.objects.filter(person_id=person_id).first()
    return Mails(row.gets_digest, row.gets_mails) if row else Mails()


def addressees(*, today: date, person_ids: Iterable[UUID] | None = None) -> list[Addressee]:
    """Who may be mailed today: nobody who left, can't sign in or may use no pages. Three queries."""
    people: Any = Person.objects.filter(user__isnull=False).order_by("id")
    if person_ids is not None:
        people = people.filter(id__in=list(person_ids))
    here = [
        person
        for person in people
        if (person.left_on is None or person.left_on > today) and may(person.role, "use_pages")
    ]
    users = User.objects.filter(id__in=[person.user_id for person in here], is_active=True)
    emails = dict(users.values_list("id", "email"))
    rows = MailChoice.objects.filter(person_id__in=[person.id for person in here])
    mails = {row.person_id: Mails(row.gets_digest, row.gets_mails) for row in rows}
    return [
        Addressee(person, emails[person.user_id], mails.get(person.id, Mails()))
        for person in here
        if emails.get(person.user_id)
    ]
