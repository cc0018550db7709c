"""The staging table: rows go there by COPY as they are read, and are marked there as refused or unchanged.

It is temporary, because COPY can't write a table under row-level security; refused rows are kept in ImportRow.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from otc.fields.rules import NotAccepted
from otc.imports.binding import Binding, Getter
from otc.imports.columns import (
    STAGED_AS,
    CellError,
    Column,
    ColumnType,
    Parser,
    amount_minor,
    cell_parser,
    currency_code,
    folded,
)
from otc.imports.kinds import ImportJob, Kind
from otc.imports.mapping import UnmappedValue
from otc.imports.reader import SourceRow
from otc.tenancy.models import Organization

MAX_ATTRIBUTE_CHARACTERS = 5_000
BOOKKEEPING = ("line", "key", "fingerprint", "refused_column", "refused_reason", "cells")
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class RefusedCell(ValueError):
    """A row can't be applied because of one of its columns."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


class RowStager:
    """Turns a source row into a line of COPY for the staging table of `kind`."""

    def __init__(
        self, kind: Kind, *, binding: Binding, organization: Organization, now: datetime | None = None
    ) -> None:
        self.kind, self.currency, self.marks = kind, organization.currency, binding.formats
        zone = ZoneInfo(organization.timezone)
        self.columns: list[tuple[Column, Getter, Parser]] = [
            (column, binding.getters[column.name], _parser(column, binding, zone, now))
            for column in kind.columns
            if column.name in binding.getters
        ]
        self.attributes = list(binding.attributes.items())
        self.currency_at = next((i for i, c in enumerate(self.columns) if c[0].name == "currency"), None)
        self.names = [column.name for column, _, _ in self.columns] + [name for name, _ in self.attributes]
        self.readers = binding.readers
        # A point before decimals is what a column without separators has too: the same rows, seen before.
        formats = {name: None if form == "." else form for name, form in binding.formats.items()}
        shape = [f"{column.name}:{formats.get(column.name)}" for column, _, _ in self.columns]
        self.width = len(self.copied_columns)
        # A column that became a field since is read anew.
        of_fields = {field.attribute: formats.get(name) for name, field in binding.fields.items()}
        typed = [_typed(name, of_fields) for name, _ in self.attributes]
        self.shape = "\x1e".join([*shape, *typed]).encode()

    @property
    def copied_columns(self) -> list[str]:
        """The staging table's columns in the order of a COPY line."""
        names = list(BOOKKEEPING)
        for column, _, _ in self.columns:
            names += [column.name, f"{column.name}_folded"] if is_name(column) else [column.name]
        return [*names, "attributes"] if self.attributes else names

    def copy_line(self, row: SourceRow) -> str:
        try:
            cells = self.applicable(row)
        except RefusedCell as refusal:
            seen = json.dumps([_storable(cell) for cell in row.cells], ensure_ascii=False)
            refused = [str(row.line), None, None, refusal.column, _storable(refusal.reason), seen]
            cells = [*refused, *[None] * (self.width - len(BOOKKEEPING))]
            if self.attributes:
                cells[-1] = "{}"
        line = "\t".join([cell or "" for cell in cells])
        # Few rows hold what COPY's text form must escape, and looking once is cheaper than translating each cell.
        if "\\" in line or "\n" in line or "\r" in line or line.count("\t") != self.width - 1:
            line = "\t".join([cell.translate(ESCAPES) if cell else "" for cell in cells])
        return line + "\n"

    def applicable(self, row: SourceRow) -> list[str | None]:
        """The row's staged values. Raises RefusedCell."""
        if row.fault:
            raise RefusedCell("", row.fault)
        texts = self.texts(row.cells)
        joined = "\x1f".join(texts)
        if "\0" in joined:
            faulty = next(name for name, text in zip(self.names, texts, strict=True) if "\0" in text)
            raise RefusedCell(faulty, "holds a NUL character")
        values = self.values(texts)
        fingerprint = blake2b(self.shape + joined.encode(), digest_size=16).hexdigest()
        key = self.kind.key(values)
        staged: list[str | None] = [str(row.line), key, fingerprint, None, None, None]
        for column, _, _ in self.columns:
            value = values[column.name]
            staged.append(value)
            if is_name(column):
                staged.append(None if value is None else folded(value))
        if self.attributes:
            staged.append(self.attribute_document(texts[len(self.columns) :]))
        return staged

    def texts(self, cells: Sequence[str]) -> list[str]:
        texts = []
        for column, get, _ in self.columns:
            try:
                texts.append(get(cells))
            except UnmappedValue as error:
                raise RefusedCell(column.name, str(error)) from None
        for name, get in self.attributes:
            try:
                texts.append(get(cells))
            except UnmappedValue as error:
                raise RefusedCell(name, str(error)) from None
        return texts

    def values(self, texts: Sequence[str]) -> dict[str, str | None]:
        values: dict[str, str | None] = {}
        currency = self.currency
        # The row's currency comes first: its amounts are read in it.
        if self.currency_at is not None and texts[self.currency_at]:
            currency = _parsed("currency", currency_code, texts[self.currency_at])
        for (column, _, parse), text in zip(self.columns, texts, strict=False):
            if not text:
                if column.is_required:
                    raise RefusedCell(column.name, "is empty")
                values[column.name] = None
            elif column.type is ColumnType.AMOUNT:
                mark = self.marks.get(column.name)
                values[column.name] = _parsed(column.name, _amount_parser(currency, mark), text)
            else:
                values[column.name] = _parsed(column.name, parse, text)
        return values

    def attribute_document(self, texts: Sequence[str]) -> str:
        """The attributes as JSON; an empty one is null, so that an update takes it away."""
        document = {}
        for (name, _), text in zip(self.attributes, texts, strict=True):
            if len(text) > MAX_ATTRIBUTE_CHARACTERS:
                limit = f"at most {MAX_ATTRIBUTE_CHARACTERS:,} fit"
                raise RefusedCell(name, f"has {len(text):,} characters; {limit}")
            document[name] = self.field_value(name, text) if text and name in self.readers else text or None
        return json.dumps(document, ensure_ascii=False)

    def field_value(self, name: str, text: str) -> Any:
        """The canonical value of a custom field's cell. Raises RefusedCell."""
        try:
            return self.readers[name](text)
        except NotAccepted as problem:
            raise RefusedCell(name, problem.reason) from None


def _typed(name: str, formats: Mapping[str, str | None]) -> str:
    """An attribute and, where it is a custom field, how that is written."""
    if name not in formats:
        return name
    return f"{name}:field:{form}" if (form := formats[name]) else f"{name}:field"


def _storable(text: str) -> str:
    """PostgreSQL has no NUL characters."""
    return text.replace("\0", "\ufffd")


def is_name(column: Column) -> bool:
    return column.type is ColumnType.NAME


def _parser(column: Column, binding: Binding, zone: ZoneInfo, now: datetime | None) -> Parser:
    return cell_parser(column, zone=zone, date_format=binding.formats.get(column.name), now=now)


def _amount_parser(currency: str, mark: str | None) -> Parser:
    return lambda text: amount_minor(text, currency=currency, mark=mark)


def _parsed(column: str, parse: Parser, text: str) -> str:
    try:
        return parse(text)
    except CellError as error:
        raise RefusedCell(column, str(error)) from None


def create_stage(job: ImportJob, kind: Kind) -> None:
    """The empty staging table of a kind."""
    typed = []
    for column in kind.columns:
        typed.append(f'"{column.name}" {STAGED_AS.get(column.type, "text")}')
        if is_name(column):
            typed.append(f'"{column.name}_folded" text')
    job.sql("DROP TABLE IF EXISTS pg_temp.import_stage")
    job.sql(
        "CREATE TEMP TABLE import_stage (line bigint, key text, fingerprint text, refused_column text, "
        "refused_reason text, cells jsonb, target_id uuid, is_new boolean NOT NULL DEFAULT false, "
        "is_unchanged boolean NOT NULL DEFAULT false, attributes jsonb NOT NULL DEFAULT '{}', "
        f"{', '.join(typed)}) ON COMMIT DROP"
    )


def refuse_repeated(job: ImportJob, *, column: str) -> None:
    """Of the rows with one key the first counts."""
    job.sql(
        "UPDATE import_stage s SET refused_column = %(column)s, "
        "refused_reason = 'stands on line ' || f.line || ' already' "
        "FROM (SELECT key, min(line) AS line FROM import_stage WHERE refused_reason IS NULL "
        "GROUP BY key HAVING count(*) > 1) f "
        "WHERE s.key = f.key AND s.line > f.line AND s.refused_reason IS NULL",
        column=column,
    )


def mark_unchanged(job: ImportJob, *, kind: Kind, needs_target: bool = True) -> None:
    """Rows that were applied before exactly so, and whose target (`target_id`) is still there."""
    job.sql(
        "UPDATE import_stage s SET is_unchanged = true FROM otc_importedsource x "
        "WHERE x.organization_id = %(organization)s AND x.kind = %(kind)s AND x.external_id = s.key "
        "AND x.fingerprint = s.fingerprint AND s.refused_reason IS NULL"
        + (" AND s.target_id IS NOT NULL" if needs_target else ""),
        kind=kind.name,
    )


def remember_sources(job: ImportJob, *, kind: Kind) -> None:
    """Keep the fingerprints of what was applied. Where rows repeat their key, import_key has one for each key."""
    applied = (
        "import_key k WHERE NOT is_unchanged "
        "AND EXISTS (SELECT FROM import_stage s WHERE s.key = k.key AND s.refused_reason IS NULL)"
        if kind.key_column is None
        else "import_stage WHERE refused_reason IS NULL AND NOT is_unchanged"
    )
    job.sql(
        "INSERT INTO otc_importedsource (organization_id, kind, external_id, fingerprint) "
        f"SELECT %(organization)s::uuid, %(kind)s, key, fingerprint FROM {applied} "
        "ON CONFLICT (organization_id, kind, external_id) DO UPDATE SET fingerprint = EXCLUDED.fingerprint",
        kind=kind.name,
    )


def keep_refused(job: ImportJob) -> None:
    """Copy refused rows to ImportRow, with their cells as read or, once those were typed, their values."""
    job.sql(
        "INSERT INTO otc_importrow (organization_id, run_id, line, external_id, fingerprint, cells, "
        "refused_column, refused_reason) "
        "SELECT %(organization)s, %(run)s, line, coalesce(key, ''), coalesce(fingerprint, ''), "
        "coalesce(cells, jsonb_strip_nulls(to_jsonb(s) - %(bookkeeping)s::text[])), "
        "left(coalesce(refused_column, ''), 200), refused_reason "
        # A row that was unfolded into several is kept once.
        "FROM import_stage s WHERE refused_reason IS NOT NULL ORDER BY line "
        "ON CONFLICT (organization_id, run_id, line) DO NOTHING",
        bookkeeping=[*BOOKKEEPING, "target_id", "is_new", "is_unchanged"],
    )


def counts(job: ImportJob) -> Mapping[str, Any]:
    """Rows by what happened to them: refused, unchanged, created, updated. A row about no record makes one."""
    (row,) = job.rows(
        "SELECT count(*) FILTER (WHERE refused_reason IS NOT NULL), "
        "count(*) FILTER (WHERE refused_reason IS NULL AND is_unchanged), "
        "count(*) FILTER (WHERE refused_reason IS NULL AND NOT is_unchanged AND (is_new OR target_id IS NULL)), "
        "count(*) FILTER (WHERE refused_reason IS NULL AND NOT is_unchanged AND NOT is_new AND target_id IS NOT NULL) "
        "FROM import_stage"
    )
    return dict(zip(("refused", "unchanged", "created", "updated"), row, strict=True))
