"""Which values does a column of the file hold, and what is each to mean? For the person who maps them one by one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from otc.imports.binding import Binding
from otc.imports.columns import Column
from otc.imports.reader import SourceRow
from pipeline.imports.known_names import KnownNames, known_among, known_names

AS_IT_IS, LEFT_EMPTY = "", "-"
MOST_VALUES = 60


@dataclass(frozen=True)
class ValueRow:
    """One value of the file and what it is to mean; `is_suggested` when nobody has said so yet."""

    place: int
    text: str
    count: int
    answer: str
    is_suggested: bool = False
    is_known: bool = True


@dataclass(frozen=True)
class ValueRows:
    """The values of a column, the most frequent first, and what they may be mapped to."""

    rows: list[ValueRow]
    options: tuple[str, ...]
    has_more: bool


def value_rows(
    column: Column,
    source: Any,
    *,
    place: int,
    header: tuple[str, ...],
    rows: list[SourceRow],
    binding: Binding,
) -> ValueRows:
    """The values in the file's column at `place`, which feeds `column` as `source` says."""
    counted = _raw_values(place, source, header, rows)
    base = source.get("values", {}) if isinstance(source, dict) else {}
    otherwise = source.get("otherwise", "keep") if isinstance(source, dict) else "keep"
    has_more = len(counted) > MOST_VALUES
    counted = Counter(dict(counted.most_common(MOST_VALUES)))
    known = known_names(column)
    there = known_among(column, {base.get(text, text) for text in counted} | set(counted), binding)
    found = [
        _value_row(place, text, count, base, otherwise, known, there)
        for place, (text, count) in enumerate(counted.most_common())
    ]
    return ValueRows(found, known.options, has_more)


def _raw_values(place: int, source: Any, header: tuple[str, ...], rows: list[SourceRow]) -> Counter[str]:
    """How often each cell of the column stands in rows where it counts."""
    when = source.get("when", {}) if isinstance(source, dict) else {}
    conditions = [(header.index(name), set(values)) for name, values in when.items() if name in header]
    return Counter(
        text
        for row in rows
        if (text := row.cells[place].strip())
        and all(row.cells[at].strip() in values for at, values in conditions)
    )


def _value_row(
    place: int,
    text: str,
    count: int,
    base: Mapping[str, str],
    otherwise: Any,
    known: KnownNames,
    there: set[str],
) -> ValueRow:
    row = ValueRow(place, text, count, AS_IT_IS)
    if text in base:
        answer = base[text] or LEFT_EMPTY
        return replace(
            row, answer=answer, is_known=answer == LEFT_EMPTY or answer in there or answer in known.options
        )
    if otherwise != "keep" or text in there:
        return row
    suggested = known.suggestion(text)
    return replace(row, answer=suggested, is_suggested=bool(suggested), is_known=bool(suggested))
