"""When is a call due, and was it on time? When is a period locked? Weekdays and hours in the organization's zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Beat:
    """An organization's rhythm. Calls are for the running period of `call_kind`."""

    call_kind: str = "quarter"
    call_weekday: int = 4
    call_hour: int = 12
    reminds: bool = True
    lock_grace_days: int = 0
    locks_weeks: bool = False
    mails: bool = True
    mail_weekday: int = 0
    mail_hour: int = 7

    def call_due(self, day: date, *, zone: ZoneInfo) -> datetime:
        """The deadline of the week of `day`: the first that lies on or after it.

        >>> Beat().call_due(date(2026, 11, 23), zone=ZoneInfo("Europe/Berlin")).isoformat()
        '2026-11-27T11:00:00+00:00'
        """
        due_on = day + timedelta(days=(self.call_weekday - day.weekday()) % 7)
        return instant_of(due_on, self.call_hour, zone=zone)

    def lock_day(self, end: date) -> date:
        """The day at whose beginning a period that ended before `end` is locked."""
        return end + timedelta(days=self.lock_grace_days)

    def locks(self, kind: str) -> bool:
        """Whether periods of a kind (week, month, quarter, year) lock by themselves."""
        return kind != "week" or self.locks_weeks


class Punctuality(StrEnum):
    ON_TIME = "on time"
    LATE = "late"
    MISSING = "missing"
    AHEAD = "ahead"


@dataclass(frozen=True)
class Said:
    """How a deadline was met: by the last call up to it, or by the first one after it."""

    state: Punctuality
    at: datetime | None = None


def punctuality(due: datetime, submitted: Iterable[datetime], *, now: datetime) -> Said:
    """Calls count for a deadline from a week before it: on time up to it, late until the next one.

    Before the deadline nothing is late: who hasn't called yet is "ahead".

    >>> noon = datetime(2026, 11, 27, 11, tzinfo=UTC)
    >>> punctuality(noon, [noon - timedelta(hours=1)], now=noon).state.value
    'on time'
    >>> punctuality(noon, [noon + timedelta(hours=1)], now=noon + WEEK).state.value
    'late'
    """
    given = sorted(at for at in submitted if due - WEEK < at <= due + WEEK)
    before = [at for at in given if at <= due]
    if before:
        return Said(Punctuality.ON_TIME, before[-1])
    if given:
        return Said(Punctuality.LATE, given[0])
    return Said(Punctuality.AHEAD if now <= due else Punctuality.MISSING)


def instant_of(day: date, hour: int, *, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=zone).astimezone(UTC)
