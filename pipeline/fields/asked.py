"""Which values of custom fields does an address ask for? `field.region=emea,apac`, `field.seats.from=10`, ..."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from otc.fields.queries import Book
from otc.fields.rules import MAX_DECIMALS, NOT_SET, PREFIX, Field, NotAccepted, Reading, millionths, read_text
from otc.question import BadQuestion

RANGED = ("number", "money", "date")
PICKED = ("choice", "person")
PARTS: dict[str, tuple[str, ...]] = {
    "text": ("", "contains", "starts", "set"),
    "choice": ("", "set"),
    "person": ("", "set"),
    "number": ("", "from", "to", "set"),
    "money": ("", "from", "to", "set"),
    "date": ("", "from", "to", "set"),
}
MAX_PICKED, MAX_WORDS = 200, 500


@dataclass(frozen=True)
class FieldCondition:
    """What one parameter asks of one field. `keys` are options' keys or people's ids; "none": not set, too.

    `low` and `high` are inclusive and as the value is compared: millionths, minor units or a day.
    """

    field: Field
    name: str
    typed: str
    keys: tuple[str, ...] = ()
    low: int | date | None = None
    high: int | date | None = None
    words: str = ""
    how: str = ""
    is_set: bool | None = None


def field_parameters(query: Any) -> dict[str, str]:
    """The parameters of an address, a repeated one of a field joined by commas, as a form of checkboxes sends it."""
    found: dict[str, str] = dict(query.items())
    if hasattr(query, "getlist"):
        for name in found:
            if name.startswith(PREFIX) and len(query.getlist(name)) > 1:
                found[name] = ",".join(one for one in query.getlist(name) if one)
    return found


def is_field_parameter(name: str) -> bool:
    return name.startswith(PREFIX)


def read_conditions(
    parameters: Mapping[str, str], *, book: Book, reading: Reading
) -> tuple[FieldCondition, ...]:
    """The conditions of every `field.` parameter that isn't empty. Raises BadQuestion."""
    names = [name for name in parameters if is_field_parameter(name) and parameters[name] != ""]
    return tuple(_condition(name, parameters[name], book, reading) for name in names)


def field_named(name: str, *, book: Book) -> Field:
    """The active field that `field.<key>` names. Raises BadQuestion."""
    field = book.by_key(name.removeprefix(PREFIX))
    if field is None or not field.is_active:
        known = ", ".join(one.name for one in book.active[:20]) or "none yet"
        raise BadQuestion(name[:80], f"There is no field “{name[:80]}”; known are: {known}")
    return field


def _condition(name: str, typed: str, book: Book, reading: Reading) -> FieldCondition:
    key, _, part = name.removeprefix(PREFIX).partition(".")
    field = field_named(PREFIX + key, book=book)
    if part not in PARTS[field.kind]:
        parts = ", ".join(f"{field.name}.{one}" for one in PARTS[field.kind] if one)
        raise BadQuestion(name[:80], f"{field.name} is a {field.kind}; it takes {field.name}, {parts}")
    if len(typed) > 40 * MAX_PICKED or "\x00" in typed:
        raise BadQuestion(name, "That is too long")
    if part == "set":
        if typed not in ("yes", "no"):
            raise BadQuestion(name, "Say yes or no")
        return FieldCondition(field, name, typed, is_set=typed == "yes")
    if field.kind in PICKED:
        return FieldCondition(field, name, typed, keys=_keys(field, name, typed))
    if field.kind == "text":
        return FieldCondition(field, name, typed[:MAX_WORDS], words=typed[:MAX_WORDS], how=part or "is")
    value = _compared(field, name, typed, reading)
    if part == "from":
        return FieldCondition(field, name, typed, low=value)
    return FieldCondition(field, name, typed, low=None if part == "to" else value, high=value)


def _keys(field: Field, name: str, typed: str) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(key.strip() for key in typed.split(",") if key.strip()))
    if len(keys) > MAX_PICKED:
        raise BadQuestion(name, f"At most {MAX_PICKED} at once")
    for key in keys:
        if key != NOT_SET and not (_is_id(key) if field.kind == "person" else field.option(key)):
            raise BadQuestion(name, f"“{key[:60]}” is none of the choices of {field.label}")
    return keys


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _compared(field: Field, name: str, typed: str, reading: Reading) -> int | date:
    # A bound may lie outside of what the field accepts: it only compares.
    open_field = replace(field, minimum=None, maximum=None, decimals=MAX_DECIMALS)
    try:
        value = read_text(open_field, typed, reading=reading)
    except NotAccepted as problem:
        raise BadQuestion(name, problem.reason) from problem
    if field.kind == "money":
        return int(value["amount_minor"])
    return date.fromisoformat(value) if field.kind == "date" else millionths(value)


def people_asked_for(conditions: Iterable[FieldCondition]) -> list[str]:
    """The ids that conditions on person fields name."""
    return [
        key
        for condition in conditions
        if condition.field.kind == "person"
        for key in condition.keys
        if key != NOT_SET
    ]


def described(condition: FieldCondition, *, names: Mapping[str, str]) -> str:
    """“Region: EMEA, not set”, for a chip."""
    label = condition.field.label
    if condition.is_set is not None:
        return f"{label}: {'set' if condition.is_set else 'not set'}"
    if condition.keys:
        return f"{label}: {', '.join(_key_words(condition.field, condition.keys, names))}"
    if condition.how:
        verb = {"is": "is", "contains": "contains", "starts": "starts with"}[condition.how]
        return f"{label} {verb} “{condition.words}”"
    if condition.low == condition.high:
        return f"{label}: {condition.typed}"
    return f"{label} {'from' if condition.low is not None else 'to'} {condition.typed}"


def _key_words(field: Field, keys: Iterable[str], names: Mapping[str, str]) -> list[str]:
    words = []
    for key in keys:
        option = field.option(key)
        words.append("not set" if key == NOT_SET else option.label if option else names.get(key, "somebody"))
    return words
