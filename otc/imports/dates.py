"""Which day or moment does a cell mean? ISO and named months say it themselves; 03/04/2026 has two readings.

No Django here: a text in, a datetime (naive where the text has no offset) out.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

MONTH_FIRST, DAY_FIRST = "mdy", "dmy"
ORDERS = (MONTH_FIRST, DAY_FIRST)
ORDER_WORDS = {MONTH_FIRST: "month first, as in 12/31/2026", DAY_FIRST: "day first, as in 31/12/2026"}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

_TIME = (
    r"(?:(?:\s*,\s*|\s+|T)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?\s*(?P<zone>Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})" + _TIME)
_YEAR_LAST = re.compile(r"(?P<a>\d{1,2})(?P<mark>[-/.])(?P<b>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})" + _TIME)
_NAMED = re.compile(
    r"(?:(?P<day>\d{1,2})[-\s.]+(?P<name>[A-Za-z]{3,9})\.?|(?P<name2>[A-Za-z]{3,9})\.?\s+(?P<day2>\d{1,2}),?)"
    r"[-\s,]+(?P<year>\d{4}|\d{2})" + _TIME
)
_HOUR_ONLY = re.compile(r"\dT\d")
LONGEST = 60
# Milliseconds since 1970, as programs write them, from 2001 to 2286.
_EPOCH_DIGITS = 13


def parse_moment(text: str, order: str | None) -> tuple[datetime, bool]:
    """The moment a text means, and whether it is a bare day. Raises ValueError.

    `order` is how days like 03/04/2026 are to be read; without one they are refused. Two digits of a year mean
    1970 to 2069.

    >>> parse_moment("02/23/26 08:55 PM", "mdy")
    (datetime.datetime(2026, 2, 23, 20, 55), False)
    """
    if len(text) > LONGEST:
        raise ValueError(text[:LONGEST])
    # One space at most in a row: the patterns must not try every way to share many out.
    text = " ".join(text.split())
    if len(text) == _EPOCH_DIGITS and text.isdecimal():
        return datetime.fromtimestamp(int(text) / 1000, tz=UTC), False
    if match := _YEAR_FIRST.fullmatch(text):
        return _moment(match, int(match["year"]), int(match["month"]), int(match["day"]))
    if match := _NAMED.fullmatch(text):
        name = (match["name"] or match["name2"]).lower()
        month = _MONTHS.index(name[:3]) + 1
        return _moment(match, _year(match["year"]), month, int(match["day"] or match["day2"]))
    match = _YEAR_LAST.fullmatch(text)
    if match is None:
        raise ValueError(text)
    first, second = int(match["a"]), int(match["b"])
    # Nobody writes the month first with points.
    if match["mark"] == "." and order is None:
        order = DAY_FIRST
    if order == MONTH_FIRST:
        return _moment(match, _year(match["year"]), first, second)
    if order == DAY_FIRST:
        return _moment(match, _year(match["year"]), second, first)
    raise ValueError(text)


def day_readings(text: str) -> dict[str, datetime]:
    """What a numeric day means in each order that makes sense of it; empty where the order doesn't matter."""
    if len(text) > LONGEST or (match := _YEAR_LAST.fullmatch(" ".join(text.split()))) is None:
        return {}
    orders = (DAY_FIRST,) if match["mark"] == "." else ORDERS
    return {order: moment for order in orders if (moment := _read(text, order)) is not None}


def is_date(text: str) -> bool:
    """Whether some order makes a day of it."""
    return any(_read(text, order) is not None for order in (None, *ORDERS))


def is_bare_day(text: str) -> bool:
    """Whether it is a day without a time, in whatever order."""
    return ":" not in text and len(text) != _EPOCH_DIGITS and not _HOUR_ONLY.search(text)


def _read(text: str, order: str | None) -> datetime | None:
    try:
        return parse_moment(text, order)[0]
    except ValueError:
        return None


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (1900 if year >= 70 else 2000)


def _moment(match: re.Match[str], year: int, month: int, day: int) -> tuple[datetime, bool]:
    """Day, time and offset of a match, checked by datetime itself."""
    if match["hour"] is None:
        if match["zone"]:
            raise ValueError(match[0])
        return datetime(year, month, day), True  # noqa: DTZ001  the caller knows the zone
    hour = int(match["hour"])
    if half := match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(match[0])
        hour = hour % 12 + (12 if half[0] in "Pp" else 0)
    fraction = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    zone = _zone(match["zone"])
    second = int(match["second"] or 0)
    return datetime(year, month, day, hour, int(match["minute"]), second, fraction, zone), False


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text[0] not in "+-":
        return timezone.utc  # noqa: UP017  beside timezone(...) below
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
