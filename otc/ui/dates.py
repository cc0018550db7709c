"""What day did somebody mean by "fri", "+2w", "eom" or "18 dec"? Pure; today is always passed in."""

import datetime as dt
import re
from calendar import monthrange

from otc.calendar.rules import CALENDAR_YEARS, Calendar, Kind, PeriodError, period_of

WEEKDAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_NAMES = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
PERIOD_ENDS = {"eop": Kind.MONTH, "eoq": Kind.QUARTER, "eoy": Kind.YEAR}
EXAMPLES = "Try fri, +2w, eom or 18 dec."

_SHIFT = re.compile(r"([+-])\s*(\d{1,4})\s*(d|w|m|q|y|days?|weeks?|months?|quarters?|years?)?")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,2})[./](\d{1,2})\.?(?:[./]?\s*(\d{4}|\d{2}))?")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\.?\s*([a-z]{3,9})\.?,?\s*(\d{4})?")
_MONTH_DAY = re.compile(r"([a-z]{3,9})\.?\s*(\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(\d{4}))?")


class DayNotUnderstood(ValueError):
    """The text names no day. str(error) is one sentence with the cause and the remedy."""


def parse_day(
    text: str, *, today: dt.date, base: dt.date | None = None, calendar: Calendar = CALENDAR_YEARS
) -> dt.date:
    """The day that `text` names, seen from `today`; '+2w' counts from `base`, the day that stands there now.

    'fri' is the next Friday (today when it is Friday), '18 dec' the next one that is not past;
    'eop', 'eoq' and 'eoy' end the fiscal month, quarter and year. Raises DayNotUnderstood.
    >>> parse_day("+2w", today=dt.date(2026, 12, 18))
    datetime.date(2027, 1, 1)
    """
    words = " ".join(text.strip().lower().split())
    if not words:
        raise DayNotUnderstood(f"No date was typed. {EXAMPLES}")
    named = _named_day(words, today=today, calendar=calendar)
    return named or _shifted(words, base=base or today) or _written(words, today=today, typed=text.strip())


def end_of_month(day: dt.date) -> dt.date:
    """Last day of the month of `day`."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def end_of_period(day: dt.date, *, kind: Kind, calendar: Calendar = CALENDAR_YEARS) -> dt.date:
    """Last day of the fiscal quarter, year, ... of `day`: with a start in February, 10 Mar -> 30 Apr."""
    try:
        return period_of(day, kind=kind, calendar=calendar).last
    except PeriodError:
        raise DayNotUnderstood(f"That is too far away. {EXAMPLES}") from None


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day some months on, clipped to the month's length: 31 Jan + 1 -> 28 Feb."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        raise DayNotUnderstood(f"That is too far away. {EXAMPLES}")
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _add_days(day: dt.date, days: int) -> dt.date:
    try:
        return day + dt.timedelta(days=days)
    except OverflowError:
        raise DayNotUnderstood(f"That is too far away. {EXAMPLES}") from None


def _named_day(words: str, *, today: dt.date, calendar: Calendar) -> dt.date | None:
    if kind := PERIOD_ENDS.get(words):
        return end_of_period(today, kind=kind, calendar=calendar)
    fixed = {
        "today": today,
        "now": today,
        "tomorrow": today + dt.timedelta(days=1),
        "tom": today + dt.timedelta(days=1),
        "yesterday": today - dt.timedelta(days=1),
        "eow": today + dt.timedelta(days=(4 - today.weekday()) % 7),
        "eom": end_of_month(today),
    }
    if words in fixed:
        return fixed[words]
    is_next_week = words.startswith("next ")
    weekday = _index_of(words.removeprefix("next "), names=WEEKDAY_NAMES)
    if weekday is None:
        return None
    ahead = (weekday - today.weekday()) % 7
    return today + dt.timedelta(days=(ahead or 7) if is_next_week else ahead)


def _index_of(word: str, *, names: list[str] | tuple[str, ...]) -> int | None:
    matches = [index for index, name in enumerate(names) if len(word) >= 3 and name.startswith(word)]
    if word == "sept":
        return 8 if len(names) == 12 else None
    return matches[0] if len(matches) == 1 else None


def _shifted(words: str, *, base: dt.date) -> dt.date | None:
    match = _SHIFT.fullmatch(words)
    if not match:
        return None
    count = int(match[2]) * (1 if match[1] == "+" else -1)
    unit = (match[3] or "d")[0]
    if unit in "dw":
        return _add_days(base, count * (7 if unit == "w" else 1))
    return add_months(base, count * {"m": 1, "q": 3, "y": 12}[unit])


def _written(words: str, *, today: dt.date, typed: str) -> dt.date:
    if match := _ISO.fullmatch(words):
        return _day_of(int(match[1]), int(match[2]), int(match[3]))
    if match := _NUMBERS.fullmatch(words):
        return _dated(day=int(match[1]), month=int(match[2]), year=match[3], today=today)
    match = _DAY_MONTH.fullmatch(words)
    if match and (index := _index_of(match[2], names=MONTH_NAMES)) is not None:
        return _dated(day=int(match[1]), month=index + 1, year=match[3], today=today)
    match = _MONTH_DAY.fullmatch(words)
    if match and (index := _index_of(match[1], names=MONTH_NAMES)) is not None:
        return _dated(day=int(match[2]), month=index + 1, year=match[3], today=today)
    raise DayNotUnderstood(f"“{typed[:40]}” is not a date. {EXAMPLES}")


def _dated(*, day: int, month: int, year: str | None, today: dt.date) -> dt.date:
    if year:
        return _day_of(int(year) + (2000 if len(year) == 2 else 0), month, day)
    # Without a year the next such day is meant; 29 Feb then waits for this year or says why it can't.
    this_year = _day_of_or_none(today.year, month, day)
    if this_year and this_year >= today:
        return this_year
    month_is_past = month < today.month
    return _day_of(today.year + (1 if this_year or month_is_past else 0), month, day)


def _day_of_or_none(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _day_of(year: int, month: int, day: int) -> dt.date:
    if not 1 <= month <= 12:
        raise DayNotUnderstood(f"There is no month {month}. Write the day first: 18.12.2026.")
    if not 1900 <= year <= 9998:
        raise DayNotUnderstood(f"The year {year} is out of reach. {EXAMPLES}")
    length = monthrange(year, month)[1]
    if not 1 <= day <= length:
        month_name = MONTH_NAMES[month - 1].capitalize()
        raise DayNotUnderstood(f"{month_name} has {length} days in {year}. Try eom.")
    return dt.date(year, month, day)
