"""What rows does this CSV file hold? Read as a stream: memory doesn't grow with the file, nor with a line of it."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from otc.imports.content import largest_file_bytes, not_text, too_large
from otc.imports.dates import is_date
from otc.imports.encoding import DamagedText, Encoding, encoding_of
from otc.imports.numbers import number_readings

MAX_COLUMNS = 500
MAX_CELL_CHARACTERS = 131_072
# A line, and a row with line breaks inside, are read whole: longer ones are refused unread.
MAX_LINE_CHARACTERS = 1_048_576
MAX_ROW_CHARACTERS = 4 * MAX_LINE_CHARACTERS
# What a file of refused rows begins with: left out again, and with it the apostrophes that make formulas safe.
REFUSAL_COLUMNS = ("refused_line", "refused_column", "refused_reason")
_SAFE_FORMULA = re.compile(r"'+[=+\-@\t\r]")
DELIMITERS = (",", ";", "\t", "|")
SNIFFED_LINES = 20
_NAMED_DELIMITER = re.compile(r"sep=(.)\r?\n?")


class ImportFileError(ValueError):
    """The file as a whole can't be read; the message says why and may be shown to a person."""


@dataclass(frozen=True)
class SourceRow:
    """`line` is where the row starts in the file (the header is line 1); `fault` says why cells are unusable."""

    line: int
    cells: list[str]
    fault: str = ""


@dataclass(frozen=True)
class CsvFile:
    """An open file: its header and, once, its rows, and how it is written."""

    name: str
    header: tuple[str, ...]
    rows: Iterator[SourceRow]
    encoding: Encoding
    delimiter: str


@contextmanager
def open_csv(
    path: Path, *, encoding: str | None = None, delimiter: str | None = None, name: str | None = None
) -> Iterator[CsvFile]:
    """Open a CSV file with a header line. Raises ImportFileError, also while its rows are read.

    Without `encoding` the file's mark counts, else its bytes: UTF-8 where all fit, else Windows-1252. Without
    `delimiter` the one of comma, semicolon, tab and bar counts that the first lines agree on. `name` is what
    messages call the file.
    """
    shown = name or path.name
    checked = _checked_encoding(path, encoding, shown)
    with path.open(encoding=checked.name, newline="") as stream:
        lines = _Lines(stream, shown, checked)
        try:
            separator = delimiter or _sniff_delimiter(stream)
        except UnicodeError:
            raise ImportFileError(_wrong_encoding(shown, checked)) from None
        reader = csv.reader(lines, delimiter=separator, strict=True)
        rows = _source_rows(shown, reader, lines)
        first = next(rows, None)
        # Excel's own line, that names the delimiter.
        if first is not None and separator.join(first.cells) == f"sep={separator}":
            first = next(rows, None)
        if first is None:
            raise ImportFileError(f"{shown} is empty: the first line must name the columns")
        if tuple(first.cells[: len(REFUSAL_COLUMNS)]) == REFUSAL_COLUMNS:
            first, rows = _mended(first), map(_mended, rows)
        header = _checked_header(shown, first.cells)
        yield CsvFile(shown, header, _matching_rows(rows, len(header)), checked, separator)


def _mended(row: SourceRow) -> SourceRow:
    """A row of a file of refused ones as it first was."""
    cells = [cell[1:] if _SAFE_FORMULA.match(cell) else cell for cell in row.cells[len(REFUSAL_COLUMNS) :]]
    return SourceRow(row.line, cells, row.fault)


class _Lines:
    """Lines of a text file, the endless ones refused; `row_characters` is set to 0 as each row begins."""

    def __init__(self, stream: TextIO, name: str, encoding: Encoding) -> None:
        self.stream, self.name, self.encoding = stream, name, encoding
        self.line = 0
        self.row_characters = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self.stream.readline(MAX_LINE_CHARACTERS + 1)
        except UnicodeError:
            told = f"{_wrong_encoding(self.name, self.encoding)} (after line {self.line})"
            raise ImportFileError(told) from None
        if not line:
            raise StopIteration
        self.line += 1
        self.row_characters += len(line)
        if len(line) > MAX_LINE_CHARACTERS or self.row_characters > MAX_ROW_CHARACTERS:
            raise ImportFileError(
                f"{self.name}, line {self.line}: one row has more than {MAX_LINE_CHARACTERS:,} characters; at most "
                f"{MAX_COLUMNS} columns can be read. Is a quotation mark not closed?"
            )
        return line


def _checked_encoding(path: Path, encoding: str | None, name: str) -> Encoding:
    """The encoding to open the file with, once it is small enough and its first bytes look like text."""
    if not path.is_file():
        raise ImportFileError(f"there is no file {name}")
    if path.stat().st_size > largest_file_bytes():
        raise ImportFileError(too_large(name))
    if reason := not_text(path):
        raise ImportFileError(f"{name} is not CSV: {reason}")
    if encoding is not None:
        try:
            return Encoding(_text_codec(encoding))
        except LookupError:
            raise ImportFileError(f"there is no encoding “{encoding[:40]}”") from None
    try:
        return encoding_of(path)
    except DamagedText as damage:
        raise ImportFileError(
            f"{name} is mostly UTF-8 but broken at byte {damage.offset + 1:,}: export it again as CSV (UTF-8), or "
            "name its encoding in the mapping"
        ) from None


def _text_codec(encoding: str) -> str:
    """A codec that makes text of bytes. Raises LookupError for an unknown one and for base64 and its kin."""
    found = codecs.lookup(encoding)
    if not getattr(found, "_is_text_encoding", True):
        raise LookupError(encoding)
    return "utf-8-sig" if found.name == "utf-8" else found.name


def _sniff_delimiter(stream: TextIO) -> str:
    """The delimiter that the first lines agree on, else the one that stands most often in the header.

    What stands between quotation marks doesn't count; a comma when none is there.
    """
    start = stream.read(65_536)
    stream.seek(0)
    lines = [line for line in start.splitlines() if line.strip()]
    if not lines:
        return ","
    if named := _NAMED_DELIMITER.fullmatch(lines[0]):
        return named[1]
    counts = {sign: [_outside(line).count(sign) for line in lines[:SNIFFED_LINES]] for sign in DELIMITERS}
    steady = [sign for sign in DELIMITERS if counts[sign][0] and _is_steady(counts[sign])]
    return max(steady or DELIMITERS, key=lambda sign: counts[sign][0])


def _outside(line: str) -> str:
    return "".join(line.split('"')[::2])


def _is_steady(counts: list[int]) -> bool:
    """Nearly every line has as many as the header, or the file has no other line."""
    ((_, most),) = Counter(counts).most_common(1)
    return counts.count(counts[0]) == most and most * 5 >= len(counts) * 4


def _source_rows(name: str, reader: Any, lines: _Lines) -> Iterator[SourceRow]:
    """Rows that aren't blank, each with the line it starts on."""
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    line = 1
    while True:
        lines.row_characters = 0
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportFileError(
                f"{name}, line {line}: {error}. Is a quotation mark not closed or not doubled?"
            ) from None
        if any(cells):
            yield SourceRow(line, cells)
        line = reader.line_num + 1


def _wrong_encoding(name: str, encoding: Encoding) -> str:
    return f"{name} is not {encoding.label}: save it as CSV (UTF-8), or name its encoding in the mapping"


def _checked_header(name: str, cells: list[str]) -> tuple[str, ...]:
    """Column names without surrounding space; unnamed columns at the end are spreadsheet leftovers and go."""
    names = [cell.strip() for cell in islice(cells, MAX_LINE_CHARACTERS)]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise ImportFileError(
            f"{name} has {len(names):,} columns, more than {MAX_COLUMNS}: leave out what isn't needed"
        )
    if any("\0" in cell for cell in names):
        raise ImportFileError(f"{name} is not CSV: its header holds NUL characters")
    if not names:
        raise ImportFileError(f"{name} has no header: the first line must name the columns")
    if "" in names:
        place = names.index("") + 1
        raise ImportFileError(f"{name}: column {place} has no name in the header: name it or take it out")
    twice = sorted(cell for cell, count in Counter(names).items() if count > 1)
    if twice:
        raise ImportFileError(
            f"{name}: the header names {', '.join(twice)} more than once: rename one of them"
        )
    if _looks_like_data(names):
        raise ImportFileError(
            f"{name} has no header: its first line ({', '.join(names[:3])[:80]} …) looks like a row. "
            "Put the columns' names above it"
        )
    return tuple(names)


def _looks_like_data(names: list[str]) -> bool:
    """Most of the first line are numbers, days and addresses."""
    values = sum(1 for name in names if is_date(name) or number_readings(name) or _is_address(name))
    return values * 2 > len(names) or (len(names) > 2 and values > 2 and values * 3 > len(names))


def _is_address(text: str) -> bool:
    return text.count("@") == 1 and "." in text.partition("@")[2] and " " not in text


def _matching_rows(rows: Iterator[SourceRow], width: int) -> Iterator[SourceRow]:
    """Give every row the header's width; a row that hasn't got it keeps its cells and says what is wrong."""
    for row in rows:
        cells = row.cells
        if len(cells) > width and not any(cells[width:]):
            yield SourceRow(row.line, cells[:width])
        elif len(cells) != width:
            kept = cells[: width + MAX_COLUMNS]
            yield SourceRow(row.line, kept, f"has {len(cells):,} cells where the header has {width}")
        else:
            yield row
