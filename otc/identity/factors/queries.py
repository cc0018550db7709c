"""Which second factors does a sign-in have, and what became of them?"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator

from otc.audit.models import AuditEntry
from otc.identity.factors.rules import factor_words
from otc.identity.models import User
from otc.tenancy.models import Person

RESET = "second_factor.reset"


def factor_kinds(user_id: UUID | None) -> list[str]:
    """Kinds, one per factor, recovery codes too; none without a sign-in."""
    found = Authenticator.objects.filter(user_id=user_id).order_by("created_at", "id")
    return [str(kind) for kind in found.values_list("type", flat=True)] if user_id else []


@dataclass(frozen=True)
class ToldReset:
    """The latest reset of somebody's factors, as they are told of it; `by` names who did it."""

    email: str
    name: str
    words: str
    by: str
    at: datetime
    zone: ZoneInfo


def latest_reset(person_id: UUID | None) -> ToldReset | None:
    """From the audit of the organization in context; None for who has no sign-in or never lost a factor."""
    person = Person.objects.select_related("organization").filter(id=person_id, user__isnull=False).first()
    entries = AuditEntry.objects.filter(action=RESET, subject_id=person_id)
    entry = entries.order_by("sequence").last()
    if person is None or entry is None:
        return None
    organization = person.organization
    actor = f"{entry.actor_name} of {organization.name}" if entry.actor_name else "Whoever runs this server"
    return ToldReset(
        email=User.objects.values_list("email", flat=True).get(id=person.user_id),
        name=person.name,
        words=factor_words(entry.detail["removed"]),
        by=actor,
        at=entry.at,
        zone=ZoneInfo(organization.timezone),
    )
