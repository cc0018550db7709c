"""What hangs on periods by their keys? Rooms that keep such things say so here, since the ground doesn't know them."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from otc.calendar.rules import (
    FIRST_YEAR,
    LAST_YEAR,
    Calendar,
    Period,
    PeriodError,
    parse_period,
    periods_of_year,
)

# The new periods that share the days of an old one, with how many days each.
Shares = Callable[[str], list[tuple[str, int]]]


class PeriodHolder(Protocol):
    """A room that keeps things by period key: quotas, calls."""

    @property
    def name(self) -> str: ...

    @property
    def fate(self) -> str:
        """What becomes of them when their period changes, in words: “shared out by days”."""
        ...

    def held(self) -> Mapping[str, int]:
        """How many there are by period key, in the organization in context."""
        ...

    def share_out(self, keys: frozenset[str], shares: Shares) -> Any:
        """Bring what is held under `keys` under new ones; returns as JSON what `restore` needs."""
        ...

    def restore(self, before: Any) -> None:
        """Put back what `share_out` changed."""
        ...


HOLDERS: list[PeriodHolder] = []


def hold_periods(holder: PeriodHolder) -> None:
    """Register a room's holder, once, when its application is ready."""
    if all(known.name != holder.name for known in HOLDERS):
        HOLDERS.append(holder)


def is_moved(key: str, *, before: Calendar, after: Calendar) -> bool:
    """Whether a key means other days after a change, or nothing any more."""
    old = _period(key, before)
    new = _period(key, after)
    return old is not None and (new is None or (old.first, old.end) != (new.first, new.end))


def shares_of(key: str, *, before: Calendar, after: Calendar) -> list[tuple[str, int]]:
    """The periods of the same kind that share the days of a period after a change, in order, with their days."""
    old = parse_period(key, calendar=before)
    found = []
    for year in range(max(old.year - 2, FIRST_YEAR), min(old.year + 2, LAST_YEAR) + 1):
        for period in periods_of_year(year, kind=old.kind, calendar=after):
            days = (min(period.end, old.end) - max(period.first, old.first)).days
            if days > 0:
                found.append((period.key, days))
    return found or [(key, 1)]


def _period(key: str, calendar: Calendar) -> Period | None:
    try:
        return parse_period(key, calendar=calendar)
    except PeriodError:
        return None
