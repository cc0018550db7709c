"""Ends what a sign-in has open: at its next request each browser is a stranger."""

from uuid import UUID

from allauth.usersessions.models import UserSession


def sessions_end(user_id: UUID, *, kept_key: str | None = None) -> int:
    """End every session of the user but the one with `kept_key`; how many there were."""
    sessions = list(UserSession.objects.filter(user_id=user_id).exclude(session_key=kept_key or ""))
    for session in sessions:
        session.end()
    return len(sessions)
