"""Requests that were refused: recorded after the request's own transaction was rolled back, and bounded.

The first of a minute is an entry at once. The same again within the minute is counted in one row, which becomes
one more entry when the minute is over; a person has so many different rows a minute and the rest share one. So
whoever hammers on a door fills neither log nor disk.
"""

import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.utils import timezone

from otc.audit.models import AuditRefusal
from otc.audit.services import audit_append
from otc.jobs.services import enqueue
from otc.tenancy.context import current_organization_id, through_doorway, use

_PARAMETER = re.compile(r"<[^>]*>")
log = logging.getLogger("otc.audit")
REFUSALS = frozenset({401, 403, 404, 429})
JOB = "audit_refusals"
MINUTE = timedelta(minutes=1)
MOST_PER_MINUTE = 30
THE_REST = "other requests"

COUNT_ONE = """
INSERT INTO otc_auditrefusal (organization_id, person_id, minute, what, count)
SELECT %(organization)s, %(person)s, %(minute)s,
  CASE WHEN count(*) < %(most)s OR bool_or(r.what = %(what)s) THEN %(what)s ELSE %(rest)s END, 1
FROM otc_auditrefusal r
WHERE r.organization_id = %(organization)s AND r.minute = %(minute)s AND r.person_id = %(person)s
ON CONFLICT (organization_id, minute, person_id, what) DO UPDATE SET count = otc_auditrefusal.count + 1
RETURNING what, count
"""


@dataclass(frozen=True)
class Visitor:
    """Who was refused, in which organization, through which door."""

    organization_id: UUID
    person_id: UUID
    channel: str


def refusal_append(visitor: Visitor, request: HttpRequest, *, status: int, reason: str = "") -> None:
    """Record one refused request in a transaction of its own. A fault here is logged and changes no answer."""
    route = request.resolver_match.route if request.resolver_match else "(no such page)"
    what = f"{status} {request.method} {_place(route)}"[:200]
    detail: dict[str, Any] = {"method": request.method, "route": route, "status": status}
    if request.resolver_match and (asked := request.resolver_match.kwargs):
        detail["asked"] = {name: str(value) for name, value in asked.items() if name != "slug"}
    if reason:
        detail["reason"] = reason
    try:
        with use(visitor.organization_id, person_id=visitor.person_id, channel=visitor.channel):
            _count(visitor, what=what, detail=detail, now=timezone.now())
    except DatabaseError:
        log.exception("a refused request could not be recorded: %s", what)


def _place(route: str) -> str:
    """A route as a person reads it: below the organization, an ellipsis for what names a thing."""
    return "/" + _PARAMETER.sub("…", route.removeprefix("o/<slug:slug>/"))


def _count(visitor: Visitor, *, what: str, detail: dict[str, Any], now: datetime) -> None:
    minute = now.replace(second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT_ONE,
            {
                "organization": str(visitor.organization_id),
                "person": str(visitor.person_id),
                "minute": minute,
                "what": what,
                "most": MOST_PER_MINUTE,
                "rest": THE_REST,
            },
        )
        counted_as, count = cursor.fetchone()
    if count == 1:
        is_rest = counted_as == THE_REST
        audit_append(
            "request.refused",
            subject_kind="person",
            subject_id=visitor.person_id,
            summary=f"Refused: {'many different requests' if is_rest else what}",
            detail={} if is_rest else detail,
        )
    elif count == 2:
        # A key per minute of the hour: sixty rows serve for ever.
        enqueue(JOB, key=f"{minute:%M}", due_at=minute + 2 * MINUTE)


def refusals_close(*, now: datetime) -> int:
    """Turn the counts of minutes that are over into entries and forget them. Returns how many entries."""
    # A minute's grace: a request that began within it may count there yet.
    over = AuditRefusal.objects.filter(minute__lte=now - 2 * MINUTE)
    rows = sorted(over.select_for_update(), key=lambda row: (row.minute, str(row.person_id), row.what))
    repeated = [row for row in rows if row.count > 1]
    for row in repeated:
        with use(current_organization_id(), person_id=row.person_id):
            audit_append(
                "request.refused_again",
                subject_kind="person",
                subject_id=row.person_id,
                summary=f"{row.count - 1} times more within the minute: {row.what}",
                detail={"what": row.what, "minute": row.minute, "count": row.count},
            )
    AuditRefusal.objects.filter(id__in=[row.id for row in rows]).delete()
    return len(repeated)


DEAD_TOKEN = """
SELECT organization_id, person_id, revoked_at FROM otc_apitoken WHERE token_hash = %s
"""


def holder_of_dead_token(token_hash: str) -> tuple[Visitor, str] | None:
    """Whose token this was, and why it no longer serves; None for one that never was."""
    rows = through_doorway("token", token_hash, DEAD_TOKEN, [token_hash])
    if not rows:
        return None
    organization_id, person_id, revoked_at = rows[0]
    reason = "the token was revoked" if revoked_at else "the token has expired"
    return Visitor(organization_id, person_id, "api"), reason
