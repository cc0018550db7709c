"""The audit in SQL: the chain for whoever checks it, and entries newest first for whoever reads."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from otc.audit.models import AuditCheckpoint, AuditEntry
from otc.audit.rules import GENESIS
from otc.tenancy.context import current_organization_id

CHUNK = 5000
# What an entry says, as it is hashed and exported.
FIELDS = (
    "id",
    "organization_id",
    "sequence",
    "at",
    "actor_id",
    "actor_name",
    "channel",
    "action",
    "subject_kind",
    "subject_id",
    "summary",
    "detail",
    "request_id",
    "previous_hash",
    "hash",
)
COLUMNS = ", ".join("detail::text" if name == "detail" else name for name in FIELDS)
# By number and id: without its unique key a tampered table may hold a number twice.
LINKS = f"""
SELECT {COLUMNS} FROM otc_auditentry
WHERE organization_id = %s AND (sequence, id) > (%s, %s::uuid) ORDER BY sequence, id LIMIT %s
"""
UNCHAINED = f"SELECT {COLUMNS} FROM otc_auditentry WHERE organization_id = %s AND sequence IS NULL LIMIT %s"
# One statement, hence one moment: the chain's end and the entry that stands there.
END = """
SELECT coalesce(c.sequence, 0), coalesce(c.hash, %s),
  coalesce((SELECT max(e.sequence) FROM otc_auditentry e WHERE e.organization_id = o.id), 0)
FROM (SELECT %s::uuid AS id) o LEFT JOIN otc_auditchain c ON c.organization_id = o.id
"""


@dataclass(frozen=True)
class ChainEnd:
    """Where the chain says it ends, and the largest number that an entry bears."""

    sequence: int
    hash: str
    largest: int


def spelled(row: dict[str, Any]) -> dict[str, Any]:
    """An entry in the one spelling that is hashed and exported: ids and instants as text."""
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value


def chain_end() -> ChainEnd:
    with connection.cursor() as cursor:
        cursor.execute(END, [GENESIS, str(current_organization_id())])
        return ChainEnd(*cursor.fetchone())


def links_after(sequence: int, last_id: str, *, limit: int = CHUNK) -> list[dict[str, Any]]:
    """Up to `limit` chained entries behind (sequence, id), spelled."""
    return list(_spelled_rows(LINKS, [str(current_organization_id()), sequence, last_id, limit]))


def unchained(*, limit: int) -> list[dict[str, Any]]:
    """Committed entries without a place in the chain: there is no honest way to write one."""
    return list(_spelled_rows(UNCHAINED, [str(current_organization_id()), limit]))


def _spelled_rows(sql: str, parameters: list[Any]) -> Iterator[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        for row in cursor.fetchall():
            entry = spelled(dict(zip(FIELDS, row, strict=True)))
            yield {**entry, "detail": json.loads(entry["detail"])}


def latest_checkpoint() -> AuditCheckpoint | None:
    found: AuditCheckpoint | None = AuditCheckpoint.objects.order_by("-made_at", "-id").first()
    return found


def sound_hashes() -> dict[int, str]:
    """Hashes by number of the checkpoints that the database itself keeps."""
    rows = AuditCheckpoint.objects.filter(findings=[]).values_list("sequence", "hash")
    return dict(rows)


def actions_known() -> list[str]:
    """Every action that is on record, by a loose walk over the index: one step per action, not per entry."""
    sql = """
    WITH RECURSIVE found(action) AS (
      (SELECT action FROM otc_auditentry WHERE organization_id = %(o)s ORDER BY action LIMIT 1)
      UNION ALL
      SELECT (SELECT e.action FROM otc_auditentry e WHERE e.organization_id = %(o)s AND e.action > f.action
              ORDER BY e.action LIMIT 1) FROM found f WHERE f.action IS NOT NULL)
    SELECT action FROM found WHERE action IS NOT NULL
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, {"o": str(current_organization_id())})
        return [row[0] for row in cursor.fetchall()]


def entries() -> Any:
    """Chained entries, to be filtered; those of running transactions are nobody's yet."""
    return AuditEntry.objects.filter(sequence__isnull=False)
