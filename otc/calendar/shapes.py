"""The two shapes that fiscal years have: twelve months from any month, or 52 and 53 whole weeks.

A shape knows every year by itself, for ever; which shape holds from which year is the calendar's to say (rules.py).
"""

from calendar import day_name, month_name, monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import accumulate

WEEK = timedelta(days=7)


class PeriodError(ValueError):
    """A period or calendar that can't be meant; the message may be shown to a person."""


class NamedBy(StrEnum):
    """Which calendar year a fiscal year is called after: that of its last month, or that of its first."""

    END = "end"
    START = "start"


class Pattern(StrEnum):
    """Weeks in the three periods of a quarter."""

    W445 = "4-4-5"
    W454 = "4-5-4"
    W544 = "5-4-4"

    @property
    def weeks(self) -> tuple[int, ...]:
        return tuple(int(count) for count in self.value.split("-"))


class Ending(StrEnum):
    """On which such weekday a year ends: the last one in the month, or the one nearest to the month's last day."""

    LAST = "last"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True)
class MonthShape:
    """Years of twelve calendar months from `start_month` on.

    A year that starts in January bears its calendar year. Any other is named by the year in which it ends
    (2026-02-01 opens 2027 with a start in February), or begins.
    """

    start_month: int = 1
    named_by: NamedBy = NamedBy.END

    def __post_init__(self) -> None:
        _check_month(self.start_month, "A fiscal year starts")

    @property
    def has_weeks(self) -> bool:
        return False

    @property
    def is_calendar_year(self) -> bool:
        return self.start_month == 1

    def start_of(self, year: int) -> date:
        """The first day of a year."""
        return _first_of(year, self._opening_month)

    def quarter_starts(self, year: int) -> tuple[date, ...]:
        return tuple(_first_of(year, self._opening_month + 3 * n) for n in range(4))

    def month_starts(self, year: int) -> tuple[date, ...]:
        return tuple(_first_of(year, self._opening_month + n) for n in range(12))

    @property
    def _opening_month(self) -> int:
        """Months from January of the year's number to its opening: negative where its end names it."""
        is_named_by_end = self.start_month > 1 and self.named_by is NamedBy.END
        return self.start_month - 1 - (12 if is_named_by_end else 0)

    def __str__(self) -> str:
        months = f"Twelve months from {month_name[self.start_month]}"
        return months if self.is_calendar_year else f"{months}, named by the year they {self.named_by} in"


@dataclass(frozen=True, slots=True)
class WeekShape:
    """Years of 52 or 53 weeks that end on a weekday (Monday 0) by the end of `end_month`.

    A year's number is that of the calendar year in which `end_month` lies, or the month after it with NamedBy.START.
    So a year that ends on the Sunday nearest to 31 December 2020, which is 2021-01-03, is 2020. The 53rd week
    belongs to the last period.
    """

    pattern: Pattern = Pattern.W445
    end_month: int = 12
    end_weekday: int = 5
    ending: Ending = Ending.LAST
    named_by: NamedBy = NamedBy.END

    def __post_init__(self) -> None:
        _check_month(self.end_month, "A fiscal year ends")
        if not 0 <= self.end_weekday <= 6:
            raise PeriodError(f"A weekday is a number from 0 (Monday) to 6, not {self.end_weekday}.")

    @property
    def has_weeks(self) -> bool:
        return True

    @property
    def is_calendar_year(self) -> bool:
        return self.end_month == 12

    def start_of(self, year: int) -> date:
        """The first day of a year: the one after the end of the year before."""
        return self._last_day(year - 1) + timedelta(days=1)

    def week_starts(self, year: int) -> tuple[date, ...]:
        first, end = self.start_of(year), self.start_of(year + 1)
        return tuple(first + n * WEEK for n in range((end - first).days // 7))

    def month_starts(self, year: int) -> tuple[date, ...]:
        first = self.start_of(year)
        weeks_before = accumulate(self.pattern.weeks * 4, initial=0)
        return tuple(first + n * WEEK for n in list(weeks_before)[:12])

    def quarter_starts(self, year: int) -> tuple[date, ...]:
        return self.month_starts(year)[::3]

    def _last_day(self, year: int) -> date:
        begins_a_year_earlier = self.named_by is NamedBy.START and self.end_month < 12
        anchor_year = year + 1 if begins_a_year_earlier else year
        anchor = date(anchor_year, self.end_month, monthrange(anchor_year, self.end_month)[1])
        days_back = (anchor.weekday() - self.end_weekday) % 7
        last = anchor - timedelta(days=days_back)
        return last + WEEK if self.ending is Ending.NEAREST and days_back > 3 else last

    def __str__(self) -> str:
        weekday, month = day_name[self.end_weekday], month_name[self.end_month]
        where = (
            f"the last {weekday} of {month}"
            if self.ending is Ending.LAST
            else f"the {weekday} nearest to the end of {month}"
        )
        named = "" if self.is_calendar_year else f", named by the year they {self.named_by} in"
        return f"{self.pattern} weeks, ending on {where}{named}"


Shape = MonthShape | WeekShape


def _check_month(month: int, what: str) -> None:
    if not 1 <= month <= 12:
        raise PeriodError(f"{what} in a month from 1 to 12, not {month}.")


def _first_of(year: int, month_index: int) -> date:
    """The first day of the month that lies `month_index` months after January of `year`."""
    return date(year + month_index // 12, month_index % 12 + 1, 1)
