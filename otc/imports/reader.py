"""What rows does this CSV file hold? Read as a stream: memory doesn't grow with the file."""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

MAX_FILE_BYTES = 2 * 1024**3
MAX_COLUMNS = 500
MAX_CELL_CHARACTERS = 131_072
DELIMITERS = (",", ";", "\t", "|")
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What other formats start with, and what to tell somebody who brings one.
NOT_CSV = (
    (b"PK\x03\x04", "it is a workbook or another zip file: save the sheet as CSV (UTF-8) first"),
    (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook: save the sheet as CSV (UTF-8) first"),
    (b"\x1f\x8b", "it is compressed: unpack it first"),
    (b"%PDF", "it is a PDF"),
)
MARKUP = ("<!doctype", "<html", "<?xml", "<table", "<head", "<body")


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
    """An open file: its header and, once, its rows."""

    name: str
    header: tuple[str, ...]
    rows: Iterator[SourceRow]


@contextmanager
def open_csv(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> Iterator[CsvFile]:
    """Open a CSV file with a header line. Raises ImportFileError, also while its rows are read.

    Without `encoding` the file is UTF-8 (with or without a byte order mark) or, by its mark, UTF-16; without
    `delimiter` the header's most frequent of comma, semicolon, tab and bar counts.
    """
    encoding = _checked_encoding(path, encoding)
    with path.open(encoding=encoding, newline="") as stream:
        separator = delimiter or _sniff_delimiter(path, _first_line(path, stream, encoding))
        reader = csv.reader(stream, delimiter=separator, strict=True)
        rows = _source_rows(path, reader, encoding)
        first = next(rows, None)
        if first is None:
            raise ImportFileError(f"{path.name} is empty: the first line must name the columns")
        header = _checked_header(path, first.cells)
        yield CsvFile(path.name, header, _matching_rows(rows, len(header)))


def _checked_encoding(path: Path, encoding: str | None) -> str:
    """The encoding to open the file with, once its first bytes look like text."""
    if not path.is_file():
        raise ImportFileError(f"there is no file {path}")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ImportFileError(f"{path.name} is larger than {MAX_FILE_BYTES // 1024**3} GiB: split it")
    with path.open("rb") as stream:
        start = stream.read(8192)
    for magic, reason in NOT_CSV:
        if start.startswith(magic):
            raise ImportFileError(f"{path.name} is not CSV: {reason}")
    if encoding is not None:
        try:
            return codecs.lookup(encoding).name
        except LookupError:
            raise ImportFileError(f"there is no encoding “{encoding}”") from None
    if start.startswith(UTF_16_MARKS):
        return "utf-16"
    if start.count(b"\0") > len(start) // 10:
        raise ImportFileError(f"{path.name} is not CSV: it holds binary data")
    return "utf-8-sig"


def _first_line(path: Path, stream: TextIO, encoding: str) -> str:
    try:
        start = stream.read(65_536)
    except UnicodeError:
        raise ImportFileError(_wrong_encoding(path, encoding)) from None
    stream.seek(0)
    if start.lstrip().lower().startswith(MARKUP):
        raise ImportFileError(f"{path.name} is not CSV: it is a web page or XML")
    return next((line for line in start.splitlines() if line.strip()), "")


def _sniff_delimiter(path: Path, line: str) -> str:
    """The delimiter that stands most often outside quotation marks; a comma when none does."""
    outside = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _source_rows(path: Path, reader: Any, encoding: str) -> Iterator[SourceRow]:
    """Rows that aren't blank, each with the line it starts on."""
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except UnicodeError:
            near = reader.line_num + 1
            raise ImportFileError(f"{_wrong_encoding(path, encoding)} (after line {near - 1})") from None
        except csv.Error as error:
            raise ImportFileError(
                f"{path.name}, line {line}: {error}. Is a quotation mark not closed or not doubled?"
            ) from None
        if any(cells):
            yield SourceRow(line, cells)
        line = reader.line_num + 1


def _wrong_encoding(path: Path, encoding: str) -> str:
    name = "UTF-8" if encoding.startswith("utf-8") else encoding
    return f"{path.name} is not {name}: save it as CSV (UTF-8), or name its encoding in the mapping"


def _checked_header(path: Path, cells: list[str]) -> tuple[str, ...]:
    """Column names without surrounding space; unnamed columns at the end are spreadsheet leftovers and go."""
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise ImportFileError(f"{path.name} has {len(names)} columns, more than {MAX_COLUMNS}")
    if any("\0" in name for name in names):
        raise ImportFileError(f"{path.name} is not CSV: its header holds NUL characters")
    if "" in names:
        raise ImportFileError(f"{path.name}: column {names.index('') + 1} has no name in the header")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ImportFileError(f"{path.name}: the header names {', '.join(twice)} more than once")
    if not names:
        raise ImportFileError(f"{path.name} has no header: the first line must name the columns")
    return tuple(names)


def _matching_rows(rows: Iterator[SourceRow], width: int) -> Iterator[SourceRow]:
    """Give every row the header's width; a row that hasn't got it keeps its cells and says what is wrong."""
    for row in rows:
        cells = row.cells
        if len(cells) > width and not any(cells[width:]):
            yield SourceRow(row.line, cells[:width])
        elif len(cells) != width:
            yield SourceRow(row.line, cells, f"has {len(cells)} cells where the header has {width}")
        else:
            yield row
