"""What is the target of a scope in a period?"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from forecasting.quotas.models import Quota, QuotaRamp, QuotaSeason
from forecasting.quotas.rules import Ramp, Season, ramped
from otc.calendar.rules import Period
from otc.money.queries import shown_minor
from otc.question import Question
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import EVERYONE, UNASSIGNED, Chart


def holds_at(at: datetime | None, *, known: datetime) -> Q:
    """The quotas that held at `at` as `known` knows it; without `at`: at that very instant."""
    at = at or known
    return Q(valid_from__lte=at, valid_to__gt=at, known_from__lte=known, known_to__gt=known)


def quotas_at(
    keys: Iterable[str], *, known: datetime, at: datetime | None = None, type_id: UUID | None = None
) -> dict[tuple[UUID, str], Quota]:
    """The quotas that held at `at`, by person and period: of all deals, or of a forecast type. One query."""
    found = Quota.objects.filter(holds_at(at, known=known), period__in=list(keys), type_id=type_id)
    return {(quota.person_id, quota.period): quota for quota in found}


def quota_amounts_at(
    keys: Iterable[str], *, known: datetime, at: datetime | None = None
) -> dict[str, dict[UUID, int]]:
    """The quotas of all deals that held at `at`, by period and person, before any ramp: corporate minor units. One
    query.
    """
    found: dict[str, dict[UUID, int]] = {key: {} for key in keys}
    quotas = Quota.objects.filter(holds_at(at, known=known), period__in=list(found), type_id=None)
    for key, person_id, amount_minor in quotas.values_list("period", "person_id", "amount_minor"):
        found[key][person_id] = amount_minor
    return found


def ramps_at(known: datetime) -> dict[UUID, Ramp]:
    """Who ramps up and how, as it was said last at `known`. One query."""
    rows = (
        QuotaRamp.objects.filter(said_at__lte=known).order_by("person_id", "-said_at").distinct("person_id")
    )
    return {row.person_id: Ramp(row.starts_on, tuple(row.shares)) for row in rows if row.shares}


def season_at(known: datetime) -> Season | None:
    """How a year was spread as it was said last at `known`; None where nothing was. One query."""
    row = QuotaSeason.objects.filter(said_at__lte=known).order_by("-said_at").first()
    return Season(row.kind, tuple(row.weights)) if row and row.weights else None


OF_PERIOD = """
SELECT q.person_id, q.amount_minor, ramp.starts_on, nullif(ramp.shares, '[]')::text
FROM forecasting_quota q LEFT JOIN LATERAL (
  SELECT r.starts_on, r.shares FROM forecasting_quotaramp r
  WHERE r.organization_id = q.organization_id AND r.person_id = q.person_id AND r.said_at <= %(known)s
  ORDER BY r.said_at DESC LIMIT 1) AS ramp ON true
WHERE q.organization_id = %(organization)s AND q.period = %(period)s
  AND q.type_id IS NOT DISTINCT FROM %(type)s::uuid AND q.valid_from <= %(at)s AND q.valid_to > %(at)s
  AND q.known_from <= %(known)s AND q.known_to > %(known)s
"""


def quotas_of(
    period: Period,
    *,
    own: str,
    currency: str,
    known: datetime,
    at: datetime | None = None,
    type_id: UUID | None = None,
) -> dict[UUID, int]:
    """Quota per person in minor units of `currency`, as it was at `at` (default: at `known`); who has none is
    left out. `own` is the organization's. Of a new rep on a ramp it is what the ramp leaves. One query.

    A quota has no close date: in another currency it counts at the rate of its period's last day.
    """
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "period": period.key,
        "known": known,
        "at": at or known,
        "type": str(type_id) if type_id else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(OF_PERIOD, parameters)
        rows = cursor.fetchall()
    quotas = {
        person_id: ramped(
            amount_minor,
            first=period.first,
            end=period.end,
            ramp=Ramp(starts_on, tuple(json.loads(shares))) if shares else None,
        )
        for person_id, amount_minor, starts_on, shares in rows
    }
    return shown_minor(quotas, own=own, currency=currency, day=period.last, known=known)


def quota_minor(question: Question, quotas: Mapping[UUID, int] | None = None) -> int | None:
    """The scope's target: the person's own quota, else the sum of the reports'; None where nobody has one."""
    known = quotas
    if known is None:
        known = quotas_of(
            question.period,
            own=question.organization.currency,
            currency=question.currency,
            known=question.known,
            at=question.as_of,
        )
    if question.scope == UNASSIGNED:
        return None
    if question.scope != EVERYONE:
        return branch_quota(UUID(question.scope), chart=question.chart, quotas=known)
    seen = question.visible.owners.person_ids
    roots = [
        person
        for person, manager in question.chart.manager_of.items()
        if (seen is None and manager is None) or (seen is not None and person in seen and manager not in seen)
    ]
    found = [branch_quota(root, chart=question.chart, quotas=known) for root in roots]
    given = [amount for amount in found if amount is not None]
    return sum(given) if given else None


def branch_quota(person_id: UUID, *, chart: Chart, quotas: Mapping[UUID, int]) -> int | None:
    """A person's quota, or where there is none the sum over the reports, all the way down."""
    found: list[int] = []
    waiting = [person_id]
    while waiting:
        person = waiting.pop()
        if person in quotas:
            found.append(quotas[person])
        else:
            waiting += chart.reports.get(person, ())
    return sum(found) if found else None
