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
from otc.calendar.rules import Kind, Period, parts_of
from otc.money.queries import shown_minor
from otc.question import Question
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import EVERYONE, UNASSIGNED, Chart


class PeriodQuotas(dict[UUID, int]):
    """What people are asked for in a period. Where nobody is asked for the period itself, `parts` are the quotas of its
    quarters, else of its months: a year asks for what its quarters do.
    """

    parts: tuple[Mapping[UUID, int], ...] = ()


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
SELECT q.period, q.person_id, q.amount_minor, ramp.starts_on, nullif(ramp.shares, '[]')::text
FROM forecasting_quota q LEFT JOIN (
  SELECT DISTINCT ON (r.person_id) r.person_id, r.starts_on, r.shares FROM forecasting_quotaramp r
  WHERE r.organization_id = %(organization)s AND r.said_at <= %(known)s
  ORDER BY r.person_id, r.said_at DESC) AS ramp ON ramp.person_id = q.person_id
WHERE q.organization_id = %(organization)s AND q.period = ANY(%(periods)s)
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
) -> PeriodQuotas:
    """Quota per person in minor units of `currency`, as it was at `at` (default: at `known`); who has none is
    left out. `own` is the organization's. Of a new rep on a ramp it is what the ramp leaves. One query.

    A quota has no close date: in another currency it counts at the rate of its own period's last day.
    """
    asked: dict[str, Any] = {"own": own, "currency": currency, "known": known, "at": at, "type_id": type_id}
    return quotas_by_period([period], **asked)[period.key]


def quotas_by_period(
    periods: Iterable[Period],
    *,
    own: str,
    currency: str,
    known: datetime,
    at: datetime | None = None,
    type_id: UUID | None = None,
) -> dict[str, PeriodQuotas]:
    """The same of several periods by key. One query."""
    wanted = list(periods)
    every = {
        part.key: part
        for period in wanted
        for part in (period, *parts_of(period, kind=Kind.QUARTER), *parts_of(period, kind=Kind.MONTH))
    }
    given = _given(every, known=known, at=at or known, type_id=type_id)

    def shown(asked: Iterable[Period]) -> list[Mapping[UUID, int]]:
        return [
            shown_minor(given[one.key], own=own, currency=currency, day=one.last, known=known)
            for one in asked
            if one.key in given
        ]

    found = {}
    for period in wanted:
        quotas = PeriodQuotas(*shown([period]))
        if period.key not in given:
            parts = (shown(parts_of(period, kind=kind)) for kind in (Kind.QUARTER, Kind.MONTH))
            quotas.parts = tuple(next(filter(None, parts), ()))
        found[period.key] = quotas
    return found


def _given(
    periods: Mapping[str, Period], *, known: datetime, at: datetime, type_id: UUID | None
) -> dict[str, dict[UUID, int]]:
    """What is asked for by period and person, in the organization's currency, less what ramps leave out. One query."""
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "periods": list(periods),
        "known": known,
        "at": at,
        "type": str(type_id) if type_id else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(OF_PERIOD, parameters)
        rows = cursor.fetchall()
    given: dict[str, dict[UUID, int]] = {}
    for key, person_id, amount_minor, starts_on, shares in rows:
        amount = amount_minor
        if shares:
            one, ramp = periods[key], Ramp(starts_on, tuple(json.loads(shares)))
            amount = ramped(amount_minor, first=one.first, end=one.end, ramp=ramp)
        given.setdefault(key, {})[person_id] = amount
    return given


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
    asked = branch_quotas(chart=question.chart, quotas=known)
    given = [asked[root] for root in roots if root in asked]
    return sum(given) if given else None


def branch_quota(person_id: UUID, *, chart: Chart, quotas: Mapping[UUID, int]) -> int | None:
    """`branch_quotas` of one person; None where nobody of the branch is asked for anything."""
    return branch_quotas(chart=chart, quotas=quotas).get(person_id)


def branch_quotas(*, chart: Chart, quotas: Mapping[UUID, int]) -> dict[UUID, int]:
    """Everybody's quota, or where there is none the sum over the reports, all the way down; of parts of a period their
    sum. Who has none and nobody below who has one is left out.
    """
    if isinstance(quotas, PeriodQuotas) and quotas.parts:
        of_parts = [branch_quotas(chart=chart, quotas=part) for part in quotas.parts]
        asked = {person for part in of_parts for person in part}
        return {person: sum(part.get(person, 0) for part in of_parts) for person in asked}
    found = dict(quotas)
    for person, amount in quotas.items():
        above = chart.manager_of.get(person)
        while above is not None and above not in quotas:
            found[above] = found.get(above, 0) + amount
            above = chart.manager_of.get(above)
    return found
