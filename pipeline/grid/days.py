"""Days as a spreadsheet copies them: 12/18/2026 says its order itself, 05/12/2026 is read as its column says. Pure."""

from collections.abc import Iterable

from otc.imports.dates import DAY_FIRST, MONTH_FIRST, ORDERS, day_readings


class TwoReadings(ValueError):
    """The text means one day with the day first and another with the month first, and nothing says which."""


def order_of(texts: Iterable[str]) -> str | None:
    """The order that a column's days tell: dmy or mdy; None where none tells, or two contradict.

    >>> order_of(["05/12/2026", "12/18/2026"])
    'mdy'
    """
    told = {order for text in texts for order in _told(text)}
    return told.pop() if len(told) == 1 else None


def _told(text: str) -> set[str]:
    readings = day_readings(text)
    return set(readings) if len(readings) == 1 and "." not in text else set()


def day_text(text: str, *, order: str | None) -> str:
    """The text, a numeric day with its year as ISO; what is no such day is left to whoever reads days.

    Raises TwoReadings.
    >>> day_text("05/12/2026", order="mdy")
    '2026-05-12'
    """
    readings = {one: moment.date() for one, moment in day_readings(text).items()}
    days = set(readings.values())
    if not days:
        return text
    if len(days) == 1:
        return days.pop().isoformat()
    if order in ORDERS:
        return readings[order].isoformat()
    first, other = readings[DAY_FIRST], readings[MONTH_FIRST]
    raise TwoReadings(f"May be {first:%-d %b} or {other:%-d %b %Y}; say below which comes first")
