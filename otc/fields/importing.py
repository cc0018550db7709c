"""Custom fields as targets of an import: which columns feed them, and how their cells are read."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from otc.fields.people import people_directory
from otc.fields.queries import field_book
from otc.fields.rules import PREFIX, Field, Reading, check_value, read_text
from otc.fields.writing import reading_of
from otc.imports.binding import Binding, Getter
from otc.imports.mapping import MappingError
from otc.tenancy.services import fold

OBJECT_OF_KIND = {"opportunities": "deal", "accounts": "account"}
CACHED_WORDS = 10_000


@dataclass(frozen=True)
class FieldTarget:
    """What a mapping may name beside the native columns: `field.region`."""

    name: str
    label: str
    kind: str
    attribute: str


def field_targets(kind_name: str) -> tuple[FieldTarget, ...]:
    """The active fields that files of this kind may feed."""
    if kind_name not in OBJECT_OF_KIND:
        return ()
    book = field_book(OBJECT_OF_KIND[kind_name])
    return tuple(FieldTarget(one.name, one.label, one.kind, one.attribute) for one in book.active)


def with_fields(binding: Binding, *, kind_name: str, today: date, date_format: str | None) -> Binding:
    """The binding with every attribute that is a field under the field's own attribute, and its reader.

    A column is a field's when it bears `field.<key>`, the key, the attribute's name or the label, whatever the case.
    Raises MappingError for a field that isn't there and for two columns that feed one.
    """
    fields = field_book(OBJECT_OF_KIND[kind_name]).active if kind_name in OBJECT_OF_KIND else ()
    named = {spelling: one for one in reversed(fields) for spelling in _spellings(one)}
    attributes: dict[str, Getter] = {}
    readers: dict[str, Callable[[str], Any]] = {}
    person = people_directory() if any(one.kind == "person" for one in fields) else None
    reading = reading_of(today=today, is_file=True, date_format=date_format, person=person)
    for name, getter in binding.attributes.items():
        one = named.get(name) or named.get(fold(name))
        if one is None and name.startswith(PREFIX):
            known = ", ".join(field.name for field in fields) or "none"
            raise MappingError(f"{name}: there is no such field; known are {known}")
        target = one.attribute if one else name
        if target in attributes:
            raise MappingError(f"{name}: another column feeds the field “{target}” already")
        attributes[target] = getter
        if one is not None:
            readers[target] = lru_cache(CACHED_WORDS)(_reader(one, reading))
    return replace(binding, attributes=attributes, readers=readers)


def _spellings(field: Field) -> set[str]:
    return {field.name, field.key, field.attribute, fold(field.label)}


def _reader(field: Field, reading: Reading) -> Callable[[str], Any]:
    """Cell to canonical value; raises NotAccepted. People were looked up by the reading, so they are ours."""
    return lambda text: check_value(field, read_text(field, text, reading=reading), is_person=lambda _: True)
