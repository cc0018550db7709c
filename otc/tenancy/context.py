"""Which organization is being served? One context variable in Python, mirrored as settings of the transaction.

Every tenant query reads the variable (a query without it raises), and PostgreSQL's row-level security reads the
settings. Both are set together by `use`, and by nothing else.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import connection, transaction

NOBODY = UUID(int=0)
# Under which a request keeps whether its organization ever split a deal (pipeline/parts).
SPLITS_KEY = "splits"
SETTINGS = ("organization", "person", "channel", "acting_for")


class NoOrganization(RuntimeError):
    """A tenant table was asked without an organization in context."""


@dataclass(frozen=True)
class ActingFor:
    """The manager for whom somebody stands in."""

    manager_id: UUID
    name: str


@dataclass(frozen=True)
class TenantContext:
    """`is_snapshot`: every query sees one moment, and a write could meet what it can't see. `reads_once`: what was read
    is kept; in a test's transaction also where it is no snapshot of the database's.

    `charge_of` says for whom the person stands in on deals of an owner; `acting_for` what it said last.
    """

    organization_id: UUID
    person_id: UUID | None
    channel: str
    is_snapshot: bool = False
    reads_once: bool = False
    charge_of: Callable[[UUID | None], ActingFor | None] | None = None
    acting_for: ActingFor | None = None
    read_once: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)


_context: ContextVar[TenantContext | None] = ContextVar("otc_tenant", default=None)


def context_or_none() -> TenantContext | None:
    """The context in force, for those who only tell where they are (logs)."""
    return _context.get()


def current_context() -> TenantContext:
    """The context in force; raises NoOrganization without one."""
    context = _context.get()
    if context is None:
        raise NoOrganization("no organization in context: wrap the query in otc.tenancy.context.use(...)")
    return context


def current_organization_id() -> UUID:
    return current_context().organization_id


def once_per_snapshot[Read](key: Hashable, read: Callable[[], Read]) -> Read:
    """What several reports of one page read: kept while every query sees the same moment, else read anew."""
    context = current_context()
    if not context.reads_once:
        return read()
    if key not in context.read_once:
        context.read_once[key] = read()
    kept: Read = context.read_once[key]
    return kept


def kept_for_snapshot(found: Callable[[], dict[Hashable, Any]]) -> None:
    """What `once_per_snapshot` would read by several keys, read by one query: where nothing is kept, not at all."""
    context = current_context()
    if context.reads_once:
        for key, value in found().items():
            context.read_once.setdefault(key, value)


def kept_of_snapshot(key: Hashable) -> Any:
    """What `once_per_snapshot` has kept under the key; None where it has nothing."""
    return current_context().read_once.get(key)


@contextmanager
def use(
    organization_id: UUID,
    *,
    person_id: UUID | None = None,
    channel: str = "task",
    repeatable_read: bool = False,
    charge_of: Callable[[UUID | None], ActingFor | None] | None = None,
) -> Iterator[TenantContext]:
    """Serve one organization inside a transaction; leaving restores what was before.

    `channel` is ui, api, import or task and goes into every version written. `repeatable_read` shows one moment
    to all queries; inside an outer transaction that transaction's level stays.

    >>> with use(organization.id, person_id=ana.id, channel="ui"):
    ...     Opportunity.objects.count()
    """
    before = _context.get()
    is_nested = connection.in_atomic_block
    is_snapshot = bool(before and before.is_snapshot) if is_nested else repeatable_read
    reads_once = before.reads_once if before else repeatable_read
    context = TenantContext(organization_id, person_id, channel, is_snapshot, reads_once, charge_of)
    token = _context.set(context)
    try:
        with transaction.atomic():
            _mirror(context, first=repeatable_read and not is_nested)
            yield context
            if is_nested and not connection.needs_rollback:
                _mirror(before)
    finally:
        _context.reset(token)


def act_on(owner_id: UUID | None) -> None:
    """What is written from here on is about a deal of `owner_id`: marked as done for the manager whose branch
    that is, where the person only stands in for them. Every service that changes a deal says so first.
    """
    context = current_context()
    acting_for = context.charge_of(owner_id) if context.charge_of else None
    if acting_for != context.acting_for:
        _context.set(replace(context, acting_for=acting_for))
        with connection.cursor() as cursor:
            manager_id = acting_for.manager_id if acting_for else NOBODY
            cursor.execute("SELECT set_config('otc.acting_for', %s, true)", [str(manager_id)])


def _mirror(context: TenantContext | None, *, first: bool = False) -> None:
    """Write the context into the transaction's settings; `first` also fixes its snapshot (it must come first)."""
    level = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; " if first else ""
    values = (
        [
            str(context.organization_id),
            str(context.person_id or NOBODY),
            context.channel,
            str(context.acting_for.manager_id if context.acting_for else NOBODY),
        ]
        if context
        else [str(NOBODY), str(NOBODY), "", str(NOBODY)]
    )
    chosen = ", ".join(f"set_config('otc.{name}', %s, true)" for name in SETTINGS)
    with connection.cursor() as cursor:
        cursor.execute(f"{level}SELECT {chosen}", values)


def through_doorway(
    setting: str, value: str, sql: str, parameters: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Read a few rows without an organization, through one of the doorways that the policies name.

    `setting` is user_id (a person's memberships), token (by hash), organization (the token's) or doorway (jobs).
    One statement, so that the setting ends with it.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT set_config('otc.{setting}', %s, true); {sql}", [value, *parameters])
        rows = cursor.fetchall()
        if connection.in_atomic_block:
            cursor.execute(f"SELECT set_config('otc.{setting}', %s, true)", [str(NOBODY)])
    return rows
