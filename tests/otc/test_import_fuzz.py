"""Random bytes never crash the reader: a clear error, or the rows as they were written."""

import csv
import io
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otc.imports.columns import CellError, Column, ColumnType, amount_minor, cell_parser
from otc.imports.names_shown import shown_name
from otc.imports.numbers import number_readings
from otc.imports.profile import file_profile
from otc.imports.reader import ImportFileError, open_csv
from otc.tenancy.names import clean_name

QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=20)
PIECES = st.sampled_from(
    [
        b",",
        b";",
        b'"',
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"=1+1",
        b"01/02/03",
        b"1.234",
        b"a",
        b"\t",
    ]
)


@QUICK
@given(content=st.one_of(st.binary(max_size=400), st.lists(PIECES, max_size=60).map(b"".join)))
def test_any_bytes_are_read_or_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fuzz.csv"
    path.write_bytes(content)
    try:
        profile = file_profile(path, name="fuzz.csv")
        with open_csv(path) as source:
            rows = list(source.rows)
    except ImportFileError as error:
        assert str(error).startswith(("fuzz.csv", "there is"))
        return
    assert len(profile.header) == len(set(profile.header)) > 0
    assert all(row.fault or len(row.cells) == len(profile.header) for row in rows)


@QUICK
@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_was_written_is_what_is_read(tmp_path: Path, rows: Any, delimiter: str, encoding: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([["one", "two", "three"], *rows])
    path = tmp_path / "fuzz.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    with open_csv(path) as source:
        assert [row.cells for row in source.rows] == [row for row in rows if any(row)]


@QUICK
@given(text=st.one_of(CELLS, st.text("0123456789.,'- €$%()/:TZ+APM", max_size=70)))
def test_any_cell_is_a_value_or_a_refusal(text: str) -> None:
    for kind in ColumnType:
        form = "," if kind is ColumnType.OPEN_AMOUNT else "dmy"
        parse = cell_parser(Column("x", kind, choices=("a",)), zone=ZoneInfo("UTC"), date_format=form)
        for read in (parse, lambda cell: amount_minor(cell, currency="JPY")):
            try:
                assert isinstance(read(text), str)
            except CellError as refusal:
                assert str(refusal)
    for number in number_readings(text).values():
        float(number.plain)


@given(st.text(max_size=300))
def test_names_become_one_visible_line(text: str) -> None:
    shown = shown_name(text)
    assert shown and len(shown) <= 120 and "/" not in shown and "\n" not in shown and shown.isprintable()
    assert clean_name(clean_name(text)) == clean_name(text)
    assert not set(clean_name(text)) & set("\n\r\t\0\u202e\u2066\u200b")


@pytest.mark.parametrize("name", ["a" * 5_000, "x\u202ecod.exe", "a/b\\c", "\n", "\ud800x"])
def test_odd_file_names(name: str) -> None:
    assert 0 < len(shown_name(name)) <= 120
