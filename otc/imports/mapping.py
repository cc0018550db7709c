"""How do the columns of somebody's export become native columns? A JSON document says so, this file reads it.

{"columns": {"stage": {"column": "deal_stage", "values": {"Won": ""}}, "currency": {"constant": "USD"}}}
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

TOP_KEYS = (
    "columns",
    "attributes",
    "ignore",
    "date_format",
    "encoding",
    "delimiter",
    "create_missing",
    "process",
    "where",
    "decimal_mark",
    "unfold",
    "about",
)
SOURCE_KEYS = (
    "column",
    "columns",
    "separator",
    "constant",
    "values",
    "otherwise",
    "format",
    "default",
    "when",
)
MAX_PROCESS_NAME = 100
OTHERWISE = ("keep", "empty", "refuse")
CONSTANT = "constant"


class MappingError(ValueError):
    """The mapping can't be used with this file and kind; the message names the key."""


class UnmappedValue(ValueError):
    """A value that `values` doesn't list, where `otherwise` is refuse."""


@dataclass(frozen=True)
class Source:
    """Where a target's values come from: one column, several joined, or a constant; then values are replaced.
    `part_values` replaces in each of several before they are joined. `when`: only in rows where these columns hold
    one of these values, else empty.
    """

    columns: tuple[str, ...] = ()
    part_values: tuple[Mapping[str, str], ...] = ()
    separator: str = " "
    constant: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = "keep"
    fallback: str = ""
    date_format: str | None = None
    default: str = ""
    when: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Unfold:
    """Many columns of one pattern (one “*”) become rows: `name` holds what stood for the star, without an ending like
    `drop`, and `value` the cell. A row without any of them is left out.
    """

    columns: str
    name: str
    value: str
    drop: str = ""


@dataclass(frozen=True)
class ColumnMapping:
    """A mapping file. `create_missing` has the columns whose unknown names are created without being asked, each
    with names in the order in which they are created. `process` is the one of the file's deals and new stages.
    Rows are left out whose columns of `where` don't hold one of its values.
    """

    columns: Mapping[str, Source] = field(default_factory=dict)
    attributes: Mapping[str, Source] = field(default_factory=dict)
    ignore: frozenset[str] = frozenset()
    date_format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    create_missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    process: str | None = None
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    decimal_mark: str | None = None
    unfold: Unfold | None = None


NO_MAPPING = ColumnMapping()


def read_mapping(path: Path) -> ColumnMapping:
    """The mapping in a JSON file. Raises MappingError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_no_key_twice)
    except OSError as error:
        raise MappingError(f"the mapping {path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MappingError(f"the mapping {path.name} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise MappingError(f"the mapping {path.name} is not JSON: line {error.lineno}: {error.msg}") from None
    return parse_mapping(document)


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise MappingError(f"“{key}” stands twice in the mapping")
        found[key] = value
    return found


def parse_mapping(document: Any) -> ColumnMapping:
    """Check a mapping's shape. Raises MappingError naming the key, as in `columns.stage.values`."""
    _want(document, dict, "the mapping", "an object")
    _known_keys(document, TOP_KEYS, "")
    return ColumnMapping(
        columns=_sources(document, "columns"),
        attributes=_sources(document, "attributes"),
        ignore=_names(document, "ignore"),
        date_format=_text(document, "date_format", ""),
        encoding=_text(document, "encoding", ""),
        delimiter=_delimiter(document),
        create_missing=_create_missing(document),
        process=_process(document),
        where=_conditions(document, "where", ""),
        decimal_mark=_decimal_mark(document),
        unfold=_unfold(document),
    )


def _conditions(document: dict[str, Any], key: str, where: str) -> dict[str, frozenset[str]]:
    """Columns of the file and the values that are meant: {"IsDeleted": ["FALSE", "0"]}."""
    place = f"{where}.{key}".lstrip(".")
    given = _want(document.get(key, {}), dict, place, "an object of columns with lists of values")
    for column, values in given.items():
        _want(values, list, f"{place}.{column}", "a list of values")
        if not all(isinstance(value, str) for value in values):
            raise MappingError(f"{place}.{column} must be a list of values")
    return {column: frozenset(values) for column, values in given.items()}


def _unfold(document: dict[str, Any]) -> Unfold | None:
    given = _want(document.get("unfold") or {}, dict, "unfold", "an object")
    if not given:
        return None
    _known_keys(given, ("columns", "name", "value", "drop"), "unfold")
    parts = {
        key: _want(given.get(key, ""), str, f"unfold.{key}", "a text") for key in ("columns", "name", "value")
    }
    if parts["columns"].count("*") != 1 or not parts["name"] or not parts["value"]:
        raise MappingError("unfold needs columns with one *, name and value")
    return Unfold(**parts, drop=_text(given, "drop", "unfold") or "")


def _decimal_mark(document: dict[str, Any]) -> str | None:
    mark = _text(document, "decimal_mark", "")
    if mark not in (None, ".", ","):
        raise MappingError("decimal_mark must be a point or a comma")
    return mark


def _sources(document: dict[str, Any], key: str) -> dict[str, Source]:
    entries = _want(document.get(key, {}), dict, key, "an object of native columns")
    return {target: _source(value, f"{key}.{target}") for target, value in entries.items()}


def _source(value: Any, where: str) -> Source:
    """One target's source; a bare text is a column's name."""
    if isinstance(value, str):
        return Source(columns=(value,))
    _want(value, dict, where, "a column's name or an object")
    _known_keys(value, SOURCE_KEYS, where)
    given = [key for key in ("column", "columns", "constant") if key in value]
    if len(given) != 1:
        raise MappingError(f"{where} needs exactly one of column, columns, constant")
    otherwise, fallback = _otherwise(value, where)
    return Source(
        columns=_source_columns(value, where),
        part_values=_part_values(value, where),
        separator=value["separator"] if _text(value, "separator", where) is not None else " ",
        constant=_text(value, "constant", where),
        values=_values(value, where),
        otherwise=otherwise,
        fallback=fallback,
        date_format=_text(value, "format", where),
        default=_text(value, "default", where) or "",
        when=_conditions(value, "when", where),
    )


def _otherwise(value: dict[str, Any], where: str) -> tuple[str, str]:
    """What becomes of a value that isn't listed, and the text it becomes where a constant is asked for."""
    given = value.get("otherwise")
    if isinstance(given, dict):
        _known_keys(given, ("constant",), f"{where}.otherwise")
        return CONSTANT, _want(given.get("constant"), str, f"{where}.otherwise.constant", "a text")
    otherwise = _text(value, "otherwise", where) or "keep"
    if otherwise not in OTHERWISE:
        raise MappingError(f"{where}.otherwise is none of {', '.join(OTHERWISE)}")
    return otherwise, ""


def _source_columns(value: dict[str, Any], where: str) -> tuple[str, ...]:
    if "column" in value:
        return (_want(value["column"], str, f"{where}.column", "a text"),)
    if "columns" not in value:
        return ()
    parts = _want(value["columns"], list, f"{where}.columns", "a list of column names")
    names: list[Any] = [part.get("column") if isinstance(part, dict) else part for part in parts]
    if not names or not all(isinstance(name, str) for name in names):
        raise MappingError(f"{where}.columns must be a list of column names")
    return tuple(names)


def _part_values(value: dict[str, Any], where: str) -> tuple[dict[str, str], ...]:
    """The replacements in each of several columns; a bare name has none."""
    found: list[dict[str, str]] = []
    for place, part in enumerate(value.get("columns", ())):
        if isinstance(part, dict):
            _known_keys(part, ("column", "values"), f"{where}.columns.{place}")
            found.append(_values(part, f"{where}.columns.{place}"))
        else:
            found.append({})
    return tuple(found)


def _values(value: dict[str, Any], where: str) -> dict[str, str]:
    pairs = _want(value.get("values", {}), dict, f"{where}.values", "an object of texts")
    for key, replacement in pairs.items():
        if replacement is not None and not isinstance(replacement, str):
            raise MappingError(f"{where}.values.{key} must be a text")
    return {key: replacement or "" for key, replacement in pairs.items()}


def _names(document: dict[str, Any], key: str) -> frozenset[str]:
    names = _want(document.get(key, []), list, key, "a list of column names")
    if not all(isinstance(name, str) for name in names):
        raise MappingError(f"{key} must be a list of column names")
    return frozenset(names)


def _create_missing(document: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """A list of columns, or an object of columns with the order of their new names."""
    given = document.get("create_missing", [])
    if not isinstance(given, dict):
        return dict.fromkeys(sorted(_names(document, "create_missing")), ())
    for column, names in given.items():
        _want(names, list, f"create_missing.{column}", "a list of names")
        if not all(isinstance(name, str) for name in names):
            raise MappingError(f"create_missing.{column} must be a list of names")
    return {column: tuple(names) for column, names in given.items()}


def _process(document: dict[str, Any]) -> str | None:
    name = _text(document, "process", "")
    if name is not None and not 0 < len(name.strip()) <= MAX_PROCESS_NAME:
        raise MappingError(f"process must have 1 to {MAX_PROCESS_NAME} characters")
    return None if name is None else name.strip()


def _delimiter(document: dict[str, Any]) -> str | None:
    delimiter = _text(document, "delimiter", "")
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise MappingError("delimiter must be one character")
    return delimiter


def _text(document: dict[str, Any], key: str, where: str) -> str | None:
    if document.get(key) is None:
        return None
    return _want(document[key], str, f"{where}.{key}".lstrip("."), "a text")


def _want(value: Any, kind: type, where: str, what: str) -> Any:
    if not isinstance(value, kind):
        raise MappingError(f"{where} must be {what}")
    return value


def _known_keys(document: dict[str, Any], known: Sequence[str], where: str) -> None:
    for key in document:
        if key not in known:
            raise MappingError(
                f"“{f'{where}.{key}'.lstrip('.')}” is not a key of a mapping{hint_for(key, known)}"
            )


def hint_for(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
