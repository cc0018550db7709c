"""Custom fields on a form: an input per field, each read by the one rules function."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.html import conditional_escape

from otc.fields.queries import Book, people_choices
from otc.fields.rules import Field, NotAccepted, Reading, is_required, read_text, stored
from otc.fields.shown import typed_of

INPUT = "field-"
HINTS = {"date": "fri, +2w, eom or 18 dec", "number": "", "money": "386k or 1,250.50"}


class FieldInput(forms.CharField):
    """What is typed for a field of text, number, money or date; its canonical value when cleaned."""

    def __init__(self, field: Field, *, reading: Reading, **options: Any) -> None:
        super().__init__(max_length=600, **options)
        self.field, self.reading = field, reading

    def clean(self, value: Any) -> Any:
        return _read(self.field, super().clean(value), self.reading)


class FieldSelect(forms.ChoiceField):
    """A choice or a person."""

    def __init__(self, field: Field, *, reading: Reading, **options: Any) -> None:
        super().__init__(**options)
        self.field, self.reading = field, reading

    def clean(self, value: Any) -> Any:
        return super().clean(value) or None


def _read(field: Field, text: str, reading: Reading) -> Any:
    try:
        return read_text(field, text, reading=reading)
    except NotAccepted as problem:
        raise forms.ValidationError(problem.reason) from problem


def add_fields(
    form: forms.Form,
    book: Book,
    *,
    reading: Reading,
    attributes: Mapping[str, Any] | None = None,
    prefix: str = INPUT,
) -> None:
    """An input for every active field, with what stands in `attributes`."""
    people = people_choices() if any(one.kind == "person" for one in book.active) else []
    for field in book.active:
        value = stored(field, attributes)
        options: dict[str, Any] = {
            "label": field.label,
            "required": is_required(field, created_on=reading.today) and attributes is None,
            "initial": typed_of(field, value),
            "help_text": _hint(field),
        }
        name = f"{prefix}{field.key}"
        if field.kind in ("choice", "person"):
            choices = field_choices(field, value, people=people)
            form.fields[name] = FieldSelect(field, reading=reading, choices=choices, **options)
        else:
            form.fields[name] = FieldInput(field, reading=reading, **options)


def field_choices(field: Field, value: Any, *, people: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What a select offers; a retired option or a person who left stays while they stand there."""
    if field.kind == "person":
        known = {key for key, _ in people}
        gone = [(value, "Somebody who left")] if value and value not in known else []
        return [("", "Nobody"), *people, *gone]
    kept = [option for option in field.options if not option.is_retired or option.key == value]
    return [("", "Not set"), *((option.key, option.label) for option in kept)]


def _hint(field: Field) -> str:
    """Escaped, since ui/field.html takes hints as markup of ours."""
    hint = field.help_text or HINTS.get(field.kind, "")
    if field.kind == "money":
        hint = f"{hint} ({field.currency})" if hint else field.currency
    return conditional_escape(hint)


def field_values(form: forms.Form, *, prefix: str = INPUT) -> dict[str, Any]:
    """The cleaned values by field key; only those of inputs that the form has."""
    return {
        name.removeprefix(prefix): form.cleaned_data.get(name)
        for name in form.fields
        if name.startswith(prefix) and name in form.cleaned_data
    }


def input_of(refused: str) -> str:
    """The input that a refusal of `fields.region` stands at."""
    return f"{INPUT}{refused.removeprefix('fields.')}" if refused.startswith("fields.") else refused
