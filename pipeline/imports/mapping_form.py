"""The form that says what a file's columns are: what it shows, and the mapping that its answers make.

A field's answer is `from-<field>`: c3 (the file's fourth column), "=" (a fixed value), "keep" (the preset's own
way, which one column can't say), or empty.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from otc.imports.binding import Binding, bind
from otc.imports.columns import CellError, Column, ColumnType, amount_minor, cell_parser, currency_code
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
from pipeline.imports.known_names import KnownNames, is_mappable, known_among, known_names

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
FIXED, KEPT = "=", "keep"
# What to do about names that nobody knows.
FIRST = {
    "account": "bring the accounts in first",
    "owner": "bring the people in first or map them below",
}
AS_IT_IS, LEFT_EMPTY = "", "-"
MOST_VALUES = 60
EXAMPLES = 3
LONGEST = 80


@dataclass(frozen=True)
class ValueRow:
    """One value of the file and what it is to mean; `is_suggested` when nobody has said so yet."""

    place: int
    text: str
    count: int
    answer: str
    is_suggested: bool = False
    is_known: bool = True


@dataclass
class FieldRow:
    """One native column: where it comes from, what the first rows give, and what will happen."""

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

    @property
    def label(self) -> str:
        return LABELS.get(self.column.name, self.column.name.replace("_", " "))

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
    post: Mapping[str, Any], *, kind: Kind, header: tuple[str, ...], base: dict[str, Any]
) -> dict[str, Any]:
    """The mapping that the form's answers make, on top of the one that it was drawn from."""
    document = {key: value for key, value in base.items() if key not in ("columns", "ignore")}
    columns: dict[str, Any] = {}
    for column in kind.columns:
        source = _source_from(post, column, header, base.get("columns", {}).get(column.name))
        if source is not None:
            columns[column.name] = source
    document["columns"] = columns
    if kind.keeps_others:
        used = set().union(*map(source_columns, columns.values())) if columns else set()
        asked = [place for place in range(len(header)) if f"other-{place}" in post]
        kept = {place for place in asked if post.get(f"keep-{place}")}
        unasked = set(base.get("ignore", ()))
        ignored = [header[place] for place in asked if place not in kept]
        ignored += [name for name in header if name in unasked and f"other-{header.index(name)}" not in post]
        document["ignore"] = [name for name in dict.fromkeys(ignored) if name not in used]
    for key in ("encoding", "delimiter", "process"):
        if key in post:
            document[key] = str(post[key]) or None
    return {key: value for key, value in document.items() if value not in (None, [], {})}


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
    sources = _sources(kind, profile.header, document)
    rows = [_field_row(column, sources.get(column.name), profile.header) for column in kind.columns]
    form = MappingForm(
        kind, profile, document, creates_missing, rows, _others(kind, profile, document, sources)
    )
    for row in rows:
        if row.column.is_required and not row.answer:
            row.problem = "Needed: choose the column that holds it"
    if not form.missing:
        _try(form, path, organization)
    return form


def _sources(kind: Kind, header: tuple[str, ...], document: dict[str, Any]) -> dict[str, Any]:
    """What feeds each native column, also the ones that have a column of their own name."""
    native = {column.name for column in kind.columns}
    own = {name: name for name in header if name in native}
    return own | dict(document.get("columns", {}))


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
    kind: Kind, profile: FileProfile, document: dict[str, Any], sources: dict[str, Any]
) -> list[tuple[int, str, bool]]:
    """Columns that feed nothing: place, name, and whether they are kept as custom attributes."""
    if not kind.keeps_others:
        return []
    used = set().union(*map(source_columns, sources.values())) if sources else set()
    used |= set(document.get("where", ()))
    ignored = set(document.get("ignore", ()))
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
                mapping, header=source.header, columns=form.kind.columns, keeps_others=form.kind.keeps_others
            )
            rows = [row for row in islice(source.rows, SAMPLED_ROWS) if not row.fault]
    except MappingError as error:
        form.problems.append(str(error))
        return
    meant = [row for row in rows if binding.keeps is None or binding.keeps(row.cells)]
    binding = _settled(form, binding, meant)
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
    row.examples = [_read(row, text, binding, organization)[:LONGEST] for text in islice(filled, EXAMPLES)]
    if not filled:
        row.note = "always empty in the first rows" if rows else ""
    if row.column.is_required and len(filled) < len(texts):
        row.note = (
            f"empty in {len(texts) - len(filled):,} of the first {len(texts):,} rows: those are refused"
        )
    if is_mappable(row.column):
        _add_values(row, form, rows)
    elif row.column.name == "account":
        unknown = set(filled) - known_among(row.column, set(filled))
        if unknown:
            row.note = _unknown_note(row.column, form, len(unknown))


def _texts(column: Column, binding: Binding, rows: list[SourceRow]) -> Iterator[str]:
    get = binding.getters[column.name]
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


def _add_values(row: FieldRow, form: MappingForm, rows: list[SourceRow]) -> None:
    """The values that the file's own column holds, with what they mean."""
    source = form.document.get("columns", {}).get(row.column.name, {})
    if row.answer[:1] != "c":
        return
    counted = _raw_values(int(row.answer[1:]), source, form, rows)
    base = source.get("values", {}) if isinstance(source, dict) else {}
    otherwise = source.get("otherwise", "keep") if isinstance(source, dict) else "keep"
    row.more_values = len(counted) > MOST_VALUES
    counted = Counter(dict(counted.most_common(MOST_VALUES)))
    known = known_names(row.column)
    there = known_among(row.column, {base.get(text, text) for text in counted} | set(counted))
    row.options = known.options
    row.values = [
        _value_row(place, text, count, base, otherwise, known, there)
        for place, (text, count) in enumerate(counted.most_common())
    ]
    if row.unknown_count:
        row.note = _unknown_note(row.column, form, row.unknown_count)


def _raw_values(place: int, source: Any, form: MappingForm, rows: list[SourceRow]) -> Counter[str]:
    """How often each cell of the column stands in rows where it counts."""
    when = source.get("when", {}) if isinstance(source, dict) else {}
    header = form.profile.header
    conditions = [(header.index(name), set(values)) for name, values in when.items() if name in header]
    return Counter(
        text
        for row in rows
        if (text := row.cells[place].strip())
        and all(row.cells[at].strip() in values for at, values in conditions)
    )


def _value_row(
    place: int,
    text: str,
    count: int,
    base: Mapping[str, str],
    otherwise: Any,
    known: KnownNames,
    there: set[str],
) -> ValueRow:
    row = ValueRow(place, text, count, AS_IT_IS)
    if text in base:
        answer = base[text] or LEFT_EMPTY
        return replace(
            row, answer=answer, is_known=answer == LEFT_EMPTY or answer in there or answer in known.options
        )
    if otherwise != "keep" or text in there:
        return row
    suggested = known.suggestion(text)
    return replace(row, answer=suggested, is_suggested=bool(suggested), is_known=bool(suggested))


def _unknown_note(column: Column, form: MappingForm, count: int) -> str:
    is_made = form.creates_missing or column.name in form.document.get("create_missing", {})
    values = f"{count:,} {'value' if count == 1 else 'values'}"
    if is_made and column.name in form.kind.creatable:
        return f"{values} will be created"
    first = FIRST.get(column.name, "map them below")
    return f"{values} unknown: their rows are refused; {first}, or create what is missing"
