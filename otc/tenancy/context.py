"""Which organization is being served? One context variable in Python, mirrored as settings of the transaction.

Every tenant query reads the variable (a query without it raises), and PostgreSQL's row-level security reads the
settings. Both are set together by `use`, and by nothing else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

NOBODY = UUID(int=0)


class NoOrganization(RuntimeError):
    """A tenant table was asked without an organization in context."""


@dataclass(frozen=True)
class TenantContext:
    organization_id: UUID
    person_id: UUID | None
    channel: str


_context: ContextVar[TenantContext | None] = ContextVar("otc_tenant", default=None)


def current_context() -> TenantContext:
    context = _context.get()
    if context is None:
        raise NoOrganization("no organization in context: wrap the query in otc.tenancy.context.use(...)")
    return context


def current_organization_id() -> UUID:
    return current_context().organization_id


def has_organization() -> bool:
    return _context.get() is not None


def set_local(**settings: str) -> None:
    """Set `otc.<name>` for the running transaction."""
    names = [f"set_config('otc.{name}', %s, true)" for name in settings]
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(names), list(settings.values()))


@contextmanager
def use(
    organization_id: UUID,
    *,
    person_id: UUID | None = None,
    channel: str = "task",
    repeatable_read: bool = False,
) -> Iterator[TenantContext]:
    """Serve one organization inside a transaction; leaving restores what was before.

    >>> with use(organization.id, person_id=ana.id, channel="ui"):
    ...     Opportunity.objects.count()
    """
    context = TenantContext(organization_id, person_id, channel)
    before = _context.get()
    token = _context.set(context)
    try:
        with transaction.atomic():
            if repeatable_read:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            _mirror(context)
            yield context
            if before is not None:
                _mirror(before)
    finally:
        _context.reset(token)


def _mirror(context: TenantContext) -> None:
    set_local(
        organization=str(context.organization_id),
        person=str(context.person_id or NOBODY),
        channel=context.channel,
        user_id=str(NOBODY),
    )


@contextmanager
def doorway(**settings: str) -> Iterator[None]:
    """Work without an organization, through one of the named doorways (user_id, token, doorway=jobs)."""
    with transaction.atomic():
        set_local(**settings)
        yield
        set_local(**dict.fromkeys(settings, str(NOBODY)))
