"""The form that says what a file's columns are: what it shows, and the mapping that its answers make.

A field's answer is `from-<field>`: c3 (the file's fourth column), "=" (a fixed value), "named" (a deal is known by
what feeds its account and name), "keep" (the preset's own way, which one column can't say), or empty.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from otc.fields.importing import field_columns, with_readers
from otc.imports.binding import Binding, bind, field_called
from otc.imports.columns import (
    CellError,
    Column,
    ColumnType,
    FieldColumn,
    amount_minor,
    cell_parser,
    currency_code,
)
from otc.imports.dates import ORDER_WORDS
from otc.imports.formats import AmbiguousColumn, settle_formats
from otc.imports.kinds import Kind
from otc.imports.mapping import MappingError, UnmappedValue, parse_mapping
from otc.imports.numbers import MARK_WORDS
from otc.imports.presets import source_columns
from otc.imports.profile import SAMPLED_ROWS, FileProfile
from otc.imports.reader import SourceRow, open_csv
from otc.imports.unfold import unfolded
from otc.money.rules import decimal_text
from otc.tenancy.models import Organization
from pipeline.imports.deal_names import id_from_names, is_id_from_names
from pipeline.imports.field_cells import field_examples, field_note
from pipeline.imports.known_names import is_mappable, known_among
from pipeline.imports.value_rows import AS_IT_IS, LEFT_EMPTY, MOST_VALUES, ValueRow, value_rows

LABELS = {
    "external_id": "id over there",
    "activity_id": "id of the activity",
    "at": "when",
    "kind": "type",
    "category": "forecast category",
    "next_step_on": "next step due",
    "is_top": "reports to nobody",
    "since": "reports there since",
}
# What becomes of a column that nothing feeds.
UNFED = {"currency": "the organization’s", "owner": "unassigned where new"}
FIXED, KEPT, NAMED = "=", "keep", "named"
# What to do about names that nobody knows.
FIRST = {
    "account": "bring the accounts in first",
    "owner": "bring the people in first or map them below",
}
EXAMPLES = 3
LONGEST = 80


@dataclass
class FieldRow:
    """One native column or custom field: where it comes from, what the first rows give, and what will happen."""

    column: Column
    answer: str = ""
    fixed: str = ""
    kept_label: str = ""
    form: str = ""
    is_asked: bool = False
    examples: list[str] = field(default_factory=list)
    note: str = ""
    problem: str = ""
    values: list[ValueRow] = field(default_factory=list)
    options: tuple[str, ...] = ()
    more_values: bool = False
    has_name: bool = False

    @property
    def label(self) -> str:
        if isinstance(self.column, FieldColumn):
            return self.column.field.label
        return LABELS.get(self.column.name, self.column.name.replace("_", " "))

    @property
    def hint(self) -> str:
        if isinstance(self.column, FieldColumn):
            return f"field · {self.column.field.kind}"
        return "needed" if self.column.is_required else ""

    @property
    def forms(self) -> list[tuple[str, str]]:
        """How its days or amounts may be written; asked only where the rows don't tell."""
        if not (self.form or self.is_asked):
            return []
        if self.column.is_temporal:
            return [("", "as the rows tell"), *ORDER_WORDS.items()]
        return [("", "as the rows tell"), *MARK_WORDS.items()] if self.column.is_amount else []

    @property
    def is_refusing(self) -> bool:
        return "refused" in self.note

    @property
    def unknown_word(self) -> str:
        """What becomes of a value that nobody knows, left as it is."""
        return "refused" if isinstance(self.column, FieldColumn) else "new"

    @property
    def may_be_named(self) -> bool:
        """Whether it can do without a column of its own: a deal's account and name tell it from others."""
        return self.column.name == "external_id" and self.has_name

    @property
    def unfed_word(self) -> str:
        return UNFED.get(self.column.name, "stays empty where new")

    @property
    def unknown_count(self) -> int:
        return sum(1 for value in self.values if not value.is_known)


@dataclass
class MappingForm:
    """The whole form. `problems` concern the file or the mapping as a whole."""

    kind: Kind
    profile: FileProfile
    document: dict[str, Any]
    creates_missing: bool
    fields: list[FieldRow]
    others: list[tuple[int, str, bool]]
    problems: list[str] = field(default_factory=list)

    @property
    def is_ready(self) -> bool:
        return not self.problems and not any(row.problem for row in self.fields)

    @property
    def missing(self) -> list[str]:
        """Required fields that nothing feeds, in words."""
        return [row.label for row in self.fields if row.column.is_required and not row.answer]


def document_from(
    post: Mapping[str, Any],
    *,
    kind: Kind,
    fields: Sequence[FieldColumn],
    header: tuple[str, ...],
    base: dict[str, Any],
) -> dict[str, Any]:
    """The mapping that the form's answers make, on top of the one that it was drawn from."""
    document = {key: value for key, value in base.items() if key not in ("columns", "ignore")}
    columns: dict[str, Any] = {}
    unfed: set[str] = set()
    for column in (*kind.columns, *fields):
        source = _source_from(post, column, header, base.get("columns", {}).get(column.name))
        if source is not None:
            columns[column.name] = source
        elif f"from-{column.name}" in post:
            # Nothing is to feed it, not even the column that is called like it.
            unfed |= {name for name in header if _is_called(column, name)}
    if post.get("from-external_id") == NAMED and (named := id_from_names(columns)):
        columns["external_id"] = named
    document["columns"] = columns
    used = set().union(*map(source_columns, columns.values())) if columns else set()
    asked = [place for place in range(len(header)) if f"other-{place}" in post]
    ignored = [header[place] for place in asked if not post.get(f"keep-{place}")]
    before = set(base.get("ignore", ()))
    ignored += [name for name in header if name in before and f"other-{header.index(name)}" not in post]
    ignored += [name for name in header if name in unfed]
    document["ignore"] = [name for name in dict.fromkeys(ignored) if name not in used]
    for key in ("encoding", "delimiter", "process"):
        if key in post:
            document[key] = str(post[key]) or None
    return {key: value for key, value in document.items() if value not in (None, [], {})}


def _is_called(column: Column, name: str) -> bool:
    return column.is_called(name) if isinstance(column, FieldColumn) else column.name == name


def _source_from(post: Mapping[str, Any], column: Column, header: tuple[str, ...], base: Any) -> Any:
    answer = str(post.get(f"from-{column.name}", ""))
    form = str(post.get(f"form-{column.name}", ""))
    source: dict[str, Any]
    if answer == FIXED:
        fixed = str(post.get(f"fixed-{column.name}", "")).strip()
        return {"constant": fixed} if fixed else None
    if answer == KEPT and base is not None:
        source = dict(base)
    elif answer[:1] == "c" and answer[1:].isdecimal() and int(answer[1:]) < len(header):
        name = header[int(answer[1:])]
        is_same = isinstance(base, dict) and base.get("column") == name
        source = dict(base) if is_same else {"column": name}
    else:
        return None
    source.pop("format", None)
    if form:
        source["format"] = form
    if values := _values_from(post, column, source.get("values", {})):
        source["values"] = values
    else:
        source.pop("values", None)
    return source["column"] if set(source) == {"column"} else source


def _values_from(post: Mapping[str, Any], column: Column, base: Mapping[str, str]) -> dict[str, str]:
    values = dict(base)
    for place in range(MOST_VALUES):
        text, answer = post.get(f"value-{column.name}-{place}"), post.get(f"means-{column.name}-{place}")
        if text is None or answer is None:
            continue
        if answer == AS_IT_IS:
            values.pop(text, None)
        else:
            values[text] = "" if answer == LEFT_EMPTY else answer
    return values


def mapping_form(
    *,
    kind: Kind,
    profile: FileProfile,
    path: Path,
    document: dict[str, Any],
    creates_missing: bool,
    organization: Organization,
) -> MappingForm:
    """The form for a file and a mapping, with everything checked that the first rows can tell."""
    columns = (*kind.columns, *field_columns(kind.name))
    sources = _sources(columns, profile.header, document)
    rows = [_field_row(column, sources.get(column.name), profile.header) for column in columns]
    for row in rows:
        row.has_name = id_from_names(sources) is not None and kind.key_column == "external_id"
        if row.column.name == "external_id" and is_id_from_names(sources):
            row.answer = NAMED
    form = MappingForm(
        kind, profile, document, creates_missing, rows, _others(kind, profile, document, columns, sources)
    )
    for row in rows:
        if row.column.is_required and not row.answer:
            row.problem = "Needed: choose the column that holds it"
    if not form.missing:
        _try(form, path, organization)
    return form


def _sources(columns: Sequence[Column], header: tuple[str, ...], document: dict[str, Any]) -> dict[str, Any]:
    """What feeds each native column and custom field, also those that a column of the file is called like."""
    ignored = set(document.get("ignore", ()))
    native = {column.name for column in columns if not isinstance(column, FieldColumn)}
    given = {name: name for name in header if name in native and name not in ignored}
    given |= dict(document.get("columns", {}))
    used = set().union(*map(source_columns, given.values())) if given else set()
    fields = [column for column in columns if isinstance(column, FieldColumn)]
    for name in header:
        found = field_called(name, fields)
        if found is not None and found.name not in given and name not in used | ignored:
            given[found.name] = name
    return given


def _field_row(column: Column, source: Any, header: tuple[str, ...]) -> FieldRow:
    row = FieldRow(column)
    if isinstance(source, str):
        source = {"column": source}
    if source is None:
        return row
    row.form = source.get("format", "")
    if "constant" in source:
        row.answer, row.fixed = FIXED, source["constant"]
    elif "column" in source and source["column"] in header:
        row.answer = f"c{header.index(source['column'])}"
    else:
        names = [part["column"] if isinstance(part, dict) else part for part in source.get("columns", [])]
        row.answer, row.kept_label = KEPT, " + ".join(names) or str(source.get("column", ""))
    return row


def _others(
    kind: Kind,
    profile: FileProfile,
    document: dict[str, Any],
    columns: Sequence[Column],
    sources: dict[str, Any],
) -> list[tuple[int, str, bool]]:
    """Columns that feed nothing: place, name, and whether they are kept as custom attributes."""
    if not kind.keeps_others:
        return []
    used = set().union(*map(source_columns, sources.values())) if sources else set()
    used |= set(document.get("where", ()))
    ignored = set(document.get("ignore", ()))
    unfed = [column for column in columns if column.name not in sources]
    # What an unfed field is called like would feed it.
    used |= {name for name in ignored if any(_is_called(column, name) for column in unfed)}
    return [
        (place, name, name not in ignored) for place, name in enumerate(profile.header) if name not in used
    ]


def _try(form: MappingForm, path: Path, organization: Organization) -> None:
    """Bind the mapping, settle the formats, and read the first rows; what is wrong is said where it is."""
    try:
        mapping = parse_mapping(form.document)
        options = {"encoding": mapping.encoding, "delimiter": mapping.delimiter, "name": "the file"}
        with open_csv(path, **options) as opened:
            source = unfolded(opened, mapping.unfold) if mapping.unfold else opened
            binding = bind(
                mapping,
                header=source.header,
                columns=form.kind.columns,
                keeps_others=form.kind.keeps_others,
                fields=[row.column for row in form.fields if isinstance(row.column, FieldColumn)],
            )
            rows = [row for row in islice(source.rows, SAMPLED_ROWS) if not row.fault]
    except MappingError as error:
        form.problems.append(str(error))
        return
    meant = [row for row in rows if binding.keeps is None or binding.keeps(row.cells)]
    binding = with_readers(_settled(form, binding, meant), zone=ZoneInfo(organization.timezone))
    for row in form.fields:
        if row.answer:
            _look(row, binding, meant, form, organization)


def _settled(form: MappingForm, binding: Binding, rows: list[SourceRow]) -> Binding:
    """Formats column by column, so that each ambiguous one is asked for."""
    for row in form.fields:
        if row.answer:
            try:
                binding = settle_formats(binding, columns=[row.column], rows=lambda: rows)
            except AmbiguousColumn as error:
                row.is_asked = True
                row.problem = f"{str(error)[:1].upper()}{str(error)[1:]}"
    return binding


def _look(
    row: FieldRow, binding: Binding, rows: list[SourceRow], form: MappingForm, organization: Organization
) -> None:
    texts = list(_texts(row.column, binding, rows))
    filled = [text for text in texts if text]
    if isinstance(row.column, FieldColumn):
        row.examples = field_examples(row.column, filled, binding, count=EXAMPLES)
        row.note = field_note(row.column, texts, binding)
    else:
        row.examples = [_read(row, text, binding, organization) for text in islice(filled, EXAMPLES)]
    row.examples = [text[:LONGEST] for text in row.examples]
    if not filled:
        row.note = "always empty in the first rows" if rows else ""
    if row.column.is_required and len(filled) < len(texts):
        row.note = (
            f"empty in {len(texts) - len(filled):,} of the first {len(texts):,} rows: those are refused"
        )
    if is_mappable(row.column):
        _add_values(row, binding, form, rows)
    elif row.column.name == "account":
        unknown = set(filled) - known_among(row.column, set(filled), binding)
        if unknown:
            row.note = _unknown_note(row.column, form, len(unknown))


def _add_values(row: FieldRow, binding: Binding, form: MappingForm, rows: list[SourceRow]) -> None:
    """The values that the file's own column holds, with what they mean."""
    if row.answer[:1] != "c":
        return
    source = form.document.get("columns", {}).get(row.column.name, {})
    place = int(row.answer[1:])
    found = value_rows(
        row.column, source, place=place, header=form.profile.header, rows=rows, binding=binding
    )
    row.values, row.options, row.more_values = found.rows, found.options, found.has_more
    if row.unknown_count:
        row.note = _unknown_note(row.column, form, row.unknown_count)


def _unknown_note(column: Column, form: MappingForm, count: int) -> str:
    is_made = form.creates_missing or column.name in form.document.get("create_missing", {})
    values = f"{count:,} {'value' if count == 1 else 'values'}"
    if is_made and column.name in form.kind.creatable:
        return f"{values} will be created"
    if isinstance(column, FieldColumn):
        return f"{values} unknown: their rows are refused; map them below"
    first = FIRST.get(column.name, "map them below")
    return f"{values} unknown: their rows are refused; {first}, or create what is missing"


def _texts(column: Column, binding: Binding, rows: list[SourceRow]) -> Iterator[str]:
    get = binding.getter(column.name)
    if get is None:
        return
    for row in rows:
        try:
            yield get(row.cells)
        except UnmappedValue:
            yield ""


def _read(row: FieldRow, text: str, binding: Binding, organization: Organization) -> str:
    """What a cell becomes, or why it can't."""
    column, form = row.column, binding.formats.get(row.column.name)
    try:
        if column.is_amount:
            currency = organization.currency
            return decimal_text(
                int(amount_minor(text, currency=_sign_of(text, currency), mark=form)), currency=currency
            )
        value = cell_parser(column, zone=ZoneInfo(organization.timezone), date_format=form)(text)
        is_instant = column.type is ColumnType.INSTANT
        return datetime.fromisoformat(value).strftime("%Y-%m-%d %H:%M %Z") if is_instant else value
    except CellError as error:
        return f"✗ {error}"


def _sign_of(text: str, currency: str) -> str:
    """The currency that a cell names by its code; the row's own column isn't known here."""
    for word in (text[:3], text[-3:]):
        try:
            return currency_code(word)
        except CellError:
            continue
    return currency
