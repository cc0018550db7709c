"""Which week, month, quarter and year a day falls in, for a calendar that may change from one year to the next.

Every day falls in exactly one period of each kind. A changed calendar starts with a year: all years before keep their
periods to the day. The first year of the new shape runs from where the last one ended to where its own shape ends
it, so it may be short or long.

Keys: "2026" is a fiscal year, "2026-Q4" a quarter, "2026-W07" a week. A month is "2026-10", the calendar month,
where years are made of months, and "2026-P03", the third period, where they are made of weeks.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from otc.calendar.shapes import WEEK, MonthShape, PeriodError, Shape, WeekShape

FIRST_YEAR, LAST_YEAR = 1900, 2200
LONGEST_YEAR_DAYS = 2 * 371  # two years of 53 weeks
SHORTEST_YEAR_DAYS = 7

_KEY = re.compile(r"(\d{4})(?:-(?:Q(\d)|P(\d{2})|W(\d{2,3})|(\d{2})))?", re.ASCII)


class NotAPeriod(PeriodError):
    """Text that is no period's key."""


class PeriodOutOfRange(PeriodError):
    """A period before 1900 or after 2200."""


class CalendarRefused(PeriodError):
    """Shapes that can't follow each other from the year that was asked for."""


class Kind(StrEnum):
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Era:
    """Years from `from_year` on have this shape, until the next era."""

    from_year: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Calendar:
    """Eras in the order of their years; the first reaches back for ever. Raises CalendarRefused where a year between
    two eras would be shorter than a week or longer than two years.
    """

    eras: tuple[Era, ...] = (Era(FIRST_YEAR, MonthShape()),)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        years = [era.from_year for era in self.eras]
        if not years or sorted(set(years)) != years:
            raise CalendarRefused("A calendar needs eras, each from a later year than the one before.")
        object.__setattr__(self, "_hash", hash(self.eras))
        for era in self.eras[1:]:
            _checked_year(era.from_year)
            days = (self.start_of(era.from_year + 1) - self.start_of(era.from_year)).days
            if not SHORTEST_YEAR_DAYS <= days <= LONGEST_YEAR_DAYS:
                raise CalendarRefused(
                    f"The year {era.from_year} would have {max(days, 0)} days. Begin the new calendar with another"
                    " year, or name its years by their other end."
                )

    def __hash__(self) -> int:
        return self._hash

    def shape_of(self, year: int) -> Shape:
        """The shape that a fiscal year has, or ends in."""
        return next((era.shape for era in reversed(self.eras) if era.from_year <= year), self.eras[0].shape)

    def start_of(self, year: int) -> date:
        """The first day of a fiscal year: the first of an era starts where the shape before it ends."""
        is_first = any(era.from_year == year for era in self.eras[1:])
        return self.shape_of(year - 1 if is_first else year).start_of(year)

    def is_transition(self, year: int) -> bool:
        """Whether the year is the first of a new shape, and so may be short or long."""
        return any(era.from_year == year for era in self.eras[1:])

    def changed(self, shape: Shape, *, from_year: int) -> "Calendar":
        """This calendar with another shape from a year on, until the next era. Raises CalendarRefused."""
        year = max(from_year, self.eras[0].from_year)
        others = [era for era in self.eras if era.from_year != year]
        return Calendar(tuple(sorted([*others, Era(year, shape)], key=lambda era: era.from_year)))


def month_years(start_month: int = 1) -> Calendar:
    """A calendar whose years always start with the same month."""
    return Calendar((Era(FIRST_YEAR, MonthShape(start_month)),))


CALENDAR_YEARS = Calendar()


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` up to and without `end`. `number` counts within the fiscal year, from 1."""

    key: str
    kind: Kind
    first: date
    end: date
    label: str
    year: int
    number: int
    calendar: Calendar = field(repr=False)

    def __contains__(self, day: date) -> bool:
        return self.first <= day < self.end

    @property
    def last(self) -> date:
        """The last day inside."""
        return self.end - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.end - self.first).days

    @property
    def weeks(self) -> int:
        """Whole weeks: 13 in a quarter. The days beyond them belong to the last week."""
        return max(self.days // 7, 1)

    def week_of(self, day: date) -> int:
        """1 for the first seven days; days outside count as the nearest week inside."""
        return min(max((day - self.first).days // 7 + 1, 1), self.weeks)

    def days_left(self, day: date) -> int:
        """Days from `day` to the end, `day` included: 1 on the last day, 0 afterwards, all before it."""
        return min(max((self.end - day).days, 0), self.days)


def period_of(day: date, *, kind: Kind = Kind.QUARTER, calendar: Calendar = CALENDAR_YEARS) -> Period:
    """The one period of this kind that holds the day: 2026-11-22 -> 2026-Q4 (calendar years)."""
    year = _year_of(day, kind=kind, calendar=calendar)
    periods = periods_of_year(year, kind=kind, calendar=calendar)
    return periods[bisect_right(periods, day, key=lambda period: period.first) - 1]


def parse_period(key: str, *, calendar: Calendar = CALENDAR_YEARS) -> Period:
    """The period of a key (see the module). The third month of a year may be asked for as P03 in any calendar."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise NotAPeriod(f"“{key}” is not a period like 2026, 2026-Q4 or 2026-10.")
    year, quarter, number, week, month = int(match[1]), match[2], match[3], match[4], match[5]
    _checked_year(year)
    if month is not None:
        return _calendar_month(year, int(month), calendar=calendar)
    for text, kind in ((quarter, Kind.QUARTER), (number, Kind.MONTH), (week, Kind.WEEK)):
        if text is not None:
            return _numbered(key, year, int(text), kind=kind, calendar=calendar)
    return periods_of_year(year, kind=Kind.YEAR, calendar=calendar)[0]


def previous(period: Period) -> Period:
    """The period of the same kind that ends where this one starts."""
    return period_of(period.first - timedelta(days=1), kind=period.kind, calendar=period.calendar)


def following(period: Period) -> Period:
    """The period of the same kind that starts where this one ends."""
    return period_of(period.end, kind=period.kind, calendar=period.calendar)


@lru_cache(maxsize=4096)
def periods_of_year(year: int, *, kind: Kind, calendar: Calendar) -> tuple[Period, ...]:
    """The periods of a fiscal year in order. Those of one kind follow each other over all years without gap."""
    _checked_year(year)
    shape = calendar.shape_of(year)
    first, end = calendar.start_of(year), calendar.start_of(year + 1)
    if kind is Kind.WEEK:
        end = _weeks_end(year, calendar)
        starts = _week_starts(year, calendar=calendar)
        offset = 0
    elif kind is Kind.YEAR:
        starts, offset = (first,), 0
    else:
        starts = _starts(year, kind=kind, calendar=calendar)
        # A short year ends with the quarter and period that end every year; a long one has more of them.
        offset = max((4 if kind is Kind.QUARTER else 12) - len(starts), 0)
    ends = [*starts[1:], end]
    return tuple(
        _period(start, stop, number=number, kind=kind, year=year, shape=shape, calendar=calendar)
        for number, (start, stop) in enumerate(zip(starts, ends, strict=True), start=offset + 1)
    )


def parts_of(period: Period, *, kind: Kind) -> tuple[Period, ...]:
    """The periods of a shorter kind that make it up: a year's quarters; none of a kind that isn't shorter, nor weeks,
    which lie across.
    """
    order = (Kind.YEAR, Kind.QUARTER, Kind.MONTH)
    if period.kind not in order or kind not in order[order.index(period.kind) + 1 :]:
        return ()
    found = periods_of_year(period.year, kind=kind, calendar=period.calendar)
    return tuple(part for part in found if part.first in period)


def year_of(day: date, *, calendar: Calendar) -> int:
    """The fiscal year that holds a day."""
    return _year_of(day, kind=Kind.YEAR, calendar=calendar)


def monday_of(day: date) -> date:
    """The Monday on or before a day: where its week starts."""
    return day - timedelta(days=day.weekday())


def monday_before(day: date) -> date:
    """The Monday before a day. Of a Monday that is a week ago: who looks back then means the week that ended."""
    return monday_of(day - timedelta(days=1))


def _period(
    first: date, end: date, *, number: int, kind: Kind, year: int, shape: Shape, calendar: Calendar
) -> Period:
    name = f"{year}" if shape.is_calendar_year and not calendar.is_transition(year) else f"FY{year}"
    last = end - timedelta(days=1)
    if kind is Kind.YEAR:
        key, label = f"{year}", name
    elif kind is Kind.QUARTER:
        key, label = f"{year}-Q{number}", f"Q{number} {name}"
    elif kind is Kind.WEEK:
        key, label = f"{year}-W{number:02}", f"W{number:02} {name}"
    elif shape.has_weeks:
        key, label = f"{year}-P{number:02}", f"P{number:02} {name}"
    else:
        key, label = f"{last:%Y-%m}", f"{last:%B %Y}"
    return Period(key, kind, first, end, label, year, number, calendar)


def _starts(year: int, *, kind: Kind, calendar: Calendar) -> tuple[date, ...]:
    """Where the quarters or months of a year start."""
    shape = calendar.shape_of(year)
    natural = shape.quarter_starts if kind is Kind.QUARTER else shape.month_starts
    if not calendar.is_transition(year):
        return natural(year)
    grid = [start for near in range(year - 2, year + 2) for start in natural(near)]
    return _cut(grid, first=calendar.start_of(year), end=calendar.start_of(year + 1))


def _week_starts(year: int, *, calendar: Calendar) -> tuple[date, ...]:
    """Where the weeks of a year start. In years of months they are Monday's, as ISO 8601 has them: a week belongs to
    the year that holds its Thursday. Next to a year of another shape they are cut.
    """
    shape = calendar.shape_of(year)
    first, end = _weeks_first(year, calendar), _weeks_end(year, calendar)
    if isinstance(shape, WeekShape):
        if not calendar.is_transition(year):
            return shape.week_starts(year)
        grid = [start for near in range(year - 2, year + 2) for start in shape.week_starts(near)]
        return _cut(grid, first=first, end=end)
    monday, days = monday_of(first), (end - monday_of(first)).days
    starts = _cut([monday + n * WEEK for n in range(-(-days // 7) + 1)], first=first, end=end)
    # What is left of the last week before the cut is a week of its own only if it is most of one.
    return starts[:-1] if len(starts) > 1 and (end - starts[-1]).days * 2 < 7 else starts


@lru_cache(maxsize=4096)
def _year_first(year: int, calendar: Calendar) -> date:
    return calendar.start_of(year)


@lru_cache(maxsize=4096)
def _weeks_first(year: int, calendar: Calendar) -> date:
    """The first day of the first week of a year."""
    start = calendar.start_of(year)
    is_cut = calendar.shape_of(year).has_weeks or calendar.shape_of(year - 1).has_weeks
    return start if is_cut else monday_of(start + timedelta(days=3))


def _weeks_end(year: int, calendar: Calendar) -> date:
    return _weeks_first(year + 1, calendar)


def _cut(grid: Sequence[date], *, first: date, end: date) -> tuple[date, ...]:
    """The pieces of a grid between two days; a first piece of less than half its length joins the next one."""
    inside = [start for start in grid if first < start < end]
    if inside:
        before = [start for start in grid if start <= first]
        is_whole = bool(before) and before[-1] == first
        natural_days = (inside[0] - before[-1]).days if before else 0
        if not is_whole and (inside[0] - first).days * 2 < natural_days:
            inside = inside[1:]
    return (first, *inside)


def _year_of(day: date, *, kind: Kind, calendar: Calendar) -> int:
    """The fiscal year whose periods of a kind hold the day."""
    if not FIRST_YEAR - 2 <= day.year <= LAST_YEAR + 2:
        raise PeriodOutOfRange(f"Periods go from {FIRST_YEAR} to {LAST_YEAR}; {day.year} is outside.")
    start_of = _weeks_first if kind is Kind.WEEK else _year_first
    year = day.year
    while day < start_of(year, calendar):
        year -= 1
    while day >= start_of(year + 1, calendar):
        year += 1
    return _checked_year(year)


def _numbered(key: str, year: int, number: int, *, kind: Kind, calendar: Calendar) -> Period:
    periods = periods_of_year(year, kind=kind, calendar=calendar)
    for period in periods:
        if period.number == number:
            return period
    bounds = f"{periods[0].key} to {periods[-1].key}"
    raise NotAPeriod(f"“{key}” is not in the fiscal year {year}, which has {bounds}.")


def _calendar_month(year: int, month: int, *, calendar: Calendar) -> Period:
    key = f"{year}-{month:02}"
    if not 1 <= month <= 12:
        raise NotAPeriod(f"“{key}” names month {month:02}; months go from 01 to 12.")
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    period = period_of(last, kind=Kind.MONTH, calendar=calendar)
    if period.key != key:
        raise NotAPeriod(f"“{key}” is not a period here: the year is made of weeks. Ask for {period.key}.")
    return period


def _checked_year(year: int) -> int:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise PeriodOutOfRange(f"Periods go from {FIRST_YEAR} to {LAST_YEAR}; {year} is outside.")
    return year
