"""Days and amounts in the ways that people write them, and columns that leave two readings open."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from otc.imports.binding import bind
from otc.imports.columns import CellError, Column, ColumnType, amount_minor, cell_parser
from otc.imports.encoding import encoding_of
from otc.imports.formats import AmbiguousColumn, settle_formats
from otc.imports.mapping import parse_mapping
from otc.imports.names_shown import shown_name
from otc.imports.reader import ImportFileError, SourceRow, open_csv

DAY, AMOUNT, NOTE = Column("day", ColumnType.DATE), Column("amount", ColumnType.AMOUNT), Column("note")
BERLIN = ZoneInfo("Europe/Berlin")


def settled(values: list[str], column: Column = DAY, **mapping: object) -> str | None:
    """The format that a column of these values gets."""
    binding = bind(parse_mapping(mapping), header=[column.name], columns=[column], keeps_others=False)
    rows = [SourceRow(line, [value]) for line, value in enumerate(values, start=2)]
    return settle_formats(binding, columns=[column], rows=lambda: rows).formats[column.name]


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-03-31", None, "2026-03-31"),
        ("2026-03-31T22:30:00Z", None, "2026-04-01"),
        ("2026-03-31T22:30:00.000+0000", None, "2026-04-01"),
        ("2026-03-31 22:30:00", None, "2026-03-31"),
        ("2020-12-30 3:15:52", None, "2020-12-30"),
        ("2026/3/31", None, "2026-03-31"),
        ("31.03.2026", None, "2026-03-31"),
        ("31.3.26 14:05", None, "2026-03-31"),
        ("Mar 31, 2026", None, "2026-03-31"),
        ("31-Mar-2026", None, "2026-03-31"),
        ("02/23/26 08:55 PM", "mdy", "2026-02-23"),
        ("02/03/24", "mdy", "2024-02-03"),
        ("02/03/24", "dmy", "2024-03-02"),
        ("31/12/99", "dmy", "1999-12-31"),
    ],
)
def test_days_are_read_in_many_forms(text: str, order: str | None, day: str) -> None:
    assert cell_parser(DAY, zone=BERLIN, date_format=order)(text) == day


@pytest.mark.parametrize(
    "text", ["02/03/24", "13/13/2025", "2026-02-30", "tomorrow", "99:99", "1/2", "٠١/٠٢/٢٠٢٤x"]
)
def test_what_is_no_day_or_two_is_refused(text: str) -> None:
    with pytest.raises(CellError):
        cell_parser(DAY, zone=BERLIN, date_format=None)(text)


@pytest.mark.parametrize(
    ("text", "mark", "minor"),
    [
        ("1250.50", None, "125050"),
        ("1,234.50", None, "123450"),
        ("1.234,50", None, "123450"),
        ("1\u202f234,50", None, "123450"),
        ("1\u00a0234\u00a0567", None, "123456700"),
        ("1'234.50", None, "123450"),
        ("1’234.50", None, "123450"),
        ("€1.234,50", None, "123450"),
        ("1.234,50 €", None, "123450"),
        ("EUR 12", None, "1200"),
        ("(12.50)", None, "-1250"),
        ("-12,5", None, "-1250"),
        ("12.50-", None, "-1250"),
        ("1,23,456.00", None, "12345600"),
        ("0.123", ".", None),
        ("1,234", ".", "123400"),
        ("1,234", ",", None),
        ("1.234", ",", "123400"),
    ],
)
def test_amounts_are_read_in_both_conventions(text: str, mark: str | None, minor: str | None) -> None:
    if minor is None:
        with pytest.raises(CellError, match="more decimals"):
            amount_minor(text, currency="EUR", mark=mark)
    else:
        assert amount_minor(text, currency="EUR", mark=mark) == minor


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1,234", "may mean 1234 or 1.234"),
        ("12 %", "is a share"),
        ("$12", "is in another currency|is in USD"),
        ("USD 12", "is in USD"),
        ("twelve", "is not an amount"),
        ("1,2,3", "is not an amount"),
        ("1.2.3,4", "is not an amount"),
        ("12 XYZ", "is not an amount"),
        ("9" * 70, "is not an amount|larger than"),
        (" " * 50 + "x", "is not an amount"),
    ],
)
def test_amounts_that_are_none_or_two_or_of_another_currency_are_refused(text: str, reason: str) -> None:
    with pytest.raises(CellError, match=reason):
        amount_minor(text, currency="EUR")


def test_every_row_says_which_comes_first_day_or_month() -> None:
    assert settled(["01/02/2026", "", "rubbish", "31/12/2026"]) == "dmy"
    assert settled(["01/02/2026", "12/31/2026"]) == "mdy"
    assert settled(["2026-01-02", "05/05/2026"]) is None
    assert settled(["01/02/2026"] * 6_000 + ["13/02/2026"]) == "dmy"


def test_an_ambiguous_column_of_days_is_an_error_that_asks() -> None:
    with pytest.raises(
        AmbiguousColumn, match=r"column day is ambiguous: “01/02/2026” on line 2 .* date_format “mdy”"
    ):
        settled(["01/02/2026", "11/12/2026"])
    assert settled(["01/02/2026", "11/12/2026"], date_format="dmy") == "dmy"


def test_a_column_that_contradicts_itself_is_an_error_with_both_lines() -> None:
    with pytest.raises(AmbiguousColumn, match=r"two orders: “31/12/2026” on line 2, “12/31/2026” on line 3"):
        settled(["31/12/2026", "12/31/2026"])


def test_amounts_are_asked_for_like_days() -> None:
    assert settled(["1.234", "1.234,50"], AMOUNT) == ","
    assert settled(["1.234", "0.50"], AMOUNT) == "."
    assert settled(["1234", "99"], AMOUNT) is None
    with pytest.raises(AmbiguousColumn, match="thousands or decimals"):
        settled(["1.234", "12"], AMOUNT)
    assert settled(["1.234", "12"], AMOUNT, decimal_mark=",") == ","


def test_other_columns_of_the_file_are_named_as_a_hint() -> None:
    header, columns = ["day", "closed"], [DAY, Column("closed", ColumnType.DATE)]
    binding = bind(parse_mapping({}), header=header, columns=columns, keeps_others=False)
    rows = [SourceRow(2, ["01/02/2026", "12/31/2026"])]
    with pytest.raises(AmbiguousColumn, match="other columns of the file have month first"):
        settle_formats(binding, columns=columns, rows=lambda: rows)


@pytest.mark.parametrize("text", ["yes", "TRUE", "1", "Y"])
def test_yes_in_many_words(text: str) -> None:
    assert cell_parser(Column("is", ColumnType.BOOLEAN), zone=BERLIN, date_format=None)(text) == "true"


@pytest.mark.parametrize(
    ("content", "name", "is_guess"),
    [
        (b"plain", "utf-8-sig", False),
        ("Tromsø".encode(), "utf-8-sig", False),
        (b"\xef\xbb\xbfa", "utf-8-sig", False),
        ("a,ø\n".encode("utf-16"), "utf-16", False),
        ("name,city\n".encode("utf-16-le"), "utf-16-le", True),
        ("Tromsø,München\n".encode("cp1252"), "cp1252", True),
        (b"a\x81\xe9\n", "latin-1", True),
        (b"x" * 1_048_575 + "ø".encode(), "utf-8-sig", False),
        (b"x" * 2_000_000 + "ø\n".encode("cp1252"), "cp1252", True),
    ],
)
def test_the_encoding_is_told_by_marks_and_bytes(
    tmp_path: Path, content: bytes, name: str, is_guess: bool
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    found = encoding_of(path)
    assert (found.name, found.is_guess) == (name, is_guess)


def test_broken_utf_8_is_an_error_that_names_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes("Ærø,Ølstykke\n".encode() + b"\xff\n")
    with pytest.raises(ImportFileError, match="mostly UTF-8 but broken at byte 17"), open_csv(path):
        pass


@pytest.mark.parametrize(
    ("text", "header", "row"),
    [
        ("sep=;\na;b\n1;2\n", ("a", "b"), ["1", "2"]),
        ("a, b;c\n1 2;3\n4 5;6\n", ("a, b", "c"), ["1 2", "3"]),
        ("a;b\n1,5;2\n2,5;3\n", ("a", "b"), ["1,5", "2"]),
        ("a\tb\n1,2\t3\n", ("a", "b"), ["1,2", "3"]),
        (
            'refused_line,refused_column,refused_reason,a,b\n2,a,"is, bad","\'=1",\'\'-x\n',
            ("a", "b"),
            ["=1", "'-x"],
        ),
    ],
)
def test_delimiters_and_leading_lines(
    tmp_path: Path, text: str, header: tuple[str, ...], row: list[str]
) -> None:
    path = tmp_path / "file.csv"
    path.write_text(text)
    with open_csv(path) as source:
        assert source.header == header
        assert next(source.rows).cells == row


def test_a_file_without_a_header_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("2026-01-01,12.50,ana@example.org\n2026-01-02,13.50,max@example.org\n")
    with pytest.raises(ImportFileError, match="has no header"), open_csv(path):
        pass


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("deals.csv", "deals.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\deals.csv", "deals.csv"),
        ("a\0b\nc.csv", "abc.csv"),
        ("\u202evsc.slaed", "vsc.slaed"),
        ("", "file without a name"),
        ("..", "file without a name"),
        ("<img src=x onerror=alert(1)>.csv", "<img src=x onerror=alert(1)>.csv"),
    ],
)
def test_a_file_name_is_one_visible_line_without_a_folder(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_long_file_name_keeps_its_ending() -> None:
    assert len(shown_name("x" * 5_000 + ".csv")) == 120 and shown_name("x" * 5_000 + ".csv").endswith(".csv")
