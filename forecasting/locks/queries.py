"""Is a period locked, and which locks are there? Whoever writes calls and adjustments asks `period_hold`."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from forecasting.locks.models import Lock, Unlock
from otc.calendar.queries import calendar_of
from otc.calendar.rules import Period, PeriodError, parse_period
from otc.tenancy.context import once_per_snapshot
from otc.tenancy.models import Organization


def is_locked(period_key: str, *, type_id: UUID | None = None, as_of: datetime | None = None) -> bool:
    """Whether a lock held at `as_of` (None: now): one of the type, or one of the period, which holds for every type."""
    return lock_of(period_key, type_id=type_id, as_of=as_of) is not None


def lock_of(period_key: str, *, type_id: UUID | None = None, as_of: datetime | None = None) -> Lock | None:
    """The lock that held at `as_of` (None: now). One query."""
    return once_per_snapshot(("lock", period_key, type_id, as_of), lambda: _read(period_key, type_id, as_of))


def locks_with_ends() -> Any:
    """Every lock, the latest first, with `unlocked_at`, `unlock_reason` and `unlocked_by_name` on it."""
    ends = Unlock.objects.filter(lock=OuterRef("pk"))
    return Lock.objects.annotate(
        unlocked_at=ends.values("unlocked_at")[:1],
        unlock_reason=ends.values("reason")[:1],
        unlocked_by_name=ends.values("unlocked_by__name")[:1],
    ).order_by("-locked_at", "-id")


def period_of_lock(lock: Lock, *, organization: Organization) -> Period:
    """The locked period with the days and the calendar of then, whatever became of its key."""
    calendar = calendar_of(organization, known=lock.locked_at)
    try:
        period = parse_period(lock.period, calendar=calendar)
    except PeriodError:
        period = parse_period(lock.period, calendar=calendar_of(organization))
    return replace(period, first=lock.first, end=lock.end, label=lock.label)


def _read(period_key: str, type_id: UUID | None, as_of: datetime | None) -> Lock | None:
    ours = Q(type_id__isnull=True) | Q(type_id=type_id)
    locks, ends = Lock.objects.filter(ours, period=period_key), Unlock.objects.filter(lock=OuterRef("pk"))
    if as_of is not None:
        locks, ends = locks.filter(locked_at__lte=as_of), ends.filter(unlocked_at__lte=as_of)
    found: Lock | None = locks.filter(~Exists(ends)).order_by("-locked_at").first()
    return found
