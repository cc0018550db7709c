"""How do the columns of somebody's export become native columns? A JSON document says so, this file reads it.

{"columns": {"stage": {"column": "deal_stage", "values": {"Won": ""}}, "currency": {"constant": "USD"}}}
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
Getter = Callable[[Sequence[str]], str]
Filter = Callable[[Sequence[str]], bool]


@dataclass(frozen=True)
class Binding:
    """A mapping tied to one file's header: how to get each native column's and each attribute's text from cells.

    `formats` says how days are written, and which mark stands before the decimals of amounts; `keeps` whether a row
    is meant at all, None when every row is; `columns` which of the file's each native column comes from.
    `readers` turn the text of an attribute that is a custom field into its value.
    """

    getters: Mapping[str, Getter]
    attributes: Mapping[str, Getter]
    formats: Mapping[str, str | None]
    keeps: Filter | None = None
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    readers: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)


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
    mapping = _fields_apart(mapping)
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
        used |= {name for source in sources.values() for name in source.when} | set(mapping.where)
        others = [name for name in header if name not in used | mapping.ignore and name not in attributes]
        attributes |= {name: Source(columns=(name,)) for name in others}
    places = {name: place for place, name in enumerate(header)}
    return Binding(
        getters={name: _getter(sources[name], places) for name in native if name in sources},
        attributes={name: _getter(source, places) for name, source in attributes.items()},
        formats={name: _format(native[name], source, mapping) for name, source in sources.items()},
        keeps=_filter(mapping.where, places) if mapping.where else None,
        columns={name: source.columns for name, source in sources.items()},
    )


def _format(column: Column, source: Source, mapping: ColumnMapping) -> str | None:
    """How a column's cells are written. Raises MappingError for a form of days given to an amount."""
    if column.is_amount and source.date_format not in (None, ".", ","):
        raise MappingError(
            f"columns.{column.name}.format must be a point or a comma: what stands before decimals"
        )
    return source.date_format or (mapping.decimal_mark if column.is_amount else mapping.date_format)


def _filter(conditions: Mapping[str, frozenset[str]], places: Mapping[str, int]) -> Filter:
    wanted = [(places[name], values) for name, values in conditions.items()]
    return lambda cells: all(cells[place].strip() in values for place, values in wanted)


def _fields_apart(mapping: ColumnMapping) -> ColumnMapping:
    """Custom fields, named among the columns as `field.<key>`, stand where attributes do."""
    fields = {name: source for name, source in mapping.columns.items() if name.startswith("field.")}
    columns = {name: source for name, source in mapping.columns.items() if name not in fields}
    return replace(mapping, columns=columns, attributes={**mapping.attributes, **fields})


def _check_targets(
    mapping: ColumnMapping, header: Sequence[str], native: Sequence[str], *, keeps_others: bool
) -> None:
    for key in (*mapping.columns, *mapping.create_missing):
        if key not in native:
            raise MappingError(f"“{key}” in the mapping is not a native column{_hint(key, native)}")
    if mapping.process is not None and "stage" not in native:
        raise MappingError("process: this kind has no stages")
    if mapping.attributes and not keeps_others:
        raise MappingError("attributes: this kind keeps no custom attributes")
    for part, entries in (("columns", mapping.columns), ("attributes", mapping.attributes)):
        for target, source in entries.items():
            for name in source.columns:
                _check_in_header(f"{part}.{target}", name, header)
            for name in source.when:
                _check_in_header(f"{part}.{target}.when", name, header)
    for key, names in (("ignore", mapping.ignore), ("where", mapping.where)):
        for name in names:
            _check_in_header(key, name, header)


def _check_in_header(where: str, name: str, header: Sequence[str]) -> None:
    if name not in header:
        raise MappingError(f"{where}: the file has no column “{name}”{_hint(name, header)}")


def _getter(source: Source, places: Mapping[str, int]) -> Getter:
    """A function from a row's cells to the target's text, without surrounding space, empty when there is none."""
    if source.when:
        applies, get = _filter(source.when, places), _getter(replace(source, when={}), places)
        return lambda cells: get(cells) if applies(cells) else ""
    if source.constant is not None:
        constant = source.constant.strip()
        return lambda cells: constant
    at = [places[name] for name in source.columns]
    first, separator, default = at[0], source.separator, source.default

    def single(cells: Sequence[str]) -> str:
        return cells[first].strip() or default

    def joined(cells: Sequence[str]) -> str:
        texts = (cells[place].strip() for place in at)
        replaced = (values.get(text, text) for text, values in zip(texts, source.part_values, strict=True))
        return separator.join(text for text in replaced if text) or default

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
        if otherwise in ("empty", CONSTANT):
            return source.fallback
        raise UnmappedValue(f"“{text[:60]}” is none of the mapped values: {', '.join(values)}")

    return replaced
