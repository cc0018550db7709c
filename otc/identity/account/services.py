"""Ends sessions: at its next request the browser is a stranger."""

from allauth.usersessions.models import UserSession

from otc.identity.models import User
from otc.identity.sessions.services import sessions_end
from otc.identity.signals import note


def session_end(session: UserSession) -> None:
    """End one session of its user."""
    user = session.user
    session.end()
    note(user, "session.revoked", "signed a browser out")


def other_sessions_end(user: User, *, kept_key: str | None) -> int:
    """End every session of the user but one; how many there were."""
    count = sessions_end(user.pk, kept_key=kept_key)
    if count:
        note(user, "session.revoked", "signed every other browser out", detail={"count": count})
    return count
