"""What do a file's cells become in a custom field? For the person who maps its columns."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from otc.fields.importing import Reader
from otc.fields.queries import names_of
from otc.fields.rules import NotAccepted
from otc.fields.shown import cell_of
from otc.imports.binding import Binding
from otc.imports.columns import FieldColumn


def accepted(reader: Reader, texts: Iterable[str]) -> dict[str, Any]:
    """The values of the texts that the field can hold, by text."""
    found: dict[str, Any] = {}
    for text in texts:
        try:
            found[text] = reader(text)
        except NotAccepted:
            continue
    return found


def field_examples(column: FieldColumn, texts: Iterable[str], binding: Binding, *, count: int) -> list[str]:
    """What the first `count` texts that the field can hold become."""
    reader = binding.readers[column.attribute]
    values = list(islice(accepted(reader, dict.fromkeys(texts)).values(), count))
    names = names_of(values) if column.field.kind == "person" and values else {}
    return [str(cell_of(column.field, value, names=names)) for value in values]


def field_note(column: FieldColumn, texts: Sequence[str], binding: Binding) -> str:
    """How many rows the field would refuse, and the first reason; empty when none."""
    reader = binding.readers[column.attribute]
    filled = [text for text in texts if text]
    read = accepted(reader, set(filled))
    bad = [text for text in filled if text not in read]
    if not bad:
        return ""
    are = "is" if len(bad) == 1 else "are"
    return f"{len(bad):,} of the first {len(texts):,} rows {are} refused: {_why(reader, bad[0])}"


def _why(reader: Reader, text: str) -> str:
    try:
        reader(text)
    except NotAccepted as problem:
        return problem.reason
    return ""
