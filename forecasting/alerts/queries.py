"""What happened to deals since an instant, and on which of them something goes on: SQL over versions and activity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.alerts.models import AlertRule
from forecasting.alerts.rules import COMMIT_AT_RISK, FELL, LEFT_COMMIT, LOST, PUSHED_OUT, WON, State
from forecasting.quotas.queries import branch_quota, quotas_of
from forecasting.quotas.rules import Coverage, coverage
from forecasting.rollup.queries import own_amounts
from otc.calendar.queries import calendar_of
from otc.calendar.rules import Calendar, Kind, period_of
from otc.money.queries import corporate_minor_sql
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import ALL_OWNERS, EVERYONE, Chart, chart_at, scope_owners
from otc.tenancy.models import FOREVER, Organization
from otc.tenancy.reach import EVERYTHING, Reach
from pipeline.health.rules import TITLES
from pipeline.team.queries import seen_sql

# Whatever can make a rule of the kind fire: `a` is a version, `b` the one after it.
CHANGED = {
    PUSHED_OUT: "a.close_date IS NOT NULL AND (b.close_date IS NULL OR b.close_date > a.close_date)",
    WON: "b.outcome = 'won' AND a.outcome IS DISTINCT FROM 'won'",
    LOST: "b.outcome IN ('lost', 'no_decision') AND a.outcome IS DISTINCT FROM b.outcome",
    FELL: "a.amount_minor IS NOT NULL AND (a.amount_minor, a.currency) IS DISTINCT FROM (b.amount_minor, b.currency)",
    LEFT_COMMIT: "a.category = 'commit' AND (b.category IS DISTINCT FROM 'commit' OR b.deleted_at IS NOT NULL)",
}
STATE = "{minor}, {v}.amount_minor, {v}.currency, {v}.category, {v}.close_date, {v}.outcome, {v}.deleted_at IS NOT NULL"
STEPS = """
SELECT b.opportunity_id, b.valid_from, o.name, o.owner_id, b.actor_id, a.id IS NOT NULL, {before}, {after}, {now}
FROM pipeline_opportunityversion b
LEFT JOIN pipeline_opportunityversion a ON a.organization_id = b.organization_id
  AND a.opportunity_id = b.opportunity_id AND a.valid_to = b.valid_from AND a.known_to = %(forever)s
JOIN pipeline_opportunity o ON o.organization_id = b.organization_id AND o.id = b.opportunity_id
WHERE b.organization_id = %(organization)s AND b.known_to = %(forever)s AND b.provenance = ANY(%(provenances)s)
  AND b.valid_from > %(since)s AND b.valid_from <= %(until)s AND {chosen} AND ({changed}) AND {seen}
ORDER BY b.valid_from, b.opportunity_id LIMIT %(limit)s
"""
# More than so many steps at once are looked at in the next turn.
MOST_STEPS = 5000
# What fires; a look back takes imported history along.
LIVE, LIVED = ("live",), ("live", "imported")


@dataclass(frozen=True)
class Step:
    """One edit of a deal, and how the deal stands now."""

    deal_id: UUID
    at: datetime
    name: str
    owner_id: UUID | None
    actor_id: UUID | None
    before: State | None
    after: State
    now: State


@dataclass(frozen=True)
class Holding:
    """A deal on which a rule's condition holds, since when; amounts as the deal has them."""

    deal_id: UUID
    name: str
    owner_id: UUID | None
    amount_minor: int | None
    currency: str
    close_date: date | None
    at: datetime


def active_rules(kinds: Iterable[str]) -> list[AlertRule]:
    """Rules that watch, of these kinds, the oldest first."""
    found = AlertRule.objects.filter(kind__in=list(kinds), paused_at__isnull=True, deleted_at__isnull=True)
    return list(found.select_related("owner", "hook", "hook__owner").order_by("id"))


def active_kinds() -> set[str]:
    """The kinds of the rules that watch. One query."""
    found = AlertRule.objects.filter(paused_at__isnull=True, deleted_at__isnull=True)
    return set(found.values_list("kind", flat=True).distinct())


def steps(
    *,
    kinds: Iterable[str],
    since: datetime,
    until: datetime,
    deal_id: UUID | None = None,
    reach: Reach = EVERYTHING,
    limit: int | None = None,
    provenances: tuple[str, ...] = LIVE,
) -> list[Step]:
    """The edits in (since, until], live ones by default, that may concern rules of `kinds`, the oldest first.

    Three queries.
    """
    organization = Organization.objects.get(id=current_organization_id())
    seen, values = seen_sql(reach, deal="o.id", owner="o.owner_id")
    sql = STEPS.format(
        before=STATE.format(v="a", minor=corporate_minor_sql("a", known="until")),
        after=STATE.format(v="b", minor=corporate_minor_sql("b", known="until")),
        now=STATE.format(v="o", minor=corporate_minor_sql("o", known="until")),
        chosen="b.opportunity_id = %(deal)s" if deal_id else "true",
        changed=" OR ".join(CHANGED[kind] for kind in sorted(kinds)),
        seen=seen,
    )
    parameters: dict[str, Any] = {
        "organization": str(organization.id),
        "corporate": organization.currency,
        "forever": FOREVER,
        "since": since,
        "until": until,
        "deal": str(deal_id) if deal_id else None,
        "limit": limit or MOST_STEPS,
        "provenances": list(provenances),
        **values,
    }
    calendar = calendar_of(organization)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [_step(row, calendar=calendar) for row in cursor.fetchall()]


def _step(row: tuple[Any, ...], *, calendar: Calendar) -> Step:
    before, after, now = (_state(row[first : first + 7], calendar=calendar) for first in (6, 13, 20))
    deal_id, at, name, owner_id, actor_id, existed = row[:6]
    return Step(deal_id, at, name, owner_id, actor_id, before if existed else None, after, now)


def _state(values: Sequence[Any], *, calendar: Calendar) -> State:
    minor, amount, currency, category, close_date, outcome, is_deleted = values
    firsts = [
        period_of(close_date, kind=kind, calendar=calendar).first if close_date else None
        for kind in (Kind.QUARTER, Kind.MONTH)
    ]
    return State(minor, (amount, currency), category, close_date, outcome, bool(is_deleted), *firsts)


# Open deals on which a rule's condition holds; `at` is since when.
HOLDINGS = """
SELECT o.id, o.name, o.owner_id, o.amount_minor, o.currency, o.close_date, {at}
FROM pipeline_opportunity o {joins}
WHERE o.organization_id = %(organization)s AND o.outcome IS NULL AND o.deleted_at IS NULL AND {condition}
  AND {chosen} AND (%(amount)s::bigint IS NULL OR {minor} >= %(amount)s::bigint) AND {seen}
"""
AT_RISK = {
    "at": "h.computed_at",
    "joins": "JOIN pipeline_health h ON h.organization_id = o.organization_id AND h.opportunity_id = o.id",
    "condition": """o.category = 'commit' AND h.failed @> '[{"check": "commit_at_risk"}]'""",
}
IS_SILENT = {
    "at": "coalesce(c.last_at, o.created_at) + make_interval(days => %(days)s)",
    "joins": "LEFT JOIN LATERAL (SELECT max(a.at) AS last_at FROM pipeline_activity a "
    "WHERE a.organization_id = o.organization_id AND a.opportunity_id = o.id AND a.at <= %(now)s) c ON true",
    "condition": "coalesce(c.last_at, o.created_at) <= %(now)s::timestamptz - make_interval(days => %(days)s)",
}


def holdings(
    rule: AlertRule, *, now: datetime, deal_id: UUID | None = None, reach: Reach = EVERYTHING
) -> list[Holding]:
    """The open deals on which the rule's condition holds now. One query."""
    seen, values = seen_sql(reach, deal="o.id", owner="o.owner_id")
    parts = AT_RISK if rule.kind == COMMIT_AT_RISK else IS_SILENT
    sql = HOLDINGS.format(
        **parts,
        chosen="o.id = %(deal)s" if deal_id else "true",
        minor=corporate_minor_sql("o", known="now"),
        seen=seen,
    )
    organization = Organization.objects.get(id=current_organization_id())
    parameters: dict[str, Any] = {
        "organization": str(organization.id),
        "corporate": organization.currency,
        "now": now,
        "days": rule.days,
        "amount": rule.amount_minor,
        "deal": str(deal_id) if deal_id else None,
        **values,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [Holding(*row) for row in cursor.fetchall()]


# When a deal fell silent in the window: a contact (or its beginning) that nothing followed for so many days.
FELL_SILENT = """
SELECT o.id, o.name, o.owner_id, o.amount_minor, o.currency, o.close_date, m.at + make_interval(days => %(days)s)
FROM (SELECT opportunity_id, at, lead(at) OVER (PARTITION BY opportunity_id ORDER BY at) AS next_at FROM (
    SELECT opportunity_id, at FROM pipeline_activity WHERE organization_id = %(organization)s AND at <= %(now)s
    UNION SELECT id, created_at FROM pipeline_opportunity WHERE organization_id = %(organization)s) AS moments) AS m
JOIN pipeline_opportunity o ON o.organization_id = %(organization)s AND o.id = m.opportunity_id
WHERE m.at > %(since)s::timestamptz - make_interval(days => %(days)s)
  AND m.at <= %(now)s::timestamptz - make_interval(days => %(days)s)
  AND (m.next_at IS NULL OR m.next_at > m.at + make_interval(days => %(days)s))
  AND (o.closed_at IS NULL OR o.closed_at > m.at + make_interval(days => %(days)s)) AND o.deleted_at IS NULL
  AND (%(amount)s::bigint IS NULL OR {minor} >= %(amount)s::bigint) AND {seen}
"""
TURNED_RISKY = """
SELECT o.id, o.name, o.owner_id, o.amount_minor, o.currency, o.close_date, h.at
FROM pipeline_healthchange h
JOIN pipeline_opportunity o ON o.organization_id = h.organization_id AND o.id = h.opportunity_id
WHERE h.organization_id = %(organization)s AND h.at > %(since)s AND h.at <= %(now)s
  AND h.failing @> jsonb_build_array(%(title)s::text) AND o.deleted_at IS NULL
  AND (%(amount)s::bigint IS NULL OR {minor} >= %(amount)s::bigint) AND {seen}
"""


def began_holding(rule: AlertRule, *, since: datetime, now: datetime, reach: Reach) -> list[Holding]:
    """The deals on which the rule's condition began to hold in (since, now], for a look back. One query."""
    seen, values = seen_sql(reach, deal="o.id", owner="o.owner_id")
    asked = TURNED_RISKY if rule.kind == COMMIT_AT_RISK else FELL_SILENT
    organization = Organization.objects.get(id=current_organization_id())
    parameters: dict[str, Any] = {
        "organization": str(organization.id),
        "corporate": organization.currency,
        "since": since,
        "now": now,
        "days": rule.days,
        "title": TITLES["commit_at_risk"],
        "amount": rule.amount_minor,
        **values,
    }
    with connection.cursor() as cursor:
        cursor.execute(asked.format(minor=corporate_minor_sql("o", known="now"), seen=seen), parameters)
        return [Holding(*row) for row in cursor.fetchall()]


def coverage_of(scope_id: UUID | None, *, organization: Organization, as_of: datetime, day: date) -> Coverage:
    """Coverage of a branch, None: of the whole organization, in the quarter that holds `day`, as of an instant."""
    chart = chart_at(as_of)
    period = period_of(day, calendar=calendar_of(organization))
    scope = str(scope_id) if scope_id else EVERYONE
    owners = scope_owners(scope, chart=chart, visible=ALL_OWNERS)
    rows = own_amounts(period, as_of=as_of, known=as_of, owners=owners, corporate=organization.currency)
    quotas = quotas_of(period, own=organization.currency, currency=organization.currency, known=as_of)
    return coverage(
        sum(row.amount_minor for row in rows if row.category not in ("omitted", "closed")),
        won_minor=sum(row.amount_minor for row in rows if row.category == "closed"),
        quota_minor=_quota_of(scope_id, chart=chart, quotas=quotas),
    )


def _quota_of(scope_id: UUID | None, *, chart: Chart, quotas: Any) -> int | None:
    heads = [scope_id] if scope_id else sorted(chart.tops)
    found = [branch_quota(head, chart=chart, quotas=quotas) for head in heads]
    given = [quota_minor for quota_minor in found if quota_minor is not None]
    return sum(given) if given else None
