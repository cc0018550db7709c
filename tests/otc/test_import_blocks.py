"""A block of rows gives the same lines of COPY as its rows one by one."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otc.imports.binding import bind
from otc.imports.blocks import BlockStager, CopyStream
from otc.imports.columns import Column, ColumnType
from otc.imports.mapping import NO_MAPPING
from otc.imports.reader import ImportFileError, SourceRow
from otc.imports.staging import RowStager

COLUMNS = (
    Column("external_id", is_required=True),
    Column("name", ColumnType.NAME, max_length=12),
    Column("amount", ColumnType.AMOUNT),
    Column("currency", ColumnType.CURRENCY),
    Column("at", ColumnType.INSTANT),
    Column("outcome", ColumnType.CHOICE, choices=("won", "lost")),
)
HEADER = (*(column.name for column in COLUMNS), "Region", "Say “when”")
CELL = st.one_of(
    st.sampled_from(
        ["", " ", "x", "won", "EUR", "JPY", "12.50", "7", "2026-03-31", "2026-13-01", "a\\b", "c\td", "\0"]
    ),
    st.text(max_size=14),
)
ROWS = st.lists(st.lists(CELL, min_size=len(HEADER), max_size=len(HEADER)), min_size=1, max_size=60)


def stager() -> RowStager:
    kind: Any = SimpleNamespace(name="made", columns=COLUMNS, keeps_others=True)
    kind.key = lambda values: values["external_id"] or ""
    organization: Any = SimpleNamespace(currency="EUR", timezone="Europe/Berlin")
    binding = bind(NO_MAPPING, header=HEADER, columns=COLUMNS, keeps_others=True)
    return RowStager(kind, binding=binding, organization=organization)


@given(rows=ROWS)
def test_a_block_gives_what_its_rows_give_one_by_one(rows: list[list[str]]) -> None:
    source = [SourceRow(line, cells) for line, cells in enumerate(rows, start=2)]
    one_by_one = stager()
    assert BlockStager(stager()).lines(source) == "".join(map(one_by_one.copy_line, source))


def test_the_stream_is_read_in_pieces_of_any_size() -> None:
    rows = [SourceRow(line, [f"D{line}", *[""] * (len(HEADER) - 1)]) for line in range(2, 40)]
    stream, text = CopyStream(iter(rows), stager=stager()), ""
    while piece := stream.read(7):
        assert len(piece) <= 7
        text += piece
    assert text == "".join(map(stager().copy_line, rows)) and stream.read_count == 38


def test_a_file_that_breaks_off_tells_why() -> None:
    def rows() -> Any:
        yield SourceRow(2, ["D1", *[""] * (len(HEADER) - 1)])
        raise ImportFileError("line 3: a quotation mark is not closed")

    stream = CopyStream(rows(), stager=stager())
    with pytest.raises(ImportFileError):
        stream.read(100)
    assert isinstance(stream.problem, ImportFileError)
