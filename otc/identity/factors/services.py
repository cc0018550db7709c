"""Takes the second factors of a sign-in away when device and codes are lost; the password stays."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator

from otc.audit.services import audit_append
from otc.identity.factors.queries import RESET, factor_kinds
from otc.identity.factors.rules import factor_words
from otc.identity.models import User
from otc.identity.sessions.services import sessions_end
from otc.jobs.services import enqueue
from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.tenancy.queries import memberships

MAIL_JOB = "second_factors_mail"


class ResetRefused(ValueError):
    """Why nobody's factors are removed: a sentence for people."""


@dataclass(frozen=True)
class Reset:
    """What was removed, one kind per factor, and how many sessions ended."""

    kinds: tuple[str, ...]
    sessions: int

    @property
    def words(self) -> str:
        return factor_words(self.kinds)


def person_factors_reset(person: Person, *, by: Person, now: datetime) -> Reset:
    """Remove the factors of somebody whose sign-in is this organization's alone. Raises ResetRefused.

    A sign-in is shared by every organization in which it has a person, and so are its factors: one of them must
    not lower the door of the others. An attempt is kept on the audit.
    """
    if person.user_id is None:
        raise ResetRefused(f"{person.name} doesn’t sign in")
    if person.id == by.id:
        raise ResetRefused("Your own second factors are on your account page")
    # Locked, so that two resets at once are one.
    user = User.objects.select_for_update().get(id=person.user_id)
    homes = {one.organization.id for one in memberships(user.pk, today=now.date())}
    if person.organization_id not in homes:
        raise ResetRefused(f"{person.name} has no access; let them back in first")
    if homes != {person.organization_id}:
        _note(
            person,
            "second_factor.reset_refused",
            "kept the second factors: the sign-in opens another organization too",
        )
        raise ResetRefused(
            f"{person.name}’s sign-in opens another organization too, which its second factors protect as well. "
            "Nothing was removed; whoever runs this server can do it"
        )
    reset = _remove(user)
    if reset.kinds:
        _note_reset(person, reset)
        _ask_for_mail(person)
    return reset


def sign_in_factors_reset(user_id: UUID, *, now: datetime) -> Reset:
    """Remove the factors of a sign-in, whatever its organizations: for who runs the server.

    Kept on the audit of each organization; the mail comes from the first.
    """
    user = User.objects.select_for_update().get(id=user_id)
    reset = _remove(user)
    if reset.kinds:
        for turn, membership in enumerate(memberships(user.pk, today=now.date())):
            with use(membership.organization.id):
                _note_reset(membership.person, reset)
                if turn == 0:
                    _ask_for_mail(membership.person)
    return reset


def _remove(user: User) -> Reset:
    """Nothing to remove ends no session either."""
    kinds = tuple(factor_kinds(user.pk))
    if not kinds:
        return Reset((), 0)
    Authenticator.objects.filter(user_id=user.pk).delete()
    return Reset(kinds, sessions_end(user.pk))


def _note_reset(person: Person, reset: Reset) -> None:
    detail = {"removed": list(reset.kinds), "sessions_ended": reset.sessions}
    _note(person, RESET, f"lost every second factor: {reset.words}", detail=detail)


def _note(person: Person, action: str, words: str, *, detail: dict[str, object] | None = None) -> None:
    audit_append(
        action, subject_kind="person", subject_id=person.id, summary=f"{person.name} {words}", detail=detail
    )


def _ask_for_mail(person: Person) -> None:
    enqueue(MAIL_JOB, subject=person.id)
