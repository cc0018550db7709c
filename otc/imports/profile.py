"""What seems to be in this file? Its first rows, and what each column holds, for the person who maps it."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from otc.imports.columns import NO, YES
from otc.imports.dates import DAY_FIRST, MONTH_FIRST, day_readings, is_bare_day, is_date
from otc.imports.encoding import Encoding
from otc.imports.numbers import number_readings
from otc.imports.reader import SourceRow, open_csv

SAMPLED_ROWS = 5_000
SHOWN_ROWS = 5
MOST_VALUES = 60
TYPED_VALUES = 300
COUNT_CHUNK = 1_048_576


@dataclass
class ColumnProfile:
    """A column of the file by its sample: `type` in words, some cells, and its distinct values while they are few."""

    name: str
    place: int
    type: str = "empty"
    filled_count: int = 0
    values: Counter[str] = field(default_factory=Counter)
    has_more_values: bool = False

    @property
    def examples(self) -> list[str]:
        return [value for value, _ in self.values.most_common(3)]


@dataclass(frozen=True)
class FileProfile:
    """`rows` are the first ones; `sampled` says how many of the file's rows the columns' types rest on."""

    header: tuple[str, ...]
    columns: tuple[ColumnProfile, ...]
    rows: tuple[SourceRow, ...]
    sampled: int
    encoding: Encoding
    delimiter: str


def file_profile(
    path: Path, *, name: str, encoding: str | None = None, delimiter: str | None = None
) -> FileProfile:
    """Look at a file's first SAMPLED_ROWS rows. Raises ImportFileError."""
    with open_csv(path, encoding=encoding, delimiter=delimiter, name=name) as source:
        columns = tuple(ColumnProfile(title, place) for place, title in enumerate(source.header))
        shown: list[SourceRow] = []
        sampled = 0
        for row in islice(source.rows, SAMPLED_ROWS):
            sampled += 1
            if len(shown) < SHOWN_ROWS:
                shown.append(row)
            if not row.fault:
                _look(columns, row)
        for column in columns:
            column.type = _type_of(column)
        return FileProfile(source.header, columns, tuple(shown), sampled, source.encoding, source.delimiter)


def line_count(path: Path) -> int:
    """How many lines a file has, about as many as rows."""
    with path.open("rb") as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(COUNT_CHUNK), b""))


def _look(columns: tuple[ColumnProfile, ...], row: SourceRow) -> None:
    for column, cell in zip(columns, row.cells, strict=True):
        text = cell.strip()
        if not text:
            continue
        column.filled_count += 1
        if text in column.values or len(column.values) < TYPED_VALUES:
            column.values[text] += 1
        else:
            column.has_more_values = True


def _type_of(column: ColumnProfile) -> str:
    """The type that every value seen has, in words."""
    values = list(column.values)
    if not values:
        return "empty"
    if all(value.lower() in (*YES, *NO) for value in values):
        return "yes or no"
    if all(is_date(value) for value in values):
        return _date_type(values)
    if all(number_readings(value) for value in values):
        return _number_type(values)
    if all("@" in value and " " not in value for value in values):
        return "e-mail"
    return "text"


def _date_type(values: list[str]) -> str:
    kind = "day" if all(is_bare_day(value) for value in values) else "day and time"
    readings = [found for value in values if (found := day_readings(value))]
    told = {next(iter(found)) for found in readings if len(found) == 1}
    if told == {MONTH_FIRST}:
        return f"{kind}, month first"
    if told == {DAY_FIRST}:
        return f"{kind}, day first"
    is_open = any(len(set(found.values())) > 1 for found in readings)
    return f"{kind}, day or month first?" if is_open or told else kind


def _number_type(values: list[str]) -> str:
    found = [number_readings(value) for value in values]
    told = {next(iter(readings)) for readings in found if len(readings) == 1}
    is_open = any(len({number.plain for number in readings.values()}) > 1 for readings in found)
    if len(told) == 1 or not (is_open or told):
        return "share" if any(number.is_percent for number in found[0].values()) else "number"
    return "number, thousands or decimals?"
