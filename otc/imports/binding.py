"""Which cells of a row feed which column? A mapping tied to one file's header."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from otc.fields.rules import PREFIX
from otc.imports.columns import Column, FieldColumn
from otc.imports.mapping import CONSTANT, ColumnMapping, MappingError, Source, UnmappedValue, hint_for

Getter = Callable[[Sequence[str]], str]
Filter = Callable[[Sequence[str]], bool]


@dataclass(frozen=True)
class Binding:
    """A mapping tied to one file's header: how to get each native column's and each attribute's text from cells.

    `formats` says how days are written, and which mark stands before the decimals of amounts; `keeps` whether a row
    is meant at all, None when every row is; `columns` which of the file's each native column comes from.
    `fields` are the custom fields that the file feeds, by `field.<key>`; each stands among the attributes, and
    `readers` turn that attribute's text into the field's value.
    """

    getters: Mapping[str, Getter]
    attributes: Mapping[str, Getter]
    formats: Mapping[str, str | None]
    keeps: Filter | None = None
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fields: Mapping[str, FieldColumn] = field(default_factory=dict)
    readers: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)

    def getter(self, name: str) -> Getter | None:
        """How a native column's or a custom field's text is got; None where nothing feeds it."""
        found = self.fields.get(name)
        return self.attributes[found.attribute] if found else self.getters.get(name)


def bind(
    mapping: ColumnMapping,
    *,
    header: Sequence[str],
    columns: Sequence[Column],
    keeps_others: bool,
    fields: Sequence[FieldColumn] = (),
) -> Binding:
    """Tie a mapping to a header. A native column that isn't mapped is taken from the column of its own name, and a
    custom field from one that is called like it, unless the mapping ignores that.

    What else isn't ignored becomes an attribute where the kind keeps others. Raises MappingError for keys that name
    nothing, for required columns that are missing, and for two columns that feed one field.
    """
    native = {column.name: column for column in columns}
    _check_targets(mapping, header, list(native), fields, keeps_others=keeps_others)
    sources = {
        name: Source(columns=(name,)) for name in header if name in native and name not in mapping.ignore
    }
    sources |= {name: source for name, source in mapping.columns.items() if name in native}
    missing = [column.name for column in columns if column.is_required and column.name not in sources]
    if missing:
        raise MappingError(f"missing column: {', '.join(missing)}. The file has: {', '.join(header)}")
    fed, attributes = _attribute_sources(mapping, header, sources, fields, keeps_others=keeps_others)
    by_name = {field.name: field for field in fields}
    places = {name: place for place, name in enumerate(header)}
    attributes |= {by_name[name].attribute: source for name, source in fed.items()}
    formats = {name: _format(native[name], source, mapping) for name, source in sources.items()}
    formats |= {name: _format(by_name[name], source, mapping) for name, source in fed.items()}
    return Binding(
        getters={name: _getter(sources[name], places) for name in native if name in sources},
        attributes={name: _getter(source, places) for name, source in attributes.items()},
        formats=formats,
        keeps=_filter(mapping.where, places) if mapping.where else None,
        columns={name: source.columns for name, source in (*sources.items(), *fed.items())},
        fields={name: by_name[name] for name in fed},
    )


def field_called(name: str, fields: Iterable[FieldColumn]) -> FieldColumn | None:
    """The field that a column of this name feeds: by `field.<key>` or key before label."""
    called = [field for field in fields if field.is_called(name)]
    return min(called, key=lambda field: name not in (field.name, field.field.key), default=None)


def _attribute_sources(
    mapping: ColumnMapping,
    header: Sequence[str],
    sources: Mapping[str, Source],
    fields: Sequence[FieldColumn],
    *,
    keeps_others: bool,
) -> tuple[dict[str, Source], dict[str, Source]]:
    """What feeds custom fields, by `field.<key>`, and what feeds other attributes, by their names."""
    fed = {name: source for name, source in mapping.columns.items() if name not in sources}
    said = frozenset(fed)
    attributes: dict[str, Source] = {}
    used = {
        name
        for source in (*sources.values(), *fed.values(), *mapping.attributes.values())
        for name in (*source.columns, *source.when)
    }
    others = [name for name in header if name not in used | set(mapping.where) | mapping.ignore]
    given = [*mapping.attributes.items()]
    given += [(name, Source(columns=(name,))) for name in others if name not in mapping.attributes]
    for name, source in given:
        field = field_called(name, fields)
        if field is not None and (field.name not in said or name == field.attribute):
            if field.name in fed:
                raise MappingError(
                    f"{name}: another column feeds the field “{field.field.label}” already: ignore one"
                )
            fed[field.name] = source
        elif keeps_others:
            attributes[name] = source
    return fed, attributes


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


def _check_targets(
    mapping: ColumnMapping,
    header: Sequence[str],
    native: Sequence[str],
    fields: Sequence[FieldColumn],
    *,
    keeps_others: bool,
) -> None:
    own = [field.name for field in fields]
    for key in (*mapping.columns, *mapping.attributes):
        if key.startswith(PREFIX) and key not in own:
            known = ", ".join(own) or "none"
            raise MappingError(f"{key}: there is no such field; known are {known}")
    for key in (*mapping.columns, *mapping.create_missing):
        if key not in native and key not in own:
            raise MappingError(f"“{key}” in the mapping is not a native column{hint_for(key, native)}")
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
        raise MappingError(f"{where}: the file has no column “{name}”{hint_for(name, header)}")


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
