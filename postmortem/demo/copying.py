"""Rows in bulk: COPY into a temporary table, then INSERT ... SELECT, because COPY can't pass row-level security."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import StringIO
from typing import Any

from django.db import connection, models

from otc.tenancy.context import current_organization_id

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def cell(value: Any) -> str:
    """One value in COPY's text format; None is null, a dict is JSON."""
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(ESCAPES)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False).translate(ESCAPES)
    return str(value)


def copy_rows(model: type[models.Model], *, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert rows of the organization in context; `columns` names a row's values. Returns their number."""
    table = model._meta.db_table
    lines = ["\t".join(map(cell, row)) for row in rows]
    if not lines:
        return 0
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'CREATE TEMP TABLE bulk_rows ON COMMIT DROP AS SELECT {names} FROM "{table}" WITH NO DATA'
        )
        cursor.copy_expert(f"COPY bulk_rows ({names}) FROM STDIN", StringIO("\n".join(lines) + "\n"))
        cursor.execute(
            f'INSERT INTO "{table}" (organization_id, {names}) SELECT %s, {names} FROM bulk_rows',
            [str(current_organization_id())],
        )
        cursor.execute("DROP TABLE bulk_rows")
    return len(lines)
