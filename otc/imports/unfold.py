"""Columns that are rows: a deal's column “Date entered "Won"” is an event of it. Turns the one into the other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from otc.imports.mapping import MappingError, Unfold
from otc.imports.reader import CsvFile, SourceRow


def unfolded(source: CsvFile, unfold: Unfold) -> CsvFile:
    """The file with one row per filled column of the pattern. Raises MappingError where no column fits."""
    places = starred(source.header, pattern=unfold.columns, drop=unfold.drop)
    if not places:
        raise MappingError(f"unfold: the file has no column like “{unfold.columns}”")
    header = (*source.header, unfold.name, unfold.value)
    return replace(source, header=header, rows=_events(source.rows, places))


def starred(header: Sequence[str], *, pattern: str, drop: str = "") -> dict[int, str]:
    """Place and star of each column that fits `pattern`; an ending like `drop` (with a star) is cut off."""
    before, _, after = pattern.partition("*")
    found = {}
    for place, name in enumerate(header):
        if len(name) > len(before) + len(after) and name.startswith(before) and name.endswith(after):
            found[place] = _without(name[len(before) : len(name) - len(after)], drop)
    return found


def _without(text: str, drop: str) -> str:
    """“Won (Sales)” without “ (*)” is “Won”."""
    before = drop.partition("*")[0]
    place = text.rfind(before) if drop else -1
    return text[:place] if place > 0 and fnmatchcase(text[place:], drop) else text


def _events(rows: Iterator[SourceRow], places: dict[int, str]) -> Iterator[SourceRow]:
    for row in rows:
        if row.fault:
            yield row
            continue
        for place, star in places.items():
            if value := row.cells[place].strip():
                yield SourceRow(row.line, [*row.cells, star, value])
