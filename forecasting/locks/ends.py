"""Which periods end a lock's wait today? What the night's job locks by itself."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from forecasting.locks.models import Lock
from forecasting.locks.queries import is_locked
from forecasting.locks.services import period_lock
from forecasting.rhythm.queries import beat_now
from forecasting.rhythm.rules import Beat, instant_of
from otc.calendar.queries import calendar_of
from otc.calendar.rules import Calendar, Kind, Period, period_of
from otc.tenancy.models import Organization

# A job that couldn't run for some days catches up; what ended earlier was left open by somebody's will.
LOOK_BACK = timedelta(days=8)


def ended_periods(today: date, *, calendar: Calendar, beat: Beat) -> Iterator[Period]:
    """The periods whose day to be locked has come within LOOK_BACK, shortest first."""
    for kind in Kind:
        if beat.locks(kind):
            period = period_of(today - timedelta(days=1 + beat.lock_grace_days), kind=kind, calendar=calendar)
            if period.end <= today and today - LOOK_BACK < beat.lock_day(period.end) <= today:
                yield period


def ended_periods_lock(organization: Organization, *, now: datetime) -> list[Lock]:
    """Lock what has ended and wasn't locked since. Nothing that ended before the organization was here."""
    zone = ZoneInfo(organization.timezone)
    today = now.astimezone(zone).date()
    locked = []
    for period in ended_periods(today, calendar=calendar_of(organization), beat=beat_now()):
        ended_at = instant_of(period.end, 0, zone=zone)
        since = Lock.objects.filter(period=period.key, locked_at__gte=ended_at)
        if organization.created_at < ended_at and not since.exists() and not is_locked(period.key):
            locked.append(period_lock(organization, period=period))
    return locked
