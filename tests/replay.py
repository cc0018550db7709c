"""What every test begins with is built once by the services and laid down again for the next: the same rows under
fresh ids, in one statement. Where a test commits, it is built anew.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import Model

from otc.tenancy.context import NOBODY, use

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INSERTED = re.compile(r'INSERT INTO "(\w+)"')
# Without the variant's bits.
LAST_HALF = 2**62 - 1
# The one table without an organization.
USERS = "otc_user"


class Replay[Built]:
    """A builder that runs once: `rows_of` names the model instances in what it returns, and `rebuild` makes that
    again of their twins, in the same order.
    """

    def __init__(
        self,
        build: Callable[[], Built],
        *,
        rows_of: Callable[[Built], list[Model]],
        rebuild: Callable[[Built, list[Any]], Built],
    ) -> None:
        self._build, self._rows_of, self._rebuild = build, rows_of, rebuild
        self._built: Built | None = None
        self._pieces: list[str] = []
        self._ids: list[UUID] = []

    def __call__(self) -> Built:
        """The first one given by `rows_of` is the organization."""
        if not connection.in_atomic_block:
            return self._build()
        if self._built is None:
            return self._record()
        fresh = _fresh_ids(self._ids)
        written = {str(old): str(new) for old, new in fresh.items()}
        text = "".join(written.get(piece, piece) for piece in self._pieces)
        rows = _twins(self._rows_of(self._built), fresh)
        with use(rows[0].pk), connection.cursor() as cursor:
            cursor.execute(text)
        return self._rebuild(self._built, rows)

    def _record(self) -> Built:
        tables: dict[str, None] = {}

        def note(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
            tables.update(dict.fromkeys(INSERTED.findall(sql)))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            built = self._build()
        rows = self._rows_of(built)
        with use(rows[0].pk), connection.cursor() as cursor:
            text = ";\n".join(_insert(cursor, table, rows) for table in tables)
        # Ids stand at the odd places; nobody's stays nobody's.
        self._pieces = re.split(f"({ID.pattern})", text)
        self._ids = sorted({UUID(piece) for piece in self._pieces[1::2]} - {NOBODY})
        # A test may change what it was given.
        self._built = self._rebuild(built, _twins(rows, {}))
        return built


def _insert(cursor: Any, table: str, rows: list[Model]) -> str:
    """All that stands in the table, as a statement that puts it there."""
    users = [str(row.user_id) for row in rows if getattr(row, "user_id", None)]
    where = "id::text = ANY(%s)" if table == USERS else "%s IS NOT NULL"
    cursor.execute(f'SELECT json_agg(t)::text FROM "{table}" t WHERE {where}', [users])
    return (
        f'INSERT INTO "{table}" SELECT * FROM json_populate_recordset(NULL::"{table}",'
        f" $rows${cursor.fetchone()[0]}$rows$)"
    )


def _fresh_ids(olds: Iterable[UUID]) -> dict[UUID, UUID]:
    """Another id for each, in the same order: an id's first half is its time."""
    return {old: UUID(int=old.int & ~LAST_HALF | uuid4().int & LAST_HALF) for old in olds}


def _twins(rows: list[Model], fresh: dict[UUID, UUID]) -> list[Any]:
    """Each row and what hangs on it, copied under the fresh ids."""
    twins: dict[int, Model] = {}

    def twin(row: Model) -> Model:
        if id(row) not in twins:
            twins[id(row)] = other = copy.copy(row)
            for name, value in _values(row):
                setattr(other, name, fresh.get(value, value))
            for name, related in row._state.fields_cache.items():
                other._state.fields_cache[name] = twin(related) if isinstance(related, Model) else related
        return twins[id(row)]

    return [twin(row) for row in rows]


def _values(row: Model) -> Iterator[tuple[str, Any]]:
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(value, UUID):
            yield field.attname, value
