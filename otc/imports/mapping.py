"""How do the columns of somebody's export become native columns? A JSON document says so, this file reads it.

{"columns": {"stage": {"column": "deal_stage", "values": {"Won": ""}}, "currency": {"constant": "USD"}}}
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from otc.imports.columns import Column

TOP_KEYS = (
    "columns",
    "attributes",
    "ignore",
    "date_format",
    "encoding",
    "delimiter",
    "create_missing",
    "about",
)
SOURCE_KEYS = ("column", "columns", "separator", "constant", "values", "otherwise", "format", "default")
OTHERWISE = ("keep", "empty", "refuse")


class MappingError(ValueError):
    """The mapping can't be used with this file and kind; the message names the key."""


class UnmappedValue(ValueError):
    """A value that `values` doesn't list, where `otherwise` is refuse."""


@dataclass(frozen=True)
class Source:
    """Where a target's values come from: one column, several joined, or a constant; then values are replaced."""

    columns: tuple[str, ...] = ()
    separator: str = " "
    constant: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = "keep"
    date_format: str | None = None
    default: str = ""


@dataclass(frozen=True)
class ColumnMapping:
    """A mapping file. `create_missing` lists columns whose unknown names are created without being asked."""

    columns: Mapping[str, Source] = field(default_factory=dict)
    attributes: Mapping[str, Source] = field(default_factory=dict)
    ignore: frozenset[str] = frozenset()
    date_format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    create_missing: frozenset[str] = frozenset()


NO_MAPPING = ColumnMapping()
Getter = Callable[[Sequence[str]], str]


@dataclass(frozen=True)
class Binding:
    """A mapping tied to one file's header: how to get each native column's and each attribute's text from cells."""

    getters: Mapping[str, Getter]
    attributes: Mapping[str, Getter]
    formats: Mapping[str, str | None]


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
        create_missing=_names(document, "create_missing"),
    )


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
    otherwise = _text(value, "otherwise", where) or "keep"
    if otherwise not in OTHERWISE:
        raise MappingError(f"{where}.otherwise is none of {', '.join(OTHERWISE)}")
    return Source(
        columns=_source_columns(value, where),
        separator=value["separator"] if _text(value, "separator", where) is not None else " ",
        constant=_text(value, "constant", where),
        values=_values(value, where),
        otherwise=otherwise,
        date_format=_text(value, "format", where),
        default=_text(value, "default", where) or "",
    )


def _source_columns(value: dict[str, Any], where: str) -> tuple[str, ...]:
    if "column" in value:
        return (_want(value["column"], str, f"{where}.column", "a text"),)
    if "columns" not in value:
        return ()
    names = _want(value["columns"], list, f"{where}.columns", "a list of column names")
    if not names or not all(isinstance(name, str) for name in names):
        raise MappingError(f"{where}.columns must be a list of column names")
    return tuple(names)


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
                f"“{f'{where}.{key}'.lstrip('.')}” is not a key of a mapping{_hint(key, known)}"
            )


def _hint(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def bind(
    mapping: ColumnMapping, *, header: Sequence[str], columns: Sequence[Column], keeps_others: bool
) -> Binding:
    """Tie a mapping to a header. A native column that isn't mapped is taken from the column of its own name.

    What neither feeds a native column nor is ignored becomes an attribute where the kind keeps others. Raises
    MappingError for keys that name nothing and for required columns that are missing.
    """
    native = {column.name: column for column in columns}
    _check_targets(mapping, header, list(native), keeps_others=keeps_others)
    sources = {name: Source(columns=(name,)) for name in header if name in native}
    sources |= mapping.columns
    missing = [column.name for column in columns if column.is_required and column.name not in sources]
    if missing:
        raise MappingError(f"missing column: {', '.join(missing)}. The file has: {', '.join(header)}")
    attributes = dict(mapping.attributes)
    if keeps_others:
        used = {name for source in (*sources.values(), *attributes.values()) for name in source.columns}
        others = [name for name in header if name not in used | mapping.ignore and name not in attributes]
        attributes |= {name: Source(columns=(name,)) for name in others}
    places = {name: place for place, name in enumerate(header)}
    return Binding(
        getters={name: _getter(sources[name], places) for name in native if name in sources},
        attributes={name: _getter(source, places) for name, source in attributes.items()},
        formats={name: source.date_format or mapping.date_format for name, source in sources.items()},
    )


def _check_targets(
    mapping: ColumnMapping, header: Sequence[str], native: Sequence[str], *, keeps_others: bool
) -> None:
    for key in (*mapping.columns, *mapping.create_missing):
        if key not in native:
            raise MappingError(f"“{key}” in the mapping is not a native column{_hint(key, native)}")
    if mapping.attributes and not keeps_others:
        raise MappingError("attributes: this kind keeps no custom attributes")
    for part, entries in (("columns", mapping.columns), ("attributes", mapping.attributes)):
        for target, source in entries.items():
            for name in source.columns:
                if name not in header:
                    raise MappingError(
                        f"{part}.{target}: the file has no column “{name}”{_hint(name, header)}"
                    )
    for name in mapping.ignore:
        if name not in header:
            raise MappingError(f"ignore: the file has no column “{name}”{_hint(name, header)}")


def _getter(source: Source, places: Mapping[str, int]) -> Getter:
    """A function from a row's cells to the target's text, without surrounding space, empty when there is none."""
    if source.constant is not None:
        constant = source.constant.strip()
        return lambda cells: constant
    at = [places[name] for name in source.columns]
    first, separator, default = at[0], source.separator, source.default

    def single(cells: Sequence[str]) -> str:
        return cells[first].strip() or default

    def joined(cells: Sequence[str]) -> str:
        return separator.join(text for place in at if (text := cells[place].strip())) or default

    plain = single if len(at) == 1 else joined
    return _replaced(plain, source) if source.values or source.otherwise != "keep" else plain


def _replaced(plain: Getter, source: Source) -> Getter:
    values, otherwise = source.values, source.otherwise

    def replaced(cells: Sequence[str]) -> str:
        text = plain(cells)
        if text in values:
            return values[text]
        if otherwise == "keep" or not text:
            return text
        if otherwise == "empty":
            return ""
        raise UnmappedValue(f"“{text[:60]}” is none of the mapped values: {', '.join(values)}")

    return replaced
