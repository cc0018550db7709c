"""When did a session begin, and how long did it ever rest? Kept in the session itself, so that asking is free."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

STARTED, SEEN, GAP = "otc_started", "otc_seen", "otc_longest_gap"
# Between two writes of a session: a page that asks twice a second must not write twice a second.
STEP = timedelta(seconds=60)


def begin(session: Any, *, now: datetime) -> None:
    """Start counting: called at every sign-in."""
    session[STARTED] = session[SEEN] = int(now.timestamp())
    session[GAP] = 0


def touch(session: Any, *, now: datetime) -> bool:
    """Note a request, at most once a minute; True where something was written.

    The longest gap is kept rather than the last: a page that asks for less would else wake a session up that
    slept too long for a stricter organization.
    """
    seen = session.get(SEEN)
    if not isinstance(seen, int):
        return False
    gap = int(now.timestamp()) - seen
    if gap < STEP.total_seconds():
        return False
    session[SEEN] = int(now.timestamp())
    session[GAP] = max(session.get(GAP, 0), gap)
    return True


def started_at(session: Mapping[str, Any]) -> datetime | None:
    started = session.get(STARTED)
    return datetime.fromtimestamp(started, UTC) if isinstance(started, int) else None


def longest_gap(session: Mapping[str, Any]) -> timedelta | None:
    gap = session.get(GAP)
    return timedelta(seconds=gap) if isinstance(gap, int) else None
