"""Which days people work, when a working day starts in UTC, and where months and quarters end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from otc.calendar.rules import Kind, month_years, period_of
from otc.demo import market
from otc.demo.hazards import ANY_DAY, MONTH_END, QUARTER_END, QUARTER_START

QUARTER_EDGE, MONTH_EDGE = 10, 3  # working days


@dataclass(frozen=True, slots=True)
class Workdays:
    """The simulated days as parallel lists indexed by day number; day 0 is `first`, `today` has not begun.

    `opens` holds the UTC instant at which the working day starts; `worked` how many working days lie before a
    day, `nth` which day the n-th of them is; `season` the calendar's effect (see hazards) and `season_ends` the
    day on which it changes; the other lists hold day numbers.
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
    worked: list[int]
    nth: list[int]
    season: list[int]
    season_ends: list[int]

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
    nth = [n for n in range(count) if works[n]]
    worked = [0, *accumulate(works)]
    spans = period_spans(dates, fiscal_month=fiscal_month)
    season = seasons(spans, worked=worked)
    opening = time(market.WORKDAY_STARTS_AT_HOUR)
    return Workdays(
        first=first,
        today=(today - first).days,
        zone=zone,
        dates=dates,
        opens=[datetime.combine(d, opening, zone).astimezone(UTC) for d in dates],
        on_or_after=on_or_after,
        on_or_before=on_or_before,
        month_end=[on_or_before[min(month_last, count - 1)] for _, _, month_last in spans],
        quarter_start=[max(quarter_first, 0) for quarter_first, _, _ in spans],
        quarter_end=[on_or_before[min(quarter_last, count - 1)] for _, quarter_last, _ in spans],
        worked=worked,
        nth=nth,
        season=season,
        season_ends=ends_of_runs(season),
    )


def period_spans(dates: list[date], *, fiscal_month: int) -> list[tuple[int, int, int]]:
    """(first day of the quarter, its last, last day of the month) of each day, as day numbers, some beyond."""
    first = dates[0]
    found = []
    calendar = month_years(fiscal_month)
    quarter = period_of(first, kind=Kind.QUARTER, calendar=calendar)
    for day in dates:
        if day >= quarter.end:
            quarter = period_of(day, kind=Kind.QUARTER, calendar=calendar)
        month_last = (months_before(day.replace(day=1), months=-1) - first).days - 1
        found.append(((quarter.first - first).days, (quarter.end - first).days - 1, month_last))
    return found


def seasons(spans: list[tuple[int, int, int]], *, worked: list[int]) -> list[int]:
    """The calendar's effect on each day, by the working days that lie between it and the ends around it."""
    last = len(spans) - 1
    found = []
    for day, (quarter_first, quarter_last, month_last) in enumerate(spans):
        left = worked[min(quarter_last, last) + 1] - worked[day]
        season = ANY_DAY
        if quarter_last <= last and left <= QUARTER_EDGE:
            season = QUARTER_END
        elif quarter_first >= 0 and worked[day] - worked[quarter_first] < QUARTER_EDGE:
            season = QUARTER_START
        elif month_last <= last and worked[month_last + 1] - worked[day] <= MONTH_EDGE:
            season = MONTH_END
        found.append(season)
    return found


def ends_of_runs(values: list[int]) -> list[int]:
    """For each place the next one with another value: [7, 7, 8] -> [2, 2, 3]."""
    found = [len(values)] * len(values)
    for place in range(len(values) - 2, -1, -1):
        found[place] = found[place + 1] if values[place] == values[place + 1] else place + 1
    return found
