"""How a mapping turns an export's columns into native ones, and what it says when it can't."""

from pathlib import Path
from typing import Any

import pytest

from otc.imports.binding import Binding, bind
from otc.imports.columns import Column, ColumnType
from otc.imports.mapping import MappingError, UnmappedValue, parse_mapping, read_mapping

COLUMNS = (
    Column("external_id", is_required=True),
    Column("stage", ColumnType.NAME),
    Column("amount", ColumnType.AMOUNT),
    Column("close_date", ColumnType.DATE),
    Column("closed_at", ColumnType.INSTANT),
)


def bound(document: dict[str, Any], header: list[str], *, keeps_others: bool = True) -> Binding:
    return bind(parse_mapping(document), header=header, columns=COLUMNS, keeps_others=keeps_others)


def values(binding: Binding, cells: list[str]) -> dict[str, str]:
    return {name: get(cells) for name, get in (binding.getters | binding.attributes).items()}


def test_without_a_mapping_columns_go_by_their_names() -> None:
    assert values(bound({}, ["external_id", "amount"]), ["D1", " 5 "]) == {"external_id": "D1", "amount": "5"}


def test_one_column_may_feed_several_targets() -> None:
    binding = bound({"columns": {"closed_at": "close_date"}}, ["external_id", "close_date"])
    assert values(binding, ["D1", "2026-03-31"])["closed_at"] == "2026-03-31"
    assert values(binding, ["D1", "2026-03-31"])["close_date"] == "2026-03-31"


def test_values_are_replaced_and_constants_set() -> None:
    document = {
        "columns": {
            "external_id": "Id",
            "stage": {"column": "Status", "values": {"GTXPro": "GTX Pro", "Won": None}},
            "amount": {"constant": "7"},
        }
    }
    binding = bound(document, ["Id", "Status"])
    assert values(binding, ["1", "GTXPro"]) == {"external_id": "1", "stage": "GTX Pro", "amount": "7"}
    assert values(binding, ["1", "Won"])["stage"] == ""
    assert values(binding, ["1", "Other"])["stage"] == "Other"


def test_values_that_are_not_listed_can_be_refused_or_left_empty() -> None:
    source = {"column": "Status", "values": {"A": "B"}, "otherwise": "empty"}
    header = ["external_id", "Status"]
    assert values(bound({"columns": {"stage": source}}, header), ["1", "Z"])["stage"] == ""
    strict = bound({"columns": {"stage": source | {"otherwise": "refuse"}}}, header)
    with pytest.raises(UnmappedValue, match="“Z” is none of the mapped values: A"):
        values(strict, ["1", "Z"])


def test_columns_are_joined_without_the_empty_ones() -> None:
    document = {"columns": {"stage": {"columns": ["a", "b"], "separator": " – "}}}
    binding = bound(document, ["external_id", "a", "b"])
    assert values(binding, ["1", "x", "y"])["stage"] == "x – y"
    assert values(binding, ["1", "", "y"])["stage"] == "y"


def test_other_columns_become_attributes_unless_ignored() -> None:
    binding = bound({"ignore": ["junk"]}, ["external_id", "region", "junk"])
    assert set(binding.attributes) == {"region"}
    assert not bound({}, ["external_id", "region"], keeps_others=False).attributes


def test_an_attribute_can_be_renamed() -> None:
    binding = bound({"attributes": {"Region": "rgn"}}, ["external_id", "rgn"])
    assert set(binding.attributes) == {"Region"}


def test_a_date_format_is_the_column_s_or_the_file_s() -> None:
    document = {
        "date_format": "%m/%d/%y",
        "columns": {"closed_at": {"column": "closed", "format": "%d.%m.%Y"}},
    }
    binding = bound(document, ["external_id", "close_date", "closed"])
    assert (binding.formats["close_date"], binding.formats["closed_at"]) == ("%m/%d/%y", "%d.%m.%Y")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "the mapping must be an object"),
        ({"column": {}}, "“column” is not a key of a mapping; did you mean columns"),
        ({"columns": {"stage": 5}}, "columns.stage must be a column's name or an object"),
        ({"columns": {"stage": {"colum": "a"}}}, "“columns.stage.colum” is not a key"),
        ({"columns": {"stage": {}}}, "columns.stage needs exactly one of"),
        ({"columns": {"stage": {"column": "a", "constant": "b"}}}, "columns.stage needs exactly one of"),
        (
            {"columns": {"stage": {"column": "a", "values": {"x": 1}}}},
            "columns.stage.values.x must be a text",
        ),
        ({"columns": {"stage": {"column": "a", "otherwise": "x"}}}, "columns.stage.otherwise is none of"),
        ({"columns": {"stage": {"columns": []}}}, "columns.stage.columns must be a list"),
        ({"ignore": "a"}, "ignore must be a list"),
        ({"delimiter": ";;"}, "delimiter must be one character"),
    ],
)
def test_a_mapping_of_the_wrong_shape_names_the_key(document: Any, reason: str) -> None:
    with pytest.raises(MappingError, match=reason):
        parse_mapping(document)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"columns": {"stag": "x"}}, "“stag” in the mapping is not a native column; did you mean stage"),
        ({"columns": {"stage": "Stag"}}, "columns.stage: the file has no column “Stag”; did you mean Stage"),
        ({"ignore": ["Junk"]}, "ignore: the file has no column “Junk”"),
        ({"create_missing": ["owner"]}, "“owner” in the mapping is not a native column"),
    ],
)
def test_a_mapping_that_does_not_fit_the_file_names_the_key(document: Any, reason: str) -> None:
    with pytest.raises(MappingError, match=reason):
        bound(document, ["external_id", "Stage"])


def test_a_missing_required_column_lists_what_the_file_has() -> None:
    with pytest.raises(MappingError, match=r"missing column: external_id\. The file has: Id, Stage"):
        bound({}, ["Id", "Stage"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "is not JSON: line 1"), ('{"ignore": [], "ignore": []}', "“ignore” stands twice")],
)
def test_a_broken_mapping_file_says_where(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "mapping.json"
    path.write_text(text)
    with pytest.raises(MappingError, match=reason):
        read_mapping(path)
    with pytest.raises(MappingError, match="can't be read"):
        read_mapping(tmp_path / "nowhere.json")
