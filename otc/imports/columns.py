"""What may stand in a column of an import, and how a cell becomes the text that PostgreSQL reads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import lru_cache
from zoneinfo import ZoneInfo

from otc.fields.rules import Field
from otc.imports.dates import ORDER_WORDS, is_bare_day, parse_moment
from otc.imports.numbers import MARK_WORDS, number_readings, read_number
from otc.money.rules import MoneyError, TooManyDecimals, decimals_of, parse_amount, parse_rate
from otc.tenancy.names import clean_name
from otc.tenancy.services import fold

FIRST_YEAR, LAST_YEAR = 1970, 2100
YES, NO = ("true", "yes", "y", "t", "1", "1.0"), ("false", "no", "n", "f", "0", "0.0")
# Amounts whose currency only the database knows are staged in this many decimals, more than any currency has.
OPEN_DECIMALS = 4
_CURRENCY_OF_OPEN_DECIMALS = "CLF"
# A time in strptime's letters: a format with none of them reads bare days.
_TIME_LETTERS = frozenset("HIMSfpcXTRsz")


class CellError(ValueError):
    """A cell that can't be used; the message may be shown to a person."""


class ColumnType(Enum):
    """How a cell is read. A name is looked up, so it is staged with a folded copy beside it."""

    TEXT = "text"
    NAME = "name"
    CHOICE = "choice"
    CURRENCY = "currency"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    RATE = "rate"
    AMOUNT = "amount"  # minor units of the row's currency
    OPEN_AMOUNT = "open amount"  # ten-thousandths of a currency that only the database knows
    NUMBER = "number"  # of a custom field


# The types in the staging table that aren't text.
STAGED_AS = {
    ColumnType.BOOLEAN: "boolean",
    ColumnType.DATE: "date",
    ColumnType.INSTANT: "timestamptz",
    ColumnType.RATE: "numeric",
    ColumnType.AMOUNT: "bigint",
    ColumnType.OPEN_AMOUNT: "bigint",
}


@dataclass(frozen=True)
class Column:
    """A native column. `is_required`: the file must have it, and every row must fill it. `is_day_end`: a bare day
    means its last microsecond, not its midnight.
    """

    name: str
    type: ColumnType = ColumnType.TEXT
    max_length: int = 200
    choices: tuple[str, ...] = ()
    is_required: bool = False
    is_day_end: bool = False

    @property
    def is_temporal(self) -> bool:
        return self.type in (ColumnType.DATE, ColumnType.INSTANT)

    @property
    def is_amount(self) -> bool:
        """Whether a mark before decimals has to be known to read it."""
        return self.type in (ColumnType.AMOUNT, ColumnType.OPEN_AMOUNT, ColumnType.NUMBER)


TYPE_OF_FIELD = {
    "text": ColumnType.TEXT,
    "number": ColumnType.NUMBER,
    "money": ColumnType.AMOUNT,
    "date": ColumnType.DATE,
    "choice": ColumnType.CHOICE,
    "person": ColumnType.NAME,
}


@dataclass(frozen=True, kw_only=True)
class FieldColumn(Column):
    """A custom field as a column of an import, called `field.<key>`. Its cells become an attribute's value."""

    field: Field

    @property
    def attribute(self) -> str:
        return self.field.attribute

    def is_called(self, name: str) -> bool:
        """Whether a column of a file bears `field.<key>`, the key, the attribute's name or the label."""
        field = self.field
        exact = name in (field.name, field.key, field.attribute)
        return exact or folded(name) in (field.name, field.key, folded(field.label))


Parser = Callable[[str], str]


def cell_parser(
    column: Column, *, zone: ZoneInfo, date_format: str | None, now: datetime | None = None
) -> Parser:
    """A function from a filled cell to PostgreSQL's text; it raises CellError. Amounts have their own. `now` is
    when a day that isn't over yet ends for `is_day_end`. `date_format` is of strptime's letters, or the order of day
    and month (mdy, dmy); for an open amount it is the mark before its decimals.
    """
    match column.type:
        case ColumnType.DATE:
            return lru_cache(10_000)(lambda text: _date(text, zone=zone, date_format=date_format))
        case ColumnType.INSTANT if column.is_day_end:
            return lru_cache(10_000)(lambda text: _day_end(text, zone=zone, date_format=date_format, now=now))
        case ColumnType.INSTANT:
            return lru_cache(10_000)(lambda text: _instant(text, zone=zone, date_format=date_format))
        case ColumnType.NAME:
            return lambda text: _name(text, column.max_length)
        case ColumnType.CHOICE:
            return lambda text: _choice(text, column.choices)
        case ColumnType.CURRENCY:
            return currency_code
        case ColumnType.BOOLEAN:
            return _boolean
        case ColumnType.RATE:
            return _rate
        case ColumnType.OPEN_AMOUNT:
            return lambda text: _open_amount(text, mark=date_format)
        case _:
            return lambda text: _text(text, column.max_length)


@lru_cache(100_000)
def folded(text: str) -> str:
    return fold(text)


def amount_minor(text: str, *, currency: str, mark: str | None = None) -> str:
    """Minor units as text: ("10.5", "USD") -> "1050". `mark` stands before decimals; without one a text that has
    two readings is refused, and so is a currency sign that isn't the row's.
    """
    plain = text if text.isdecimal() else _plain_amount(text, currency=currency, mark=mark)
    try:
        return str(parse_amount(plain, currency=currency))
    except TooManyDecimals:
        raise CellError(
            f"“{_short(text)}” has more decimals than {currency} ({decimals_of(currency)})"
        ) from None
    except MoneyError as error:
        raise CellError(str(error)) from None


def _plain_amount(text: str, *, currency: str | None, mark: str | None) -> str:
    """The amount with a point before its decimals and nothing else. Raises CellError."""
    try:
        number = read_number(text, mark)
    except ValueError:
        raise CellError(no_number(text, mark)) from None
    if number.is_percent:
        raise CellError(f"“{_short(text)}” is a share, not an amount")
    if currency and number.currencies and currency not in number.currencies:
        meant = number.currencies[0] if len(number.currencies) == 1 else "another currency"
        raise CellError(f"“{_short(text)}” is in {meant}, the row in {currency}: give the row a currency")
    return number.plain


def no_number(text: str, mark: str | None, *, noun: str = "an amount") -> str:
    """Why a text can't be read as a number with `mark` before its decimals."""
    readings = number_readings(text)
    if mark is None and len(readings) > 1:
        plain = " or ".join(number.plain for number in readings.values())
        return f"“{_short(text)}” may mean {plain}: say in the mapping which sign stands before decimals"
    if mark is not None and readings:
        return f"“{_short(text)}” isn't written like the rest of the column, with {MARK_WORDS[mark]}"
    return f"“{_short(text)}” is not {noun} like 1250.50"


def currency_code(text: str) -> str:
    code = text.upper()
    try:
        decimals_of(code)
    except MoneyError as error:
        raise CellError(str(error)) from None
    return code


def _rate(text: str) -> str:
    try:
        return f"{parse_rate(text):f}"
    except MoneyError as error:
        raise CellError(str(error)) from None


def _open_amount(text: str, *, mark: str | None) -> str:
    plain = _plain_amount(text, currency=None, mark=mark)
    try:
        return str(parse_amount(plain, currency=_CURRENCY_OF_OPEN_DECIMALS))
    except TooManyDecimals:
        raise CellError(f"“{_short(text)}” has more decimals than any currency") from None
    except MoneyError as error:
        raise CellError(str(error)) from None


def _text(text: str, max_length: int) -> str:
    # Some letters fold into two, so the folded copy may be longer than what was written.
    if len(text) > max_length or (len(text) * 3 > max_length and len(folded(text)) > max_length):
        raise CellError(f"has {len(text):,} characters; at most {max_length} fit")
    return text


def _name(text: str, max_length: int) -> str:
    cleaned = clean_name(text)
    if not cleaned:
        raise CellError("holds no character that can be seen")
    return _text(cleaned, max_length)


def _choice(text: str, choices: tuple[str, ...]) -> str:
    value = text.lower().replace(" ", "_")
    if value not in choices:
        raise CellError(f"“{_short(text)}” is none of {', '.join(choices)}")
    return value


def _boolean(text: str) -> str:
    value = text.lower()
    if value in YES:
        return "true"
    if value in NO:
        return "false"
    raise CellError(f"“{_short(text)}” is neither true nor false")


def _date(text: str, *, zone: ZoneInfo, date_format: str | None) -> str:
    return _day_in_range(read_day(text, zone=zone, date_format=date_format), text).isoformat()


def read_day(text: str, *, zone: ZoneInfo, date_format: str | None) -> date:
    """A day; an instant counts as the organization's day. Raises CellError."""
    moment = _parsed(text, date_format, expected="a date like 2026-03-31")
    if moment.tzinfo is not None:
        moment = moment.astimezone(zone)
    return moment.date()


def _instant(text: str, *, zone: ZoneInfo, date_format: str | None) -> str:
    """An instant; without an offset it is the organization's time, a bare day its midnight."""
    moment = _parsed(text, date_format, expected="a date or time like 2026-03-31 or 2026-03-31T14:05:00Z")
    _day_in_range(moment.date(), text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.isoformat()


def _day_end(text: str, *, zone: ZoneInfo, date_format: str | None, now: datetime | None) -> str:
    """An instant; a bare day is its last microsecond in the organization's zone, and today is now."""
    instant = _instant(text, zone=zone, date_format=date_format)
    if not _is_bare_day(text, date_format):
        return instant
    day = datetime.fromisoformat(instant).date()
    if now is not None and day == now.astimezone(zone).date():
        return now.isoformat()
    tomorrow = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=zone)
    return (tomorrow.astimezone(UTC) - timedelta(microseconds=1)).isoformat()


def _is_bare_day(text: str, date_format: str | None) -> bool:
    if date_format is None or date_format in ORDER_WORDS:
        return is_bare_day(text)
    letters = {part[:1] for part in date_format.replace("%%", "").split("%")[1:]}
    return not letters & _TIME_LETTERS


def _parsed(text: str, date_format: str | None, *, expected: str) -> datetime:
    if date_format is None:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return _read_moment(text, None, f"“{_short(text)}” is not {expected}")
    if date_format in ORDER_WORDS:
        return _read_moment(text, date_format, f"“{_short(text)}” is not a date, {ORDER_WORDS[date_format]}")
    try:
        return datetime.strptime(text, date_format)  # noqa: DTZ007  the zone is added by the caller, who knows it
    except ValueError:
        raise CellError(f"“{_short(text)}” is not a date in the form {date_format}") from None


def _read_moment(text: str, order: str | None, otherwise: str) -> datetime:
    try:
        return parse_moment(text, order)[0]
    except (ValueError, OverflowError):
        raise CellError(otherwise) from None


def _day_in_range(day: date, text: str) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise CellError(f"“{_short(text)}” lies outside of {FIRST_YEAR} to {LAST_YEAR}")
    return day


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
