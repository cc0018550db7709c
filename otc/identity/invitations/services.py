"""The only writers of invitations: sent, revoked, and accepted by whoever holds the link."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from otc.audit.services import audit_append
from otc.identity.invitations.links import LIVES, hash_of, new_token
from otc.identity.invitations.queries import FoundInvitation, open_invitation_of
from otc.identity.models import Invitation, User
from otc.tenancy.context import use
from otc.tenancy.models import Person, Role
from otc.tenancy.queries import memberships


class InvitationRefused(ValueError):
    """Why nobody is invited, or why the link does not let this one in: a sentence for people."""


@dataclass(frozen=True)
class IssuedInvitation:
    """An open invitation with its token, which is nowhere else and can't be had again."""

    invitation: Invitation
    token: str


def invitation_send(person: Person, *, email: str, now: datetime, today: date) -> IssuedInvitation:
    """Open an invitation for the person, or give an open one a new link: the link before it stops working.

    Whether the address signs in somewhere else is neither asked nor told. Raises InvitationRefused.
    """
    if person.user_id is not None:
        raise InvitationRefused(f"{person.name} signs in already")
    if person.left_on is not None and person.left_on <= today:
        raise InvitationRefused(f"{person.name} has left; let them back in first")
    if person.role == Role.INTEGRATION:
        raise InvitationRefused("An integration comes in with a token, not with a sign-in")
    token = new_token()
    invitation = open_invitation_of(person.id) or Invitation(person_id=person.id)
    invitation.email = email.strip().lower()
    invitation.token_hash = hash_of(token)
    invitation.sent_at, invitation.expires_at = now, now + LIVES
    invitation.save()
    if person.email != invitation.email:
        person.email = invitation.email
        person.save(update_fields=["email"])
    audit_append(
        "invitation.sent",
        subject_kind="person",
        subject_id=person.id,
        summary=f"{person.name} was invited",
        detail={"expires_at": invitation.expires_at},
    )
    return IssuedInvitation(invitation, token)


def invitation_revoke(invitation: Invitation, *, now: datetime) -> None:
    """End an open invitation at once; one that was accepted or revoked stays as it is."""
    if invitation.accepted_at is not None or invitation.revoked_at is not None:
        return
    invitation.revoked_at = now
    invitation.save(update_fields=["revoked_at"])
    audit_append(
        "invitation.revoked",
        subject_kind="person",
        subject_id=invitation.person_id,
        summary=f"The invitation of {invitation.person.name} was revoked",
    )


def invitation_reopen(invitation: Invitation) -> None:
    """Let a revoked invitation be open again until the day it ends on anyway: its link is the one that was sent."""
    invitation.revoked_at = None
    invitation.save(update_fields=["revoked_at"])
    audit_append(
        "invitation.reopened",
        subject_kind="person",
        subject_id=invitation.person_id,
        summary=f"The invitation of {invitation.person.name} is open again",
    )


def invitation_accept_as(found: FoundInvitation, user: User, *, now: datetime) -> Person:
    """Let a signed-in user in as the invited person. Raises InvitationRefused with the reason."""
    today = now.date()
    if any(m.organization.id == found.organization_id for m in memberships(user.pk, today=today)):
        raise InvitationRefused("You are in this organization already.")
    with use(found.organization_id, person_id=found.person_id, channel="ui"):
        invitation = _claimed(found.id, now=now)
        if user.email.lower() != invitation.email:
            raise InvitationRefused(
                f"This invitation is for {invitation.email}. Sign out, then sign in with that address."
            )
        return _join(invitation, user, now=now)


def invitation_accept_new(found: FoundInvitation, *, password: str, now: datetime) -> bool:
    """Make a sign-in with this password and let it in; False, and nothing done, where the address has one.

    The page answers alike in both cases: who holds a link must not learn who else signs in here.
    """
    with use(found.organization_id, person_id=found.person_id, channel="ui"):
        invitation = _claimed(found.id, now=now)
        try:
            with transaction.atomic():
                user = User.objects.create_user(invitation.email, password, name=invitation.person.name)
                EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
        except IntegrityError:
            return False
        _join(invitation, user, now=now)
    return True


def _claimed(invitation_id: UUID, *, now: datetime) -> Invitation:
    """The invitation under a lock, so that one link lets one in; raises InvitationRefused when it is over."""
    invitation: Invitation | None = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("person")
        .filter(id=invitation_id, accepted_at=None, revoked_at=None, expires_at__gt=now)
        .first()
    )
    if invitation is None:
        raise InvitationRefused("This link doesn’t work any more.")
    return invitation


def _join(invitation: Invitation, user: User, *, now: datetime) -> Person:
    person: Person = invitation.person
    if person.user_id is not None:
        raise InvitationRefused("This link doesn’t work any more.")
    person.user = user
    person.save(update_fields=["user"])
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    audit_append(
        "invitation.accepted",
        subject_kind="person",
        subject_id=person.id,
        summary=f"{person.name} accepted the invitation and signs in",
    )
    return person
