"""Rows in bulk: COPY into a temporary table, then INSERT ... SELECT, because COPY can't pass row-level security."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from io import StringIO
from typing import Any
from zlib import crc32

from django.db import connection, models

from otc.tenancy.context import current_organization_id

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
NULL = "\\N"


def cell(value: Any) -> str:
    """One value in COPY's text format; None is null, dicts and lists are JSON."""
    if value is None:
        return NULL
    if isinstance(value, str):
        return value.translate(ESCAPES)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False).translate(ESCAPES)
    return str(value)


def line(row: Sequence[Any]) -> str:
    """A row as COPY reads it, without the end of line."""
    return "\t".join(map(cell, row))


def copy_rows(model: type[models.Model], *, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert rows of the organization in context; `columns` names a row's values. Returns their number.

    A column that isn't named has the model's default.
    """
    return copy_lines(model, columns=columns, lines=[line(row) for row in rows])


def copy_lines(model: type[models.Model], *, columns: Sequence[str], lines: Sequence[str]) -> int:
    """The same for rows that `line` has written already."""
    table = model._meta.db_table
    if not lines:
        return 0
    names = ", ".join(f'"{column}"' for column in columns)
    more = defaults(model, given=columns)
    others = "".join(f', "{column}"' for column in more)
    # One for the whole transaction: each that is made anew holds locks until the end, and those run out.
    bulk = f"bulk_{table}_{crc32(names.encode()):x}"
    with connection.cursor() as cursor:
        cursor.execute(
            f'CREATE TEMP TABLE IF NOT EXISTS {bulk} ON COMMIT DROP AS SELECT {names} FROM "{table}" WITH NO DATA'
        )
        cursor.copy_expert(f"COPY {bulk} ({names}) FROM STDIN", StringIO("\n".join(lines) + "\n"))
        cursor.execute(
            f'INSERT INTO "{table}" (organization_id, {names}{others}) '
            f"SELECT %s, {names}{', %s' * len(more)} FROM {bulk}",
            [str(current_organization_id()), *more.values()],
        )
        cursor.execute(f"TRUNCATE {bulk}")
    return len(lines)


def defaults(model: type[models.Model], *, given: Sequence[str]) -> dict[str, Any]:
    """What Django would write into the columns that aren't given and that neither null nor the database fills."""
    fields = [
        field
        for field in model._meta.local_concrete_fields
        if field.column not in (*given, "organization_id") and not field.null and not field.has_db_default()
    ]
    return {str(field.column): field.get_db_prep_save(field.get_default(), connection) for field in fields}
