"""What a custom field may hold: the one place where a value is read, checked and written. No Django.

A value has one canonical JSON form, the same in `attributes`, in versions and over the API: text and choice
(the option's key) a string, number a number, date an ISO day, person an id, money {"amount_minor", "currency"}.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from otc.calendar.rules import Calendar
from otc.money.rules import MoneyError, decimals_of, parse_amount
from otc.ui import amounts
from otc.ui.dates import DayNotUnderstood, parse_day

OBJECTS = ("deal", "account", "contact")
KINDS = ("text", "number", "money", "date", "choice", "person")
MAX_FIELDS, MAX_OPTIONS, MAX_TEXT, MAX_DECIMALS = 100, 200, 500, 6
LARGEST_NUMBER = 9 * 10**12
# What a JSON number carries through every program without loss.
LARGEST_DIGITS = 15
LARGEST_MINOR = 10**15
FIRST_YEAR, LAST_YEAR = 1900, 2200
# Numbers are compared as whole millionths.
MILLIONTHS = 10**6
PREFIX = "field."
NOT_SET = "none"

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PLAIN = re.compile(r"-?\d{1,13}(\.\d{1,6})?", re.ASCII)
_GROUPED = re.compile(r"[+\-]?\d{1,3}([ ,'’\u00a0\u202f]\d{3})+(\.\d+)?", re.ASCII)
_NUMBER = re.compile(r"[+\-]?\d{1,16}(\.\d{1,16})?", re.ASCII)
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class NotAccepted(ValueError):
    """A value that a field can't hold: which field, and in words what to do instead."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key, self.reason = key, reason


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `aliases` are the words that stood for it before the field was one of choices."""

    key: str
    label: str
    is_retired: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A custom field's definition. `currency` is money's only one, `decimals` and bounds are a number's."""

    id: UUID | None
    object: str
    key: str
    attribute: str
    label: str
    kind: str
    options: tuple[Option, ...] = ()
    currency: str = ""
    decimals: int = 0
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    max_length: int = 200
    required_from: date | None = None
    help_text: str = ""
    position: int = 0
    is_active: bool = True

    @property
    def name(self) -> str:
        """What it is called in addresses and files: `field.region`."""
        return f"{PREFIX}{self.key}"

    @property
    def open_options(self) -> tuple[Option, ...]:
        return tuple(option for option in self.options if not option.is_retired)

    def option(self, key: Any) -> Option | None:
        return next((option for option in self.options if option.key == key), None)


@dataclass(frozen=True)
class Reading:
    """How typed words are read: the organization's day, how days are written, and who a person's words mean.

    `person` gives the id that an id, e-mail or name means, or raises NotAccepted's reason as ValueError. `calendar`
    is asked for only where a day is typed. `is_file`: strict, as in an import; else as people type ("+2w", "386k").
    """

    today: date
    person: Callable[[str], UUID]
    calendar: Callable[[], Calendar] = Calendar
    date_format: str | None = None
    is_file: bool = False


def option_of(stored: Mapping[str, Any]) -> Option:
    return Option(
        stored["key"], stored["label"], bool(stored.get("is_retired")), tuple(stored.get("aliases", ()))
    )


def option_document(option: Option) -> dict[str, Any]:
    return {
        "key": option.key,
        "label": option.label,
        "is_retired": option.is_retired,
        "aliases": list(option.aliases),
    }


def key_from(label: str, *, taken: Collection[str], fallback: str = "field") -> str:
    """A key from a label, unlike those that are taken: ("Sales region", {}) -> "sales_region"."""
    plain = re.sub(r"[^a-z0-9]+", "_", label.casefold()).strip("_")[:36]
    base = plain if plain and plain[0].isalpha() else f"{fallback}_{plain}".rstrip("_")
    used = {*taken, NOT_SET}
    if base not in used:
        return base
    return next(key for number in range(2, len(used) + 3) if (key := f"{base}_{number}") not in used)


def is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None and text != NOT_SET


# What comes in


def read_text(field: Field, text: str, *, reading: Reading) -> Any:
    """The canonical value of typed words; None for none. Raises NotAccepted."""
    typed = text.strip()
    if not typed:
        return None
    return _checked(field, _READERS[field.kind](field, typed, reading))


def check_value(field: Field, value: Any, *, is_person: Callable[[UUID], bool]) -> Any:
    """The canonical form of a JSON value; None for none. Raises NotAccepted. `is_person` knows who is ours."""
    if value is None or value == "":
        return None
    found = _checked(field, value)
    if field.kind == "person" and found is not None and not is_person(UUID(found)):
        raise NotAccepted(field.key, "There is no such person in this organization")
    return found


def is_required(field: Field, *, created_on: date) -> bool:
    """Whether a record of that day must fill the field."""
    return field.is_active and field.required_from is not None and created_on >= field.required_from


def _checked(field: Field, value: Any) -> Any:
    return _CHECKS[field.kind](field, value)


def _check_text(field: Field, value: Any) -> str | None:
    if not isinstance(value, str):
        raise NotAccepted(field.key, f"{field.label} is a text")
    text = " ".join(value.split())
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise NotAccepted(field.key, f"{field.label} holds a character that can't be stored")
    if len(text) > field.max_length:
        raise NotAccepted(
            field.key, f"{field.label} has {len(text)} characters; at most {field.max_length} fit"
        )
    return text or None


def _check_number(field: Field, value: Any) -> int | float:
    number = _decimal(value)
    if number is None:
        raise NotAccepted(field.key, f"{field.label} is a number like 1250.5")
    number = number.normalize()
    exponent = int(number.as_tuple().exponent)
    if -exponent > field.decimals:
        places = f"{field.decimals} decimals" if field.decimals else "whole numbers"
        raise NotAccepted(field.key, f"{field.label} takes {places}; round it to those")
    if abs(number) > LARGEST_NUMBER or len(number.as_tuple().digits) > LARGEST_DIGITS:
        raise NotAccepted(field.key, f"{field.label} is larger than any number that can be kept")
    if field.minimum is not None and number < field.minimum:
        raise NotAccepted(field.key, f"{field.label} is at least {field.minimum:f}")
    if field.maximum is not None and number > field.maximum:
        raise NotAccepted(field.key, f"{field.label} is at most {field.maximum:f}")
    return int(number) if number == number.to_integral_value() else float(number)


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 40 else None


def _check_money(field: Field, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or set(value) != {"amount_minor", "currency"}:
        raise NotAccepted(field.key, f"{field.label} is an amount_minor and a currency")
    minor = value["amount_minor"]
    if value["currency"] != field.currency:
        raise NotAccepted(field.key, f"{field.label} is kept in {field.currency}; convert it to that")
    if type(minor) is not int or abs(minor) > LARGEST_MINOR:
        raise NotAccepted(field.key, f"{field.label} is a whole number of minor units")
    return {"amount_minor": minor, "currency": field.currency}


def _check_date(field: Field, value: Any) -> str:
    day = value if type(value) is date else _iso_day(value)
    if day is None:
        raise NotAccepted(field.key, f"{field.label} is a day like 2026-03-31")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise NotAccepted(field.key, f"{field.label} lies between {FIRST_YEAR} and {LAST_YEAR}")
    return day.isoformat()


def _iso_day(value: Any) -> date | None:
    if not isinstance(value, str) or not _ISO_DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _check_choice(field: Field, value: Any) -> str:
    option = field.option(value) if isinstance(value, str) else None
    if option is None:
        keys = ", ".join(option.key for option in field.open_options[:12])
        raise NotAccepted(field.key, f"{field.label} has no such choice; known are: {keys or 'none yet'}")
    if option.is_retired:
        raise NotAccepted(field.key, f"“{option.label}” is retired; choose another {field.label}")
    return option.key


def _check_person(field: Field, value: Any) -> str:
    try:
        return str(value if isinstance(value, UUID) else UUID(str(value)))
    except ValueError:
        raise NotAccepted(field.key, "There is no such person in this organization") from None


_CHECKS: dict[str, Callable[[Field, Any], Any]] = {
    "text": _check_text,
    "number": _check_number,
    "money": _check_money,
    "date": _check_date,
    "choice": _check_choice,
    "person": _check_person,
}


def _read_words(field: Field, text: str, reading: Reading) -> str:
    """A file's cell may bear the apostrophe that keeps a spreadsheet from running it."""
    if reading.is_file and len(text) > 1 and text[0] == "'" and text[1] in "=+-@":
        return text[1:]
    return text


def _read_number(field: Field, text: str, reading: Reading) -> Decimal:
    plain = text.replace("−", "-")
    if _GROUPED.fullmatch(plain):
        plain = re.sub(r"[ ,'’\u00a0\u202f]", "", plain)
    if not _NUMBER.fullmatch(plain):
        hint = "; write decimals with a point" if "," in text else " like 1250.5"
        raise NotAccepted(field.key, f"“{text[:40]}” is not a number{hint}")
    return Decimal(plain)


def _read_money(field: Field, text: str, reading: Reading) -> dict[str, Any]:
    code = field.currency
    plain = re.sub(rf"^{code}\s*|\s*{code}$", "", text, flags=re.IGNORECASE)
    try:
        if reading.is_file:
            minor = parse_amount(plain, currency=code)
        else:
            minor = amounts.parse_amount(plain, currency=code, allow_negative=True)
    except (MoneyError, amounts.AmountNotUnderstood) as problem:
        raise NotAccepted(field.key, str(problem)) from None
    return {"amount_minor": minor, "currency": code}


def _read_date(field: Field, text: str, reading: Reading) -> date:
    if (iso := _iso_day(text)) is not None:
        return iso
    try:
        if reading.date_format is not None:
            return datetime.strptime(text, reading.date_format).date()  # noqa: DTZ007  a day has no zone
        if not reading.is_file:
            return parse_day(text, today=reading.today, calendar=reading.calendar())
    except DayNotUnderstood as problem:
        raise NotAccepted(field.key, str(problem)) from None
    except ValueError:
        raise NotAccepted(
            field.key, f"“{text[:40]}” is not a date in the form {reading.date_format}"
        ) from None
    raise NotAccepted(field.key, f"“{text[:40]}” is not a date like 2026-03-31")


def _read_choice(field: Field, text: str, reading: Reading) -> str:
    wanted = text.casefold()
    for option in sorted(field.options, key=lambda one: one.is_retired):
        if text == option.key or text in option.aliases or wanted == option.label.casefold():
            return option.key
    labels = ", ".join(option.label for option in field.open_options[:12])
    raise NotAccepted(field.key, f"“{text[:40]}” is none of: {labels or 'no choices yet'}")


def _read_person(field: Field, text: str, reading: Reading) -> UUID:
    try:
        return reading.person(text)
    except ValueError as problem:
        raise NotAccepted(field.key, str(problem)) from None


_READERS: dict[str, Callable[[Field, str, Reading], Any]] = {
    "text": _read_words,
    "number": _read_number,
    "money": _read_money,
    "date": _read_date,
    "choice": _read_choice,
    "person": _read_person,
}


# What stands there


def stored(field: Field, attributes: Mapping[str, Any] | None) -> Any:
    """The canonical value in a record's attributes, or None.

    A version of before the field was typed holds an import's words: plain numbers, ISO days, ids and known
    choices are read from those, the rest is not set. `pipeline_field_*` in SQL reads the same.
    """
    raw = (attributes or {}).get(field.attribute)
    return None if raw is None or raw == "" else _STORED[field.kind](field, raw)


def _stored_text(field: Field, raw: Any) -> str | None:
    return raw if isinstance(raw, str) else None


def _stored_number(field: Field, raw: Any) -> int | float | None:
    if isinstance(raw, str) and _PLAIN.fullmatch(raw):
        raw = float(raw) if "." in raw else int(raw)
    return raw if isinstance(raw, (int, float)) and not isinstance(raw, bool) else None


def _stored_money(field: Field, raw: Any) -> dict[str, Any] | None:
    if isinstance(raw, Mapping):
        return dict(raw) if raw.get("currency") == field.currency else None
    if not isinstance(raw, str) or not _PLAIN.fullmatch(raw):
        return None
    try:
        return {"amount_minor": parse_amount(raw, currency=field.currency), "currency": field.currency}
    except MoneyError:
        return None


def _stored_date(field: Field, raw: Any) -> str | None:
    return raw if _iso_day(raw) is not None else None


def _stored_choice(field: Field, raw: Any) -> str | None:
    return next((one.key for one in field.options if raw == one.key or raw in one.aliases), None)


def _stored_person(field: Field, raw: Any) -> str | None:
    try:
        return str(UUID(raw)) if isinstance(raw, str) else None
    except ValueError:
        return None


_STORED: dict[str, Callable[[Field, Any], Any]] = {
    "text": _stored_text,
    "number": _stored_number,
    "money": _stored_money,
    "date": _stored_date,
    "choice": _stored_choice,
    "person": _stored_person,
}


# What is guessed of an import's words


@dataclass(frozen=True)
class Guess:
    """The kind that the words of an untyped attribute look like. `unread` are words of samples that don't fit."""

    kind: str
    decimals: int = 0
    options: tuple[str, ...] = field(default=())


def guess_kind(samples: Sequence[str], *, distinct_count: int) -> Guess:
    """Infer from distinct values (all of them up to MAX_OPTIONS, then a sample).

    >>> guess_kind(["12", "7.5"], distinct_count=2).kind
    'number'
    """
    words = [sample.strip() for sample in samples if sample.strip()]
    if words and all(_iso_day(word) for word in words):
        return Guess("date")
    if words and all(_PLAIN.fullmatch(word) for word in words):
        places = max(len(word.partition(".")[2].rstrip("0")) for word in words)
        return Guess("number", decimals=places)
    if words and distinct_count <= 24 and all(len(word) <= 80 for word in words):
        return Guess("choice", options=tuple(words))
    return Guess("text")


def millionths(value: float | Decimal | str) -> int:
    """A number as it is compared: 12.5 -> 12500000."""
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return int(number * MILLIONTHS)


def minor_decimals(field: Field) -> int:
    return decimals_of(field.currency)
