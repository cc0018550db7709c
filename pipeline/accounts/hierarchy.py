"""Who belongs to whom: the accounts above one and below it, and the circles that nobody may close."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from otc.tenancy.context import current_organization_id

# However deep a group of companies is; a circle that SQL might have brought ends here, too.
DEEPEST = 50
MOST_BELOW = 5000

ABOVE = """
WITH RECURSIVE up(id, parent_id, name, depth) AS (
  SELECT a.id, a.parent_id, a.name, 0 FROM pipeline_account a
  WHERE a.organization_id = %(organization)s AND a.id = %(id)s
  UNION ALL
  SELECT a.id, a.parent_id, a.name, up.depth + 1 FROM up
  JOIN pipeline_account a ON a.organization_id = %(organization)s AND a.id = up.parent_id WHERE up.depth < %(deepest)s)
SELECT id, name FROM up WHERE depth > 0 ORDER BY depth DESC
"""
BELOW = """
WITH RECURSIVE down(id, parent_id, name, name_folded, depth) AS (
  SELECT a.id, a.parent_id, a.name, a.name_folded, 0 FROM pipeline_account a
  WHERE a.organization_id = %(organization)s AND a.id = %(id)s
  UNION ALL
  SELECT a.id, a.parent_id, a.name, a.name_folded, down.depth + 1 FROM down
  JOIN pipeline_account a ON a.organization_id = %(organization)s AND a.parent_id = down.id
    AND a.merged_into_id IS NULL
  WHERE down.depth < %(deepest)s)
SELECT id, parent_id, name, depth FROM down WHERE depth > 0 ORDER BY depth, name_folded, id LIMIT %(most)s
"""


@dataclass(frozen=True)
class Below:
    """An account of a group; `depth` is 1 right below the one that was asked for."""

    id: UUID
    parent_id: UUID
    name: str
    depth: int


def accounts_above(account_id: UUID) -> list[tuple[UUID, str]]:
    """Ids and names from the top of the group down to the account's parent. One query."""
    with connection.cursor() as cursor:
        cursor.execute(ABOVE, _values(account_id))
        return [(row[0], row[1]) for row in cursor.fetchall()]


def accounts_below(account_id: UUID) -> list[Below]:
    """Everything below the account, each behind its parent, as a tree is read; at most MOST_BELOW. One query."""
    with connection.cursor() as cursor:
        cursor.execute(BELOW, _values(account_id) | {"most": MOST_BELOW})
        found = [Below(*row) for row in cursor.fetchall()]
    children: dict[UUID, list[Below]] = {}
    for one in found:
        children.setdefault(one.parent_id, []).append(one)
    ordered: list[Below] = []
    waiting = list(reversed(children.get(account_id, [])))
    while waiting:
        ordered.append(waiting.pop())
        waiting += reversed(children.pop(ordered[-1].id, []))
    return ordered


def is_below(account_id: UUID, top_id: UUID) -> bool:
    """Whether one account belongs to another, through however many."""
    return any(above == top_id for above, _ in accounts_above(account_id))


def _values(account_id: UUID) -> dict[str, Any]:
    return {"organization": str(current_organization_id()), "id": str(account_id), "deepest": DEEPEST}
