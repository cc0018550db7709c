"""Which days people work, when a working day starts in UTC, and where months and quarters end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from otc.calendar.rules import Kind, month_years, period_of
from otc.demo import market


@dataclass(frozen=True, slots=True)
class Workdays:
    """The simulated days as parallel lists indexed by day number; day 0 is `first`, `today` has not begun.

    `opens` holds the UTC instant at which the working day starts; the other lists hold day numbers.
    """

    first: date
    today: int
    zone: ZoneInfo
    dates: list[date]
    opens: list[datetime]
    on_or_after: list[int]
    on_or_before: list[int]
    month_end: list[int]
    quarter_start: list[int]
    quarter_end: list[int]

    @property
    def last(self) -> int:
        """The last day number that can be used as an index."""
        return len(self.dates) - 1

    def midnight(self, day: int) -> datetime:
        """The UTC instant at which local `day` begins."""
        return local_midnight(self.dates[day], zone=self.zone)


def local_midnight(day: date, *, zone: ZoneInfo) -> datetime:
    """The UTC instant at which `day` begins in `zone`."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def months_before(day: date, *, months: int) -> date:
    """The same day `months` earlier, at most the 28th, so that it exists: 2026-11-30, 24 -> 2024-11-28."""
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, min(day.day, 28))


def build_workdays(today: date, *, zone: ZoneInfo, fiscal_month: int) -> Workdays:
    """Days from 24 months before `today` to DAYS_AHEAD after it."""
    first = months_before(today, months=market.MONTHS)
    count = (today - first).days + market.DAYS_AHEAD
    dates = [first + timedelta(days=n) for n in range(count)]
    works = [d.weekday() < 5 and (d.month, d.day) not in market.HOLIDAYS for d in dates]
    on_or_before = list(range(count))
    for n in range(1, count):
        on_or_before[n] = n if works[n] else on_or_before[n - 1]
    on_or_after = list(range(count))
    for n in range(count - 2, -1, -1):
        on_or_after[n] = n if works[n] else on_or_after[n + 1]
    opening = time(market.WORKDAY_STARTS_AT_HOUR)
    month_end, quarter_start, quarter_end = [], [], []
    calendar = month_years(fiscal_month)
    for day in dates:
        quarter = period_of(day, kind=Kind.QUARTER, calendar=calendar)
        ends = (months_before(day.replace(day=1), months=-1), quarter.end)
        month_last, quarter_last = (min((end - first).days - 1, count - 1) for end in ends)
        month_end.append(on_or_before[month_last])
        quarter_end.append(on_or_before[quarter_last])
        quarter_start.append(max((quarter.first - first).days, 0))
    return Workdays(
        first=first,
        today=(today - first).days,
        zone=zone,
        dates=dates,
        opens=[datetime.combine(d, opening, zone).astimezone(UTC) for d in dates],
        on_or_after=on_or_after,
        on_or_before=on_or_before,
        month_end=month_end,
        quarter_start=quarter_start,
        quarter_end=quarter_end,
    )
