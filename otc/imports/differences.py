"""What would change? The records that a file's rows are about, before and after, a few of them as examples."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from otc.fields.importing import object_book
from otc.fields.queries import Book
from otc.fields.rules import stored
from otc.fields.shown import cell_of
from otc.imports.kinds import ImportJob
from otc.money.rules import decimal_text

EXAMPLES = 20
LONGEST_SHOWN = 200
# Columns that follow from others or that nobody reads.
SILENT = frozenset({"id", "organization", "name_folded", "created_at", "category_set_by_person"})


@dataclass(frozen=True)
class Difference:
    """One field of one record that the file changes; texts as a person reads them, empty for nothing."""

    line: int
    record: str
    field: str
    before: str
    after: str

    def as_row(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "record": self.record,
            "field": self.field,
            "before": self.before,
            "after": self.after,
        }


Records = dict[UUID, tuple[int, Any]]


def records_before(job: ImportJob, model: Any) -> Records:
    """The first EXAMPLES records that rows will change, by id, each with its line and as it is now."""
    rows = job.rows(
        "SELECT s.target_id, min(s.line) FROM import_stage s WHERE s.refused_reason IS NULL AND NOT s.is_unchanged "
        "AND NOT s.is_new AND s.target_id IS NOT NULL GROUP BY s.target_id ORDER BY min(s.line) LIMIT %(most)s",
        most=EXAMPLES * 5,
    )
    lines = {UUID(str(target)): line for target, line in rows}
    return {record.id: (lines[record.id], record) for record in model.objects.filter(id__in=lines)}


def differences(model: Any, before: Records, *, kind_name: str) -> list[Difference]:
    """What has changed since, at most EXAMPLES records, by line. Custom fields and attributes one by one."""
    after = {record.id: record for record in model.objects.filter(id__in=before)}
    book = object_book(kind_name)
    if hasattr(model, "attributes"):
        records = [*after.values(), *(record for _, record in before.values())]
        book = book.naming(record.attributes for record in records)
    found: list[Difference] = []
    changed_count = 0
    for record_id, (line, old) in sorted(before.items(), key=lambda entry: entry[1][0]):
        if record_id in after and changed_count < EXAMPLES:
            changes = list(_changes(line, old, after[record_id], book))
            changed_count += bool(changes)
            found += changes
    return found


def _changes(line: int, old: Any, new: Any, book: Book) -> Iterator[Difference]:
    for column in old._meta.concrete_fields:
        if column.name in SILENT or getattr(old, column.attname) == getattr(new, column.attname):
            continue
        if column.name == "attributes":
            yield from _attribute_changes(line, old, new, book)
            continue
        name = column.name.removesuffix("_minor")
        yield Difference(line, str(old)[:LONGEST_SHOWN], name, _text(old, column), _text(new, column))


def _attribute_changes(line: int, old: Any, new: Any, book: Book) -> Iterator[Difference]:
    record, known = str(old)[:LONGEST_SHOWN], {field.attribute for field in book.active}
    for field in book.active:
        before, after = (stored(field, attributes) for attributes in (old.attributes, new.attributes))
        if before != after:
            texts = [_plain(cell_of(field, value, names=book.names)) for value in (before, after)]
            yield Difference(line, record, field.label, *texts)
    for name in sorted({*old.attributes, *new.attributes} - known):
        before, after = old.attributes.get(name), new.attributes.get(name)
        if before != after:
            yield Difference(line, record, name[:LONGEST_SHOWN], _plain(before), _plain(after))


def _plain(value: Any) -> str:
    return "" if value is None else str(value)[:LONGEST_SHOWN]


def _text(record: Any, column: Any) -> str:
    value = getattr(record, column.attname)
    if value is None:
        return ""
    if column.name.endswith("_minor"):
        return decimal_text(value, currency=record.currency or "EUR")
    if column.is_relation:
        return str(getattr(record, column.name))[:LONGEST_SHOWN]
    if isinstance(value, datetime | date):
        return (
            value.isoformat(sep=" ", timespec="minutes") if isinstance(value, datetime) else value.isoformat()
        )
    return str(value)[:LONGEST_SHOWN]
