"""What sign-ins leave in the audit of every organization that the person belongs to, and which sessions they end."""

from collections.abc import Mapping
from typing import Any

from allauth.account import signals as account
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth import signals as auth
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from otc.audit.services import audit_append
from otc.identity.factors.rules import factor_words
from otc.identity.models import User
from otc.identity.sessions import stamps
from otc.identity.sessions.services import sessions_end
from otc.tenancy.context import use
from otc.tenancy.queries import memberships


def note(
    user: Any, action: str, words: str, *, detail: Mapping[str, Any] | None = None, is_known: bool = True
) -> None:
    """An entry in each organization of the sign-in: “<name> <words>”; nobody is the actor where it isn't known."""
    for membership in memberships(user.pk, today=timezone.now().date()):
        person = membership.person
        with use(membership.organization.id, person_id=person.id if is_known else None, channel="ui"):
            audit_append(
                action,
                subject_kind="person",
                subject_id=person.id,
                summary=f"{person.name} {words}",
                detail=detail,
            )


@receiver(auth.user_logged_in)
def start_counting(sender: Any, request: HttpRequest, user: Any, **rest: Any) -> None:
    stamps.begin(request.session, now=timezone.now())


@receiver(account.user_logged_in)
def note_sign_in(sender: Any, request: HttpRequest, user: Any, **rest: Any) -> None:
    records = get_authentication_records(request, user)
    methods = [str(record.get("type", record["method"])) for record in records]
    note(user, "sign_in.succeeded", "signed in", detail={"methods": methods})


@receiver(auth.user_login_failed)
def note_failed_sign_in(sender: Any, credentials: Mapping[str, Any], **rest: Any) -> None:
    """A wrong password for a sign-in that exists; of an unknown address nothing is kept but the log's line."""
    address = str(credentials.get("email") or credentials.get("username") or "").strip().lower()
    user = User.objects.filter(email=address).first() if address else None
    if user is not None:
        note(user, "sign_in.failed", "was not signed in: wrong password", is_known=False)


@receiver(mfa.authentication_failed)
def note_failed_factor(sender: Any, user: Any, **rest: Any) -> None:
    note(user, "sign_in.failed", "was not signed in: wrong code", is_known=False)


@receiver(mfa.authenticator_added)
def note_new_factor(
    sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **rest: Any
) -> None:
    """Whoever sets a factor up has it in their hands: this session needs no second proof of it."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        return
    record_authentication(request, user, "mfa", id=authenticator.pk, type=str(authenticator.type))
    note(user, "second_factor.added", f"added a second factor: {factor_words([authenticator.type])}")


@receiver(mfa.authenticator_removed)
def note_lost_factor(sender: Any, user: Any, authenticator: Authenticator, **rest: Any) -> None:
    note(user, "second_factor.removed", f"removed a second factor: {factor_words([authenticator.type])}")


@receiver(mfa.authenticator_reset)
def note_new_codes(sender: Any, user: Any, **rest: Any) -> None:
    note(user, "second_factor.renewed", "made new recovery codes")


@receiver(account.password_changed)
@receiver(account.password_set)
def end_other_sessions(sender: Any, request: HttpRequest, user: Any, **rest: Any) -> None:
    sessions_end(user.pk, kept_key=request.session.session_key)
    note(user, "password.changed", "changed the password")


@receiver(account.password_reset)
def end_every_session(sender: Any, user: Any, **rest: Any) -> None:
    sessions_end(user.pk)
    note(user, "password.changed", "chose a new password by mail")


@receiver(account.email_changed)
def note_new_address(sender: Any, user: Any, **rest: Any) -> None:
    note(user, "email.changed", "changed the address they sign in with")
