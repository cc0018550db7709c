"""The only writer of audit entries: `audit_append`, called by every service that changes who may do what."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from otc.audit.models import AuditEntry
from otc.logs.context import current_job_id, current_request_id
from otc.tenancy.context import TenantContext, current_context, use

LONGEST_SUMMARY, LONGEST_TEXT, MOST_ITEMS = 500, 2000, 200


def audit_append(
    action: str,
    *,
    subject_kind: str = "",
    subject_id: UUID | None = None,
    summary: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Record an act of the person, organization and channel in context; it commits or fails with the transaction.

    `action` is `<noun>.<past tense>`, `summary` one sentence for people, `detail` what changed, without secrets.
    A request that only reads is served from one snapshot, which can't take its place in the chain: its entry
    follows in a transaction of its own, before the answer goes out, and is dropped when the request is refused.
    What a delegate does for a manager says for whom.

    >>> audit_append("token.created", subject_kind="token", subject_id=token.id, summary="Token “Bridge” for Ana")
    """
    context = current_context()
    told = dict(detail or {})
    if context.acting_for is not None:
        told["acting_for"] = {"id": context.acting_for.manager_id, "name": context.acting_for.name}
        summary = f"{summary} (for {context.acting_for.name})"
    entry = AuditEntry(
        organization_id=context.organization_id,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        summary=_storable(summary)[:LONGEST_SUMMARY],
        detail=plain(told),
        request_id=current_request_id() or current_job_id(),
    )
    if context.is_snapshot:
        transaction.on_commit(partial(_append_afterwards, context, entry))
    else:
        entry.save(force_insert=True)


def _append_afterwards(context: TenantContext, entry: AuditEntry) -> None:
    with use(context.organization_id, person_id=context.person_id, channel=context.channel):
        entry.save(force_insert=True)


def plain(value: Any) -> Any:
    """The value in what every JSON reader writes alike: text, whole numbers, true, false, null, lists, objects.

    Anything else becomes text (a fraction has as many spellings as languages). Long texts and lists are cut.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return {_storable(str(name)): plain(inner) for name, inner in list(value.items())[:MOST_ITEMS]}
    if isinstance(value, (set, frozenset)):
        return [plain(inner) for inner in sorted(value, key=str)[:MOST_ITEMS]]
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value[:MOST_ITEMS]]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return _storable(str(value))[:LONGEST_TEXT]


def _storable(text: str) -> str:
    """PostgreSQL has no NUL and no lone surrogate; what was sent shows as it can."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()
