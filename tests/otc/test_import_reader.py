"""What a CSV file may look like, and what is said of one that can't be read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from otc.imports.reader import ImportFileError, SourceRow, open_csv

Write = Callable[[bytes | str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: bytes | str) -> Path:
        path = tmp_path / "file.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def read(path: Path, **options: str) -> tuple[tuple[str, ...], list[SourceRow]]:
    with open_csv(path, **options) as source:
        return source.header, list(source.rows)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_utf_8_is_read_with_and_without_a_mark(write: Write, mark: bytes) -> None:
    header, rows = read(write(mark + "name,city\nÅse,Tromsø\n".encode()))
    assert header == ("name", "city")
    assert rows == [SourceRow(2, ["Åse", "Tromsø"])]


def test_utf_16_is_known_by_its_mark(write: Write) -> None:
    assert read(write("name\nÅse\n".encode("utf-16")))[1] == [SourceRow(2, ["Åse"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(write: Write, delimiter: str) -> None:
    header, rows = read(write(f'"a, b; c"{delimiter}d\n1{delimiter}"x{delimiter}y"\n'))
    assert header == ("a, b; c", "d")
    assert rows[0].cells == ["1", f"x{delimiter}y"]


def test_a_line_number_is_that_of_the_row_s_first_line(write: Write) -> None:
    rows = read(write('id,note\n1,"two\nlines"\n\n2,x\n'))[1]
    assert [(row.line, row.cells[0]) for row in rows] == [(2, "1"), (5, "2")]


def test_a_row_of_another_width_is_kept_with_its_fault(write: Write) -> None:
    rows = read(write("a,b\n1\n1,2,3\n1,2,\n"))[1]
    assert [row.fault for row in rows] == [
        "has 1 cells where the header has 2",
        "has 3 cells where the header has 2",
        "",
    ]


def test_unnamed_columns_at_the_end_are_left_out(write: Write) -> None:
    header, rows = read(write("a,b,,\n1,2,,\n"))
    assert header == ("a", "b")
    assert rows[0].cells == ["1", "2"]


def test_rows_come_one_by_one(write: Write) -> None:
    with open_csv(write("a\n" + "x\n" * 100_000)) as source:
        assert next(source.rows) == SourceRow(2, ["x"])
        assert next(source.rows) == SourceRow(3, ["x"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,,b\n", "column 2 has no name"),
        (b"a,b,a\n", "names a more than once"),
        (b"PK\x03\x04rest", "workbook"),
        (b"\x1f\x8brest", "compressed"),
        (b"%PDF-1.7", "PDF"),
        (b"\x00\x01\x02\x00\x00\x00", "binary"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"\n <html>", "web page"),
        (b'a,b\n1,"open' + b"x" * 200_000, "quotation mark"),
        (b'a,b\n1,"un"doubled"\n', "quotation mark"),
        (b",".join(b"c%d" % i for i in range(501)), "more than 500"),
    ],
)
def test_what_is_not_csv_is_said_plainly(write: Write, content: bytes, reason: str) -> None:
    with pytest.raises(ImportFileError, match=reason):
        read(write(content))


def test_a_missing_file_and_an_unknown_encoding_are_named(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="there is no file"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(ImportFileError, match="no encoding “utf-99”"):
        read(write("a\n"), encoding="utf-99")


def test_an_encoding_that_is_named_is_used(write: Write) -> None:
    assert read(write("name\nÅse\n".encode("cp1252")), encoding="cp1252")[1][0].cells == ["Åse"]
