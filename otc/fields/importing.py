"""Custom fields as columns of an import: which ones a kind of file may feed, and how their cells are read."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from otc.fields.people import people_directory
from otc.fields.queries import Book, field_book
from otc.fields.rules import Field, NotAccepted, Reading, check_value, read_text
from otc.imports.binding import Binding
from otc.imports.columns import TYPE_OF_FIELD, CellError, FieldColumn, amount_minor, no_number, read_day
from otc.imports.numbers import POINT, Number, read_number

OBJECT_OF_KIND = {"opportunities": "deal", "accounts": "account", "contacts": "contact"}
CACHED_WORDS = 10_000
LONGEST_SHOWN = 40
Reader = Callable[[str], Any]


def object_book(kind_name: str) -> Book:
    """The fields of the object that files of this kind hold; none for other kinds. One query."""
    return field_book(OBJECT_OF_KIND[kind_name]) if kind_name in OBJECT_OF_KIND else Book()


def field_columns(kind_name: str) -> tuple[FieldColumn, ...]:
    """The active fields that files of this kind may feed, in their order. One query."""
    return tuple(map(_column, object_book(kind_name).active))


def _column(field: Field) -> FieldColumn:
    labels = tuple(option.label for option in field.open_options)
    return FieldColumn(field.name, TYPE_OF_FIELD[field.kind], choices=labels, field=field)


def with_readers(binding: Binding, *, zone: ZoneInfo) -> Binding:
    """The binding, its formats settled, with a reader for every field that it feeds. At most one query."""
    fields = binding.fields.values()
    has_people = any(column.field.kind == "person" for column in fields)
    person = people_directory() if has_people else _nobody
    readers = {
        column.attribute: lru_cache(CACHED_WORDS)(
            _reader(column.field, form=binding.formats.get(column.name), zone=zone, person=person)
        )
        for column in fields
    }
    return replace(binding, readers=readers)


def _nobody(words: str) -> UUID:
    raise ValueError(words)


def _reader(field: Field, *, form: str | None, zone: ZoneInfo, person: Callable[[str], UUID]) -> Reader:
    """Cell to canonical value; raises NotAccepted. `form` is how the column's days or numbers are written."""
    reading = Reading(today=date.min, person=person, is_file=True)

    def read(text: str) -> Any:
        match field.kind:
            case "date":
                value: Any = _day(field, text, form=form, zone=zone)
            case "number":
                value = _number(field, text, mark=form)
            case "money":
                value = _money(field, text, mark=form)
            case _:
                value = read_text(field, text, reading=reading)
        # People were looked up by the reading, so they are ours.
        return check_value(field, value, is_person=lambda _: True)

    return read


def _day(field: Field, text: str, *, form: str | None, zone: ZoneInfo) -> date:
    """A day as the column writes them, or in ISO form."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return read_day(text, zone=zone, date_format=form)
    except CellError as problem:
        raise NotAccepted(field.key, str(problem)) from None


def _number(field: Field, text: str, *, mark: str | None) -> str:
    number = _numeral(field, text, mark=mark, noun="a number")
    if number.currencies:
        raise NotAccepted(
            field.key, f"“{text[:LONGEST_SHOWN]}” is an amount of money; {field.label} is a number"
        )
    return number.plain


def _money(field: Field, text: str, *, mark: str | None) -> dict[str, Any]:
    number = _numeral(field, text, mark=mark, noun="an amount")
    code = field.currency
    if number.currencies and code not in number.currencies:
        raise NotAccepted(
            field.key, f"“{text[:LONGEST_SHOWN]}” is in another currency; {field.label} is kept in {code}"
        )
    try:
        minor = int(amount_minor(number.plain, currency=code, mark=POINT))
    except CellError as problem:
        raise NotAccepted(field.key, str(problem)) from None
    return {"amount_minor": minor, "currency": code}


def _numeral(field: Field, text: str, *, mark: str | None, noun: str) -> Number:
    try:
        number = read_number(text, mark)
    except ValueError:
        raise NotAccepted(field.key, no_number(text, mark, noun=noun)) from None
    if number.is_percent:
        raise NotAccepted(field.key, f"“{text[:LONGEST_SHOWN]}” is a share, not {noun}: leave the sign away")
    return number
