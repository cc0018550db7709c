"""The one way values get into a record's attributes, whatever the surface: form, cell, API, service."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from otc.calendar.rules import Calendar
from otc.fields.people import person_reader
from otc.fields.queries import Book, field_book, is_person
from otc.fields.rules import NotAccepted, Reading, check_value, is_required, stored


def attributes_with(
    attributes: Mapping[str, Any] | None,
    changes: Mapping[str, Any],
    *,
    object: str,
    created_on: date,
    is_new: bool = False,
    book: Book | None = None,
) -> dict[str, Any]:
    """The attributes after `changes`, canonical JSON values by field key; None takes a value away.

    Raises NotAccepted: an unknown or retired field, a value that the field can't hold, or a required one that is
    missing in a new record or taken away. A value that stays is never checked again.
    """
    book = book or field_book(object)
    found = dict(attributes or {})
    for key, value in changes.items():
        field = book.by_key(key)
        if field is None or not field.is_active:
            known = ", ".join(one.key for one in book.active[:20]) or "none yet"
            raise NotAccepted(key, f"There is no field “{key[:60]}” here; known are: {known}")
        present = stored(field, found)
        if value is not None and value == present and found.get(field.attribute) == value:
            continue
        checked = check_value(field, value, is_person=is_person)
        if checked is None:
            if is_required(field, created_on=created_on) and present is not None:
                raise NotAccepted(key, f"{field.label} is required; give another value")
            found.pop(field.attribute, None)
        else:
            found[field.attribute] = checked
    if is_new:
        for field in book.active:
            if is_required(field, created_on=created_on) and stored(field, found) is None:
                raise NotAccepted(field.key, f"{field.label} is required")
    return found


def untyped_with(
    attributes: Mapping[str, Any] | None, others: Mapping[str, Any], *, book: Book
) -> dict[str, Any]:
    """The attributes with everything under no field replaced by `others`. Raises NotAccepted for a field's name."""
    for name in others:
        if (field := book.by_attribute(name)) is not None:
            raise NotAccepted(
                "attributes", f"“{name[:60]}” is the field “{field.key}”: write it under fields"
            )
    typed = {one.attribute for one in book.fields}
    kept = {name: value for name, value in (attributes or {}).items() if name in typed}
    return kept | dict(others)


def reading_of(
    *,
    today: date,
    calendar: Callable[[], Calendar] = Calendar,
    is_file: bool = False,
    date_format: str | None = None,
    person: Callable[[str], UUID] | None = None,
) -> Reading:
    """How words are read in the organization in context."""
    return Reading(
        today=today,
        person=person or person_reader(),
        calendar=calendar,
        date_format=date_format,
        is_file=is_file,
    )
