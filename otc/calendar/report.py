"""What would a changed calendar look like, from when on, and what hangs on the periods that change?"""

from dataclasses import dataclass
from datetime import date, timedelta

from otc.calendar.holders import HOLDERS, PeriodHolder, is_moved
from otc.calendar.rules import Calendar, Kind, Period, periods_of_year, year_of

YEARS_AHEAD = 6


@dataclass(frozen=True)
class YearRow:
    """A fiscal year with its quarters. `is_changed`: its days or its quarters are others than before."""

    year: Period
    quarters: tuple[Period, ...]
    week_count: int
    has_weeks: bool
    is_transition: bool
    is_changed: bool
    shape: str


@dataclass(frozen=True)
class Held:
    """Things of a room that hang on periods which change."""

    name: str
    count: int
    fate: str
    keys: frozenset[str]
    holder: PeriodHolder


@dataclass(frozen=True)
class CalendarReport:
    """The years ahead as they would be. `first_day` is the first day whose periods change, None: nothing does.

    `closed_count` counts the months that ended already and would have other days.
    """

    before: Calendar
    after: Calendar
    rows: tuple[YearRow, ...]
    first_day: date | None
    closed_count: int
    held: tuple[Held, ...]

    @property
    def needs_word(self) -> bool:
        """Whether it has to be said what becomes of what is there."""
        return bool(self.closed_count or self.held)


def calendar_report(
    before: Calendar, after: Calendar, *, today: date, known_years: int = 1
) -> CalendarReport:
    """The years from last year on. One query per room that holds periods, none where nothing changes."""
    this_year = year_of(today, calendar=after)
    rows = tuple(
        _year_row(year, before=before, after=after)
        for year in range(this_year - known_years, this_year + YEARS_AHEAD)
    )
    first_day = first_changed_day(before, after)
    held: list[Held] = []
    if first_day is not None:
        for holder in HOLDERS:
            counts = holder.held()
            moved = frozenset(key for key in counts if is_moved(key, before=before, after=after))
            if moved:
                count = sum(counts[key] for key in moved)
                held.append(Held(holder.name, count, holder.fate, moved, holder))
    return CalendarReport(
        before=before,
        after=after,
        rows=rows,
        first_day=first_day,
        closed_count=_closed_count(before, after, first_day=first_day, today=today),
        held=tuple(held),
    )


def first_changed_day(before: Calendar, after: Calendar) -> date | None:
    """The first day that falls in other periods; None where both calendars are one."""
    years = sorted({era.from_year for era in (*before.eras, *after.eras)})
    for year in years:
        if before.shape_of(year) != after.shape_of(year) or before.start_of(year) != after.start_of(year):
            return min(before.start_of(year), after.start_of(year))
    return None


def _closed_count(before: Calendar, after: Calendar, *, first_day: date | None, today: date) -> int:
    """Months of the years since two years ago that ended before today and are others after the change."""
    if first_day is None or first_day >= today:
        return 0
    this_year = year_of(today - timedelta(days=1), calendar=before)
    months = [
        month
        for year in range(this_year - 2, this_year + 1)
        for month in periods_of_year(year, kind=Kind.MONTH, calendar=before)
        if first_day < month.end <= today
    ]
    quarters = [
        quarter
        for year in range(this_year - 2, this_year + 1)
        for quarter in periods_of_year(year, kind=Kind.QUARTER, calendar=before)
        if first_day < quarter.end <= today
    ]
    return sum(is_moved(period.key, before=before, after=after) for period in (*months, *quarters))


def _year_row(year: int, *, before: Calendar, after: Calendar) -> YearRow:
    (whole,) = periods_of_year(year, kind=Kind.YEAR, calendar=after)
    quarters = periods_of_year(year, kind=Kind.QUARTER, calendar=after)
    was = periods_of_year(year, kind=Kind.QUARTER, calendar=before)
    return YearRow(
        year=whole,
        quarters=quarters,
        week_count=len(periods_of_year(year, kind=Kind.WEEK, calendar=after)),
        has_weeks=after.shape_of(year).has_weeks,
        is_transition=after.is_transition(year),
        is_changed=[(q.first, q.end) for q in quarters] != [(q.first, q.end) for q in was],
        shape=str(after.shape_of(year)),
    )
