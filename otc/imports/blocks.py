"""Many rows at once: a block goes through column by column, which costs a fraction of row by row."""

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from io import TextIOBase
from itertools import islice
from json.encoder import encode_basestring

from django.db import DatabaseError, connection

from otc.fields.rules import NotAccepted
from otc.imports.columns import CellError, Column, ColumnType, Parser, amount_minor, folded
from otc.imports.kinds import ImportJob, Kind
from otc.imports.mapping import UnmappedValue
from otc.imports.reader import SourceRow
from otc.imports.staging import ESCAPES, MAX_ATTRIBUTE_CHARACTERS, RowStager, create_stage, is_name

BLOCK_ROWS = 5_000
LARGE_FILE_ROWS = 1_000
READ_CHARACTERS = 1 << 18
# A block that holds a row to refuse is halved; so few rows go one by one, since each tells what is wrong with it.
SINGLE_ROWS = 20
Cells = Sequence[str | None]


class Uneven(ValueError):
    """A row of the block has to be refused: which one, the rows tell one by one."""


class BlockStager:
    """Lines of COPY for many rows, the same as `RowStager` makes of each."""

    def __init__(self, stager: RowStager) -> None:
        self.stager, self.kind = stager, stager.kind
        self.names = [column.name for column, _, _ in stager.columns]
        self.labels = [f"{encode_basestring(name)}: " for name, _ in stager.attributes]

    def lines(self, rows: Sequence[SourceRow]) -> str:
        try:
            return self.even_lines(rows)
        except (Uneven, UnmappedValue, CellError):
            if len(rows) <= SINGLE_ROWS:
                return "".join(map(self.stager.copy_line, rows))
        middle = len(rows) // 2
        return self.lines(rows[:middle]) + self.lines(rows[middle:])

    def even_lines(self, rows: Sequence[SourceRow]) -> str:
        """Raises where a row is to be refused."""
        if any(row.fault for row in rows):
            raise Uneven
        cells = [row.cells for row in rows]
        getters = [get for _, get, _ in self.stager.columns] + [get for _, get in self.stager.attributes]
        texts = [list(map(get, cells)) for get in getters]
        whole = list(map("\x1f".join, zip(*texts, strict=True)))
        if any("\0" in text for text in whole):
            raise Uneven
        native = len(self.names)
        values = self.values(texts[:native])
        columns: list[Cells] = [
            [str(row.line) for row in rows],
            [
                self.kind.key(dict(zip(self.names, row, strict=True)))
                for row in zip(*values.values(), strict=True)
            ],
            [blake2b(self.stager.shape + text.encode(), digest_size=16).hexdigest() for text in whole],
            *([[""] * len(rows)] * 3),
        ]
        for column, _, _ in self.stager.columns:
            columns.append(values[column.name])
            if is_name(column):
                columns.append([None if value is None else folded(value) for value in values[column.name]])
        if self.labels:
            columns.append(self.documents(texts[native:]))
        return copied(columns)

    def values(self, texts: Sequence[list[str]]) -> dict[str, Cells]:
        """Column by column; an equal text is read once."""
        values: dict[str, Cells] = {}
        # The currency comes first: amounts are read in it.
        order = sorted(
            range(len(texts)), key=lambda at: self.stager.columns[at][0].type is not ColumnType.CURRENCY
        )
        for at in order:
            column, _, parse = self.stager.columns[at]
            if column.type is ColumnType.AMOUNT:
                values[column.name] = self.amounts(column, texts[at], values.get("currency"))
            else:
                values[column.name] = read_column(column, parse, texts[at])
        return {name: values[name] for name in self.names}

    def amounts(self, column: Column, texts: Sequence[str], currencies: Cells | None) -> Cells:
        home, mark = self.stager.currency, self.stager.marks.get(column.name)
        pairs = list(zip(texts, currencies or [None] * len(texts), strict=True))
        if column.is_required and "" in texts:
            raise Uneven
        read = {
            (text, currency): amount_minor(text, currency=currency or home, mark=mark) if text else None
            for text, currency in set(pairs)
        }
        return list(map(read.__getitem__, pairs))

    def documents(self, texts: Sequence[list[str]]) -> Cells:
        """The attributes of each row as JSON; an empty one is null, so that an update takes it away."""
        parts = []
        for (name, _), label, column in zip(self.stager.attributes, self.labels, texts, strict=True):
            if max(map(len, column)) > MAX_ATTRIBUTE_CHARACTERS:
                raise Uneven
            written = {text: label + self.attribute(name, text) for text in set(column)}
            parts.append(list(map(written.__getitem__, column)))
        return ["{" + ", ".join(row) + "}" for row in zip(*parts, strict=True)]

    def attribute(self, name: str, text: str) -> str:
        """One attribute's text as JSON; a custom field's as its value."""
        if not text:
            return "null"
        reader = self.stager.readers.get(name)
        if reader is None:
            return encode_basestring(text)
        try:
            return json.dumps(reader(text), ensure_ascii=False)
        except NotAccepted:
            raise Uneven from None


def read_column(column: Column, parse: Parser, texts: Sequence[str]) -> Cells:
    distinct = set(texts)
    if column.is_required and "" in distinct:
        raise Uneven
    read = {text: parse(text) if text else None for text in distinct}
    return list(map(read.__getitem__, texts))


def copied(columns: Sequence[Cells]) -> str:
    """Columns as lines of COPY's text form, empty for null."""
    filled = [[cell or "" for cell in column] for column in columns]
    count, width = len(filled[0]), len(filled)
    text = "\n".join(map("\t".join, zip(*filled, strict=True))) + "\n"
    # Few blocks hold what must be escaped, and looking once is cheaper than translating each cell.
    if "\\" in text or "\r" in text or text.count("\n") != count or text.count("\t") != count * (width - 1):
        escaped = [[cell.translate(ESCAPES) if cell else "" for cell in column] for column in filled]
        return "\n".join(map("\t".join, zip(*escaped, strict=True))) + "\n"
    return text


class CopyStream(TextIOBase):
    """The lines of all rows as a file that COPY reads: PostgreSQL stores a block while the next one is made."""

    def __init__(self, rows: Iterable[SourceRow], *, stager: RowStager) -> None:
        self.blocks, self.stager = blocks(rows), BlockStager(stager)
        self.text, self.at, self.read_count = "", 0, 0
        self.problem: Exception | None = None

    def read(self, size: int | None = -1) -> str:
        if self.at >= len(self.text):
            self.text, self.at = self.next_block(), 0
        start, self.at = self.at, self.at + (size or len(self.text))
        return self.text[start : self.at]

    def next_block(self) -> str:
        try:
            block = next(self.blocks, None)
        except Exception as problem:
            # psycopg2 would only tell its text.
            self.problem = problem
            raise
        if block is None:
            return ""
        self.read_count += len(block)
        return self.stager.lines(block)


def blocks(rows: Iterable[SourceRow]) -> Iterator[list[SourceRow]]:
    iterator = iter(rows)
    while block := list(islice(iterator, BLOCK_ROWS)):
        yield block


def stage_rows(job: ImportJob, rows: Iterable[SourceRow], *, kind: Kind) -> int:
    """COPY every row into a new staging table as it is read; returns how many were read."""
    create_stage(job, kind)
    stager = RowStager(kind, binding=job.binding, organization=job.organization, now=job.now)
    columns = ", ".join(f'"{name}"' for name in stager.copied_columns)
    stream = CopyStream(rows, stager=stager)
    try:
        # Django leaves what copy_expert raises as it is.
        with connection.wrap_database_errors:
            job.cursor.copy_expert(
                f"COPY import_stage ({columns}) FROM STDIN WITH (NULL '')", stream, READ_CHARACTERS
            )
    except DatabaseError:
        if stream.problem is not None:
            raise stream.problem from None
        raise
    job.sql("CREATE INDEX ON import_stage (key)")
    job.sql("ANALYZE import_stage (line, key, refused_reason, is_unchanged)")
    if stream.read_count >= LARGE_FILE_ROWS:
        # Tables filled in this transaction have no statistics yet, and a nested loop guessed from none takes
        # minutes where a hash join takes milliseconds.
        job.sql("SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '128MB'")
    return stream.read_count
