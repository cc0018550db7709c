"""Which fiscal month, quarter and year a day falls in, for fiscal years that start with any calendar month.

A fiscal year that starts in January bears its calendar year. Any other bears the calendar year in which it
ends: with a start in February, 2026-02-01 opens fiscal year 2027. Months are calendar months and keep their
calendar key.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

FIRST_YEAR, LAST_YEAR = 1900, 2200

_KEY = re.compile(r"(\d{4})(?:-(?:Q([1-4])|(\d{2})))?", re.ASCII)


class PeriodError(ValueError):
    """A period that can't be meant; the message may be shown to a person."""


class NotAPeriod(PeriodError):
    """Text that is no period's key."""


class PeriodOutOfRange(PeriodError):
    """A period before 1900 or after 2200."""


class Kind(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` up to and without `end`."""

    key: str
    kind: Kind
    first: date
    end: date
    label: str
    fiscal_year_start_month: int

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
        return self.days // 7

    def week_of(self, day: date) -> int:
        """1 for the first seven days; days outside count as the nearest week inside."""
        return min(max((day - self.first).days // 7 + 1, 1), self.weeks)

    def days_left(self, day: date) -> int:
        """Days from `day` to the end, `day` included: 1 on the last day, 0 afterwards, all before it."""
        return min(max((self.end - day).days, 0), self.days)


def period_of(day: date, *, kind: Kind = Kind.QUARTER, fiscal_year_start_month: int = 1) -> Period:
    """The one period of this kind that holds the day: 2026-11-22 -> 2026-Q4 (start month 1)."""
    start = _checked_start(fiscal_year_start_month)
    if kind is Kind.MONTH:
        return _month(day.year, day.month, start=start)
    months_in = (day.month - start) % 12
    opening_year = day.year if day.month >= start else day.year - 1
    year = opening_year if start == 1 else opening_year + 1
    return _year(year, start=start) if kind is Kind.YEAR else _quarter(year, months_in // 3 + 1, start=start)


def parse_period(key: str, *, fiscal_year_start_month: int = 1) -> Period:
    """The period of a key: "2026" (fiscal year), "2026-Q4" (fiscal quarter) or "2026-10" (calendar month)."""
    start = _checked_start(fiscal_year_start_month)
    match = _KEY.fullmatch(key)
    if match is None:
        raise NotAPeriod(f"“{key}” is not a period like 2026, 2026-Q4 or 2026-10.")
    year, quarter, month = int(match[1]), match[2], match[3]
    if quarter:
        return _quarter(year, int(quarter), start=start)
    if month is None:
        return _year(year, start=start)
    if not 1 <= int(month) <= 12:
        raise NotAPeriod(f"“{key}” names month {month}; months go from 01 to 12.")
    return _month(year, int(month), start=start)


def previous(period: Period) -> Period:
    """The period of the same kind that ends where this one starts."""
    return period_of(
        period.first - timedelta(days=1),
        kind=period.kind,
        fiscal_year_start_month=period.fiscal_year_start_month,
    )


def following(period: Period) -> Period:
    """The period of the same kind that starts where this one ends."""
    return period_of(period.end, kind=period.kind, fiscal_year_start_month=period.fiscal_year_start_month)


def monday_of(day: date) -> date:
    """The Monday on or before a day: where its week starts."""
    return day - timedelta(days=day.weekday())


def _checked_start(month: int) -> int:
    if not 1 <= month <= 12:
        raise PeriodError(f"A fiscal year starts in a month from 1 to 12, not {month}.")
    return month


def _first_of(year: int, month_index: int) -> date:
    """The first day of the month that lies `month_index` months after January of `year`."""
    return date(year + month_index // 12, month_index % 12 + 1, 1)


def _checked_year(year: int) -> int:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise PeriodOutOfRange(f"Periods go from {FIRST_YEAR} to {LAST_YEAR}; {year} is outside.")
    return year


def _opening_month(start: int) -> int:
    """Months from January of a fiscal year's number to its opening: 0 or negative, as its end names it."""
    return 0 if start == 1 else start - 1 - 12


def _month(year: int, month: int, *, start: int) -> Period:
    _checked_year(year)
    first = date(year, month, 1)
    return Period(
        f"{year}-{month:02}", Kind.MONTH, first, _first_of(year, month), f"{first:%B} {year}", start
    )


def _quarter(year: int, quarter: int, *, start: int) -> Period:
    _checked_year(year)
    opening = _opening_month(start) + 3 * (quarter - 1)
    label = f"Q{quarter} {year}" if start == 1 else f"Q{quarter} FY{year}"
    return Period(
        f"{year}-Q{quarter}",
        Kind.QUARTER,
        _first_of(year, opening),
        _first_of(year, opening + 3),
        label,
        start,
    )


def _year(year: int, *, start: int) -> Period:
    _checked_year(year)
    opening = _opening_month(start)
    label = f"{year}" if start == 1 else f"FY{year}"
    return Period(f"{year}", Kind.YEAR, _first_of(year, opening), _first_of(year, opening + 12), label, start)
