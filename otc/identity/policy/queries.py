"""Whom would a policy reach? People who sign in, and how many of them have a second factor."""

from dataclasses import dataclass
from datetime import date

from allauth.mfa.models import Authenticator
from django.db.models import Q

from otc.tenancy.models import Person


@dataclass(frozen=True)
class Readiness:
    """Of the people who sign in: how many there are, and how many have any factor, or a passkey."""

    people: int
    with_any: int
    with_passkey: int


def readiness(*, today: date) -> Readiness:
    """Three queries, whatever the number of people."""
    present = Person.objects.filter(user__isnull=False).filter(Q(left_on=None) | Q(left_on__gt=today))
    users = list(present.values_list("user_id", flat=True))
    kinds = Authenticator.objects.filter(user_id__in=users)
    return Readiness(
        people=len(users),
        with_any=kinds.filter(type__in=("totp", "webauthn")).values("user_id").distinct().count(),
        with_passkey=kinds.filter(type="webauthn").values("user_id").distinct().count(),
    )
