"""Ends sessions: at its next request the browser is a stranger."""

from allauth.usersessions.models import UserSession

from otc.identity.models import User
from otc.identity.signals import note


def session_end(session: UserSession) -> None:
    """End one session of its user."""
    user = session.user
    session.end()
    note(user, "session.revoked", "signed a browser out")


def other_sessions_end(user: User, *, kept_key: str | None) -> int:
    """End every session of the user but one; how many there were."""
    others = list(UserSession.objects.filter(user=user).exclude(session_key=kept_key or ""))
    for session in others:
        session.end()
    if others:
        note(user, "session.revoked", "signed every other browser out", detail={"count": len(others)})
    return len(others)
