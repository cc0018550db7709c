"""How a value is written: for people on a page, for a file, and into the editor that it came from. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from otc.fields.queries import Book
from otc.fields.rules import Field, stored
from otc.money.rules import decimal_text
from otc.ui import format as fmt


@dataclass(frozen=True)
class ShownField:
    """A field with what stands there in words, empty where nothing does."""

    field: Field
    text: str

    @property
    def cell(self) -> str:
        """What its editor is called."""
        return f"field-{self.field.key}"

    @property
    def is_number(self) -> bool:
        return self.field.kind in ("number", "money")


def shown_fields(
    book: Book, attributes: Mapping[str, Any] | None, *, today: date | None = None
) -> tuple[ShownField, ...]:
    """Every active field of a record, in their order."""
    return tuple(
        ShownField(one, label_of(one, stored(one, attributes), names=book.names, today=today))
        for one in book.active
    )


def label_of(field: Field, value: Any, *, names: Mapping[str, str], today: date | None = None) -> str:
    """For people; empty for None. Days are written as seen from `today`."""
    if value is None:
        return ""
    match field.kind:
        case "number":
            places = max(0, -int(Decimal(str(value)).normalize().as_tuple().exponent))
            return fmt.signed(Decimal(str(value)), decimals=places)
        case "money":
            minor, code = value["amount_minor"], value["currency"]
            return fmt.money_exact(minor, currency=code).replace(".00\u00a0", "\u00a0")
        case "date":
            day = date.fromisoformat(value)
            return fmt.day(day, today=today or date.min)
        case "choice":
            option = field.option(value)
            return option.label if option else str(value)
        case "person":
            return names.get(value, "somebody who is gone")
        case _:
            return str(value)


def cell_of(field: Field, value: Any, *, names: Mapping[str, str]) -> Any:
    """For a file: numbers and amounts as decimals, days in ISO form, choices and people by name."""
    if value is None:
        return None
    match field.kind:
        case "number":
            return Decimal(str(value))
        case "money":
            return Decimal(decimal_text(value["amount_minor"], currency=value["currency"]))
        case "date":
            return date.fromisoformat(value)
        case _:
            return label_of(field, value, names=names)


def typed_of(field: Field, value: Any) -> str:
    """The words that an editor starts with, which read back as the same value."""
    if value is None:
        return ""
    if field.kind == "money":
        return decimal_text(value["amount_minor"], currency=value["currency"])
    if field.kind == "number":
        return f"{Decimal(str(value)):f}"
    return str(value)
