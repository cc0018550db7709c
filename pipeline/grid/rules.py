"""A block of cells as a spreadsheet gives it: rows of deals, columns of fields. No Django: values in, values out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from otc.imports.dates import ORDERS

# What one request writes; more is narrowed down or imported.
MOST_ROWS = 500
MOST_COLUMNS = 30
LONGEST_VALUE = 1000


class BadBlock(ValueError):
    """What was sent is no block; the text says why and what to do."""


class NotChosen(ValueError):
    """The text names none of the choices; str(error) says which there are."""


@dataclass(frozen=True, slots=True)
class Typed:
    """One cell of a block. `row` and `column` count from 1; `was` is what its reader saw, None if not said."""

    row: int
    column: int
    deal_id: UUID
    field: str
    text: str
    was: str | None


@dataclass(frozen=True, slots=True)
class Block:
    """Texts for cells: `values[r][c]` is for `deals[r]` and `fields[c]`, None leaves that cell alone.

    `days` is how 05/12/2026 is to be read, dmy or mdy; None: as its column says.
    """

    deals: tuple[UUID, ...]
    fields: tuple[str, ...]
    values: tuple[tuple[str | None, ...], ...]
    was: tuple[tuple[str | None, ...], ...] | None = None
    days: str | None = None

    def texts_of(self, field: str) -> list[str]:
        """What is to be written into one column."""
        place = self.fields.index(field)
        return [row[place] or "" for row in self.values]

    def cells_of(self, row: int) -> list[Typed]:
        """The cells of one row that are to be written."""
        return [
            Typed(
                row + 1, place + 1, self.deals[row], field, text, self.was[row][place] if self.was else None
            )
            for place, (field, text) in enumerate(zip(self.fields, self.values[row], strict=True))
            if text is not None
        ]

    @property
    def count(self) -> int:
        """How many cells are to be written."""
        return sum(text is not None for row in self.values for text in row)

    def as_json(self) -> dict[str, Any]:
        """What read_block reads."""
        return {
            "deals": [str(deal) for deal in self.deals],
            "fields": list(self.fields),
            "values": [list(row) for row in self.values],
            "was": [list(row) for row in self.was] if self.was else None,
            "days": self.days,
        }

    def seen_as(self, present: Mapping[tuple[int, int], str]) -> "Block":
        """The same block by somebody who has seen what stands there now, by (row, column) from 1."""
        was = [list(row) for row in self.was or [[None] * len(self.fields) for _ in self.deals]]
        for (row, column), text in present.items():
            was[row - 1][column - 1] = text
        return replace(self, was=tuple(tuple(row) for row in was))


def read_block(body: Any) -> Block:
    """A block from JSON: deals (ids), fields (names of cells), values and maybe was (rows of text or null).

    One row of values for many deals is meant for each of them: that fills down. `days` may say the order of numeric
    days. Raises BadBlock.
    """
    if not isinstance(body, Mapping):
        raise BadBlock("Send deals, fields and values")
    deals = tuple(_id(text) for text in _list(body, "deals"))
    fields = tuple(_text(one) for one in _list(body, "fields"))
    if not deals or not fields:
        raise BadBlock("A block needs at least one deal and one field")
    if len(deals) > MOST_ROWS or len(fields) > MOST_COLUMNS:
        raise BadBlock(f"At most {MOST_ROWS} rows of {MOST_COLUMNS} columns are written at once; send fewer")
    if len(set(deals)) != len(deals) or len(set(fields)) != len(fields):
        raise BadBlock("A block names each deal and each field once")
    values = _rows(_list(body, "values"), "values", deals, fields)
    was = _rows(_list(body, "was"), "was", deals, fields) if body.get("was") is not None else None
    days = body.get("days")
    if days is not None and days not in ORDERS:
        raise BadBlock(f"“days” is one of: {', '.join(ORDERS)}")
    return Block(deals, fields, values, was, days)


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    found = body.get(name)
    if not isinstance(found, list):
        raise BadBlock(f"“{name}” is a list")
    return found


def _id(text: Any) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        raise BadBlock("That is no deal; load the list again") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadBlock("Every cell is text, or null to leave it alone")
    if len(value) > LONGEST_VALUE:
        raise BadBlock(f"A cell holds at most {LONGEST_VALUE} characters; shorten what begins “{value[:40]}”")
    return value.replace("\x00", "")


def _rows(
    found: list[Any], name: str, deals: Sequence[UUID], fields: Sequence[str]
) -> tuple[tuple[str | None, ...], ...]:
    rows = found * len(deals) if len(found) == 1 else found
    if len(rows) != len(deals) or any(not isinstance(row, list) or len(row) != len(fields) for row in rows):
        raise BadBlock(f"“{name}” has a row for each deal, and each row a cell for each field")
    return tuple(tuple(None if cell is None else _text(cell) for cell in row) for row in rows)


def chosen(typed: str, *, present: str, choices: Sequence[tuple[str, str]], what: str) -> str:
    """The key that a typed key or label means. What stands there may stay. Raises NotChosen.

    >>> chosen(" commit ", present="", choices=[("c1", "Commit"), ("c2", "Omitted")], what="category")
    'c1'
    """
    text = " ".join(typed.split())
    if text == present or any(text == key for key, _ in choices):
        return text
    meant = [key for key, label in choices if label.casefold() == text.casefold()]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise NotChosen(f"Two are called “{text}”; choose in the cell which is meant")
    names = [label for key, label in choices if key][:8]
    more = " …" if len(names) < sum(bool(key) for key, _ in choices) else ""
    said = f"“{text[:60]}” is no {what.lower()} here" if text else f"A {what.lower()} can’t be cleared"
    raise NotChosen(f"{said}; choose one of: {', '.join(names)}{more}")
