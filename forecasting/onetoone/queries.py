"""What each person's deals of a period come to, which of them to talk about, and who reads what was said: SQL."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.inspection.queries import GAPS
from forecasting.onetoone.rules import Facts
from otc.calendar.rules import Period
from otc.money.queries import corporate_minor_sql
from otc.question import Question
from otc.tenancy.lines import Chart, Owners
from otc.tenancy.models import FOREVER
from pipeline.history.queries import as_of_condition
from pipeline.parts.queries import parts_of_sql, parts_sql, share_sql, splits_count

MOST_DEALS = 2000


@dataclass(frozen=True)
class OwnerSums:
    """One owner's deals that close in the period; minor units of the question's currency. `risk` is by today's
    scores: a past day knows of passed close dates only.
    """

    owner_id: UUID | None
    won_minor: int = 0
    commit_minor: int = 0
    open_minor: int = 0
    open_count: int = 0
    gaps_count: int = 0
    risk_minor: int = 0
    risk_count: int = 0
    unconvertible_count: int = 0
    last_at: datetime | None = None

    def plus(self, other: "OwnerSums") -> "OwnerSums":
        both = [moment for moment in (self.last_at, other.last_at) if moment]
        return OwnerSums(
            self.owner_id,
            self.won_minor + other.won_minor,
            self.commit_minor + other.commit_minor,
            self.open_minor + other.open_minor,
            self.open_count + other.open_count,
            self.gaps_count + other.gaps_count,
            self.risk_minor + other.risk_minor,
            self.risk_count + other.risk_count,
            self.unconvertible_count + other.unconvertible_count,
            max(both) if both else None,
        )


SUMS = """
SELECT s.owner_id, coalesce(sum(s.minor) FILTER (WHERE s.won), 0)::bigint,
  coalesce(sum(s.minor) FILTER (WHERE NOT s.won AND s.category = 'commit'), 0)::bigint,
  coalesce(sum(s.minor) FILTER (WHERE NOT s.won), 0)::bigint, count(*) FILTER (WHERE NOT s.won),
  count(*) FILTER (WHERE NOT s.won AND s.gaps),
  coalesce(sum(s.minor) FILTER (WHERE NOT s.won AND s.risky), 0)::bigint,
  count(*) FILTER (WHERE NOT s.won AND s.risky),
  count(*) FILTER (WHERE s.amount_minor IS NOT NULL AND s.minor IS NULL), max(s.last_at)
FROM (
  SELECT v.owner_id, v.category, v.amount_minor, coalesce(v.outcome = 'won', false) AS won, {minor} AS minor,
    coalesce({gaps}, false) AS gaps, coalesce({risky}, false) OR v.close_date < %(day)s AS risky, c.last_at
  FROM {parts} v {joins}
  LEFT JOIN LATERAL (SELECT max(a.at) AS last_at FROM pipeline_activity a WHERE v.outcome IS NULL
    AND a.organization_id = v.organization_id AND a.opportunity_id = v.opportunity_id AND a.at <= %(as_of)s) c ON true
  WHERE v.organization_id = %(organization)s AND {stands} AND v.close_date >= %(first)s AND v.close_date < %(end)s
    AND v.deleted_at IS NULL AND {owned}
    AND (v.outcome = 'won' OR (v.outcome IS NULL AND v.category IS DISTINCT FROM 'omitted'))) AS s
GROUP BY s.owner_id
"""
RISK_JOIN = "LEFT JOIN pipeline_risk k ON k.organization_id = v.organization_id AND k.opportunity_id = v.opportunity_id"


def _frame(question: Question, owners: Owners, alias: str) -> tuple[str, dict[str, Any]]:
    """SQL that holds for versions of the owners, and the parameters of every query here."""
    owned, values = owners.condition(f"{alias}.owner_id")
    return owned.replace("%s", "%(owners)s"), {
        "organization": str(question.organization.id),
        "corporate": question.currency,
        "as_of": question.as_of,
        "known": question.known,
        "first": question.period.first,
        "end": question.period.end,
        "day": question.day,
        "forever": FOREVER,
        "owners": values[0] if values else [],
    }


def owner_sums(question: Question, *, owners: Owners) -> dict[UUID | None, OwnerSums]:
    """The period's sums of each owner, or of whoever has a part, as of the question. One query."""
    owned, parameters = _frame(question, owners, "v")
    is_split = splits_count()
    sql = SUMS.format(
        parts=parts_sql(is_split=is_split),
        minor=share_sql(corporate_minor_sql("v"), "v", is_split=is_split),
        gaps=GAPS.format("v", "day"),
        risky="false" if question.is_past else "k.p_slip > 0.5",
        joins="" if question.is_past else RISK_JOIN,
        stands=as_of_condition("v", instant="as_of", known="known"),
        owned=owned,
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {row[0]: OwnerSums(*row) for row in cursor.fetchall()}


def push_counts(question: Question, *, owners: Owners) -> dict[UUID | None, int]:
    """How often each owner's deals were pushed since the period began. One query."""
    owned, parameters = _frame(question, owners, "b")
    sql = f"""
SELECT b.owner_id, count(*) FROM pipeline_opportunityversion b
JOIN pipeline_opportunityversion a ON a.organization_id = b.organization_id
  AND a.opportunity_id = b.opportunity_id AND a.valid_to = b.valid_from
  AND a.valid_to > %(since)s AND a.valid_to <= %(as_of)s
  AND a.known_from <= %(known)s AND a.known_to > %(known)s
WHERE b.organization_id = %(organization)s AND b.valid_from > %(since)s AND b.valid_from <= %(as_of)s
  AND b.known_from <= %(known)s AND b.known_to > %(known)s AND b.close_date > a.close_date
  AND b.outcome IS NULL AND b.deleted_at IS NULL AND {owned} GROUP BY 1"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | {"since": question.start_of(question.period.first)})
        return dict(cursor.fetchall())


def won_by_period(question: Question, *, periods: Sequence[Period], owners: Owners) -> dict[str, int]:
    """What the owners won in each period, as of the question. One query."""
    owned, parameters = _frame(question, owners, "v")
    minor = corporate_minor_sql("v")
    if splits_count() and owners.person_ids is not None:
        minor = parts_of_sql(minor, "v", people="owners")
        owned = (
            f"((v.split_people IS NULL AND {owned}) OR "
            "(v.split_people IS NOT NULL AND v.split_people && %(owners)s::uuid[]))"
        )
    sql = f"""
SELECT p.key, coalesce(sum({minor}), 0)::bigint
FROM unnest(%(keys)s::text[], %(firsts)s::date[], %(ends)s::date[]) AS p(key, first, last_end)
JOIN pipeline_opportunityversion v ON v.organization_id = %(organization)s
  AND v.close_date >= p.first AND v.close_date < p.last_end
WHERE v.outcome = 'won' AND v.deleted_at IS NULL AND {as_of_condition("v", instant="as_of", known="known")}
  AND {owned} GROUP BY 1"""
    bounds = {
        "keys": [period.key for period in periods],
        "firsts": [period.first for period in periods],
        "ends": [period.end for period in periods],
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | bounds)
        return dict(cursor.fetchall())


@dataclass(frozen=True)
class TalkRow:
    """An open deal that may be worth a word."""

    deal_id: UUID
    account_name: str | None
    owner_name: str | None
    stage_name: str | None
    amount_minor: int | None
    currency: str
    health: int | None
    facts: Facts


TALK = """
SELECT b.opportunity_id, ac.name, p.name, s.name, b.amount_minor, b.currency, {health}, b.name, b.category,
  {minor} AS minor, b.close_date, b.next_step, b.next_step_on, a.id IS NOT NULL, a.category, {was_minor},
  a.close_date, {failed}, {p_won}, {p_slip},
  (SELECT count(*) FROM pipeline_opportunityversion y
   JOIN pipeline_opportunityversion x ON x.organization_id = y.organization_id
     AND x.opportunity_id = y.opportunity_id AND x.valid_to = y.valid_from AND x.known_to = %(forever)s
   WHERE y.organization_id = b.organization_id AND y.opportunity_id = b.opportunity_id AND y.known_to = %(forever)s
     AND y.valid_from > %(since)s AND y.valid_from <= %(as_of)s AND y.close_date > x.close_date)
FROM pipeline_opportunityversion b
LEFT JOIN pipeline_opportunityversion a ON a.organization_id = b.organization_id
  AND a.opportunity_id = b.opportunity_id AND {stood}
LEFT JOIN pipeline_account ac ON ac.organization_id = b.organization_id AND ac.id = b.account_id
LEFT JOIN pipeline_stage s ON s.organization_id = b.organization_id AND s.id = b.stage_id
LEFT JOIN otc_person p ON p.organization_id = b.organization_id AND p.id = b.owner_id {joins}
WHERE b.organization_id = %(organization)s AND {stands} AND b.outcome IS NULL AND b.deleted_at IS NULL
  AND b.category IS DISTINCT FROM 'omitted' AND {owned}
  AND ((b.close_date >= %(first)s AND b.close_date < %(end)s) OR b.close_date < %(day)s OR b.close_date IS NULL
    OR (a.close_date >= %(first)s AND a.close_date < %(end)s))
ORDER BY minor DESC NULLS LAST, b.opportunity_id LIMIT %(limit)s
"""
SCORES = (
    "LEFT JOIN pipeline_health h ON h.organization_id = b.organization_id AND h.opportunity_id = b.opportunity_id "
    "LEFT JOIN pipeline_risk k ON k.organization_id = b.organization_id AND k.opportunity_id = b.opportunity_id"
)
NOW_ONLY = {
    "health": "h.score",
    "failed": "h.failed",
    "p_won": "k.p_won",
    "p_slip": "k.p_slip",
    "joins": SCORES,
}
PAST = {"health": "NULL", "failed": "NULL", "p_won": "NULL", "p_slip": "NULL", "joins": ""}


def talk_rows(question: Question, *, owners: Owners, since: datetime) -> list[TalkRow]:
    """The owners' open deals of the period, those that left it since and those overdue, the largest MOST_DEALS."""
    owned, parameters = _frame(question, owners, "b")
    sql = TALK.format(
        minor=corporate_minor_sql("b"),
        was_minor=corporate_minor_sql("a", known="since"),
        stood=as_of_condition("a", instant="since"),
        stands=as_of_condition("b", instant="as_of", known="known"),
        owned=owned,
        **(PAST if question.is_past else NOW_ONLY),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | {"since": since, "limit": MOST_DEALS})
        return [_talk(row, question) for row in cursor.fetchall()]


STOOD = (
    *("name", "category", "corporate_minor", "close_date", "next_step", "next_step_on", "existed"),
    *("was_category", "was_corporate_minor", "was_close_date"),
)


def _talk(row: tuple[Any, ...], question: Question) -> TalkRow:
    failed = json.loads(row[17]) if isinstance(row[17], str) else row[17] or []
    stood: dict[str, Any] = dict(zip(STOOD, row[7:17], strict=True))
    facts = Facts(
        today=question.day,
        period_end=question.period.end,
        failed=tuple(one["check"] for one in failed),
        p_won=row[18],
        p_slip=row[19],
        pushes=row[20],
        **stood,
    )
    deal_id, account, owner, stage, amount_minor, currency, health = row[:7]
    return TalkRow(deal_id, account, owner, stage, amount_minor, currency, health, facts)


def is_privy(viewer_id: UUID, person_id: UUID, *, chart: Chart) -> bool:
    """Whether somebody reads and writes what was said with a person: they themselves, and who is above them today."""
    seen: set[UUID] = set()
    found: UUID | None = person_id
    while found is not None and found not in seen:
        if found == viewer_id:
            return True
        seen.add(found)
        found = chart.manager_of.get(found)
    return False


def line_above(person_id: UUID, *, chart: Chart) -> list[UUID]:
    """The person, their manager, that one's manager, up to the top."""
    found: list[UUID] = []
    at: UUID | None = person_id
    while at is not None and at not in found:
        found.append(at)
        at = chart.manager_of.get(at)
    return found


def sum_of(
    sums: dict[UUID | None, OwnerSums], people: Iterable[UUID | None], *, named: UUID | None
) -> OwnerSums:
    """The sums of several owners together."""
    total = OwnerSums(named)
    for person_id in people:
        if person_id in sums:
            total = total.plus(sums[person_id])
    return total
