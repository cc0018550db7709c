"""The deals of a period as they stand, beside the same deals as they stood: SQL over versions at two instants."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from otc.fields.rules import Field
from otc.money.queries import corporate_minor_sql
from otc.money.rules import CurrencySum
from otc.question import Question
from pipeline.fields.queries import read_sql
from pipeline.history.queries import as_of_condition
from pipeline.team.queries import seen_sql

ROWS_A_PAGE = 50
WEEKS = 12

TABS = {
    "all": "true",
    "changed": "r.is_changed",
    "risk": "r.p_slip > 0.5 OR r.close_date < %(day)s",
    "upside": "r.p_won >= 0.5 AND r.category IN ('pipeline', 'best_case')",
    "no_next_step": "r.next_step = ''",
}
GROUPS = {
    "category": "coalesce(r.category, '')",
    "stage": "coalesce(r.stage_id::text, '')",
    "owner": "coalesce(r.owner_id::text, '')",
    "none": "''::text",
}
# Groups come in this order, unknown ones last, then by their key.
GROUP_RANKS = {
    "category": "array_position(ARRAY['commit','most_likely','best_case','pipeline'], r.category::text)",
    "stage": "-r.stage_position",
    "owner": "r.owner_name",
    "none": "NULL::int",
}
SORTS = {
    "amount": "r.corporate_minor",
    "close": "r.close_date",
    "name": "r.name_sorted",
    "stage": "r.stage_position",
    "health": "r.health",
    "slip": "r.p_slip",
    "next": "r.next_step_on",
}


@dataclass(frozen=True)
class DealRow:
    """One open deal of the period, with what it was at the compared instant (was_*; None: not there then).

    `is_seated`: shown for a seat on its team or in its splits, and counted with its owner, in no sum here.
    `is_hidden`: it left the viewer's sight since; it keeps its amount of then and bears no name.
    """

    opportunity_id: UUID
    name: str
    account_name: str | None
    owner_id: UUID | None
    owner_name: str | None
    stage_id: UUID | None
    stage_name: str | None
    stage_position: int | None
    category: str | None
    amount_minor: int | None
    currency: str
    corporate_minor: int | None
    close_date: date | None
    next_step: str
    next_step_on: date | None
    existed: bool
    was_stage_position: int | None
    was_category: str | None
    was_corporate_minor: int | None
    was_close_date: date | None
    was_owner_id: UUID | None
    health: int | None
    failed: list[dict[str, Any]] | None
    p_slip: float | None
    p_won: float | None
    is_seated: bool
    is_hidden: bool
    group_key: str


@dataclass(frozen=True)
class GroupRow:
    """Sums over every deal of a group, not only over the page's: corporate minor units. `seated_count` of them
    are shown for a seat only and are in no sum.
    """

    group_key: str
    count: int
    seated_count: int
    total_minor: int
    was_minor: int
    unconvertible_count: int


# A custom field as the group: its own values at the asked instant, told as text. Numbers come by size.
FIELD = "field"
GROUPS[FIELD] = "coalesce(r.field_value, '')"
GROUP_RANKS[FIELD] = "r.field_rank"
_TOLD = {
    "number": "trim_scale({value}::numeric / 1000000)::text",
    "date": "to_char({value}, 'YYYY-MM')",
    "person": "{value}::text",
    "choice": "{value}",
    "text": "nullif({value}, '')",
}


def group_of(field: Field | None, group: str) -> str:
    """The key of GROUPS for a group as the address names it."""
    return FIELD if field is not None else group


def _field_sql(field: Field | None, parameters: dict[str, Any]) -> str:
    """The columns of the CTE: `field_value` (days by month, choices by key, people by id, texts folded) and
    `field_rank`, by which groups come: choices in their order, numbers by size, people by name.
    """
    if field is None:
        return "NULL::text AS field_value, NULL::text AS field_rank"
    value, more = read_sql(field, "b")
    parameters.update(more, field_order=[option.key for option in field.options])
    ranks = {
        "choice": f"lpad(array_position(%(field_order)s::text[], {value})::text, 4, '0')",
        "number": f"lpad(({value} + 10000000000000000000::numeric)::text, 20, '0')",
        "person": "(SELECT o.name_folded FROM otc_person o WHERE o.organization_id = b.organization_id "
        f"AND o.id = {value})",
    }
    told = _TOLD[field.kind].format(value=value)
    return f'{told} AS field_value, {ranks.get(field.kind, told)} COLLATE "C" AS field_rank'


def _rows_sql(question: Question, parameters: dict[str, Any], field: Field | None = None) -> str:
    """The CTE `r`: open deals in the period and scope at t1, joined with their state at t0."""
    field_sql = _field_sql(field, parameters)
    owner_sql, owner_values = question.owners.condition("b.owner_id")
    owner_sql = owner_sql.replace("%s", "%(owners)s")
    parameters["owners"] = owner_values[0] if owner_values else []
    reach_sql, reach_values = seen_sql(question.reach, deal="b.opportunity_id", owner="b.owner_id")
    parameters |= reach_values
    hidden_sql, hidden_values = _hidden_sql(question)
    parameters |= hidden_values
    latest = "true" if not question.is_past else "false"
    return f"""
WITH r AS (
  SELECT b.opportunity_id, b.name, lower(b.name) COLLATE "C" AS name_sorted, ac.name AS account_name,
    {field_sql}, b.owner_id, p.name AS owner_name, b.stage_id, sb.name AS stage_name, sb.position AS stage_position,
    b.category, b.amount_minor, b.currency, {corporate_minor_sql("b")} AS corporate_minor, b.close_date,
    b.next_step, b.next_step_on, a.id IS NOT NULL AS existed, sa.position AS was_stage_position,
    a.category AS was_category, {corporate_minor_sql("a", known="known0")} AS was_corporate_minor,
    a.close_date AS was_close_date, a.owner_id AS was_owner_id, h.score AS health, h.failed, k.p_slip, k.p_won,
    a.id IS NULL OR a.stage_id IS DISTINCT FROM b.stage_id OR a.category IS DISTINCT FROM b.category
      OR a.amount_minor IS DISTINCT FROM b.amount_minor OR a.close_date IS DISTINCT FROM b.close_date
      OR a.owner_id IS DISTINCT FROM b.owner_id OR a.currency <> b.currency AS is_changed,
    NOT coalesce({owner_sql}, false) AS is_seated, {hidden_sql} AS is_hidden
  FROM pipeline_opportunityversion b
  LEFT JOIN pipeline_opportunityversion a ON a.organization_id = b.organization_id
    AND a.opportunity_id = b.opportunity_id AND {as_of_condition("a", instant="t0", known="known0")}
  LEFT JOIN pipeline_stage sb ON sb.organization_id = b.organization_id AND sb.id = b.stage_id
  LEFT JOIN pipeline_stage sa ON sa.organization_id = a.organization_id AND sa.id = a.stage_id
  LEFT JOIN pipeline_account ac ON ac.organization_id = b.organization_id AND ac.id = b.account_id
  LEFT JOIN otc_person p ON p.organization_id = b.organization_id AND p.id = b.owner_id
  LEFT JOIN pipeline_health h ON h.organization_id = b.organization_id
    AND h.opportunity_id = b.opportunity_id AND {latest}
  LEFT JOIN pipeline_risk k ON k.organization_id = b.organization_id
    AND k.opportunity_id = b.opportunity_id AND {latest}
  WHERE b.organization_id = %(organization)s AND {as_of_condition("b", instant="t1", known="known")}
    AND b.close_date >= %(first)s AND b.close_date < %(end)s AND b.outcome IS NULL
    AND b.deleted_at IS NULL AND b.category IS DISTINCT FROM 'omitted' AND {reach_sql}
)"""


def _hidden_sql(question: Question) -> tuple[str, dict[str, Any]]:
    """SQL: the deal of `b` was in scope at the question's instant and is out of the viewer's sight today."""
    if not question.is_past:
        return "false", {}
    condition, values = seen_sql(question.visible, deal="o.id", owner="o.owner_id", prefix="today_")
    return (
        "NOT EXISTS (SELECT 1 FROM pipeline_opportunity o WHERE o.organization_id = b.organization_id "
        f"AND o.id = b.opportunity_id AND {condition})",
        values,
    )


def _parameters(question: Question, since: datetime) -> dict[str, Any]:
    return {
        "organization": str(question.organization.id),
        "corporate": question.currency,
        "t0": since,
        "known0": max(since, question.known) if question.known > question.as_of else since,
        "t1": question.as_of,
        "known": question.known,
        "first": question.period.first,
        "end": question.period.end,
        "day": question.day,
    }


def group_rows(
    question: Question, *, since: datetime, tab: str, group: str, field: Field | None = None
) -> list[GroupRow]:
    """Count and sums of each group, in the order in which the page shows them. `field` is the group if it is one."""
    parameters, group = _parameters(question, since), group_of(field, group)
    sql = f"""{_rows_sql(question, parameters, field)}
SELECT {GROUPS[group]}, count(*), count(*) FILTER (WHERE r.is_seated),
  coalesce(sum(r.corporate_minor) FILTER (WHERE NOT r.is_seated), 0)::bigint,
  coalesce(sum(r.was_corporate_minor) FILTER (WHERE r.existed AND NOT r.is_seated), 0)::bigint,
  count(*) FILTER (WHERE r.amount_minor IS NOT NULL AND r.corporate_minor IS NULL AND NOT r.is_seated)
FROM r WHERE {TABS[tab]} GROUP BY 1 ORDER BY min({GROUP_RANKS[group]}) NULLS LAST, 1"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [GroupRow(*row) for row in cursor.fetchall()]


def unconvertible_sums(question: Question, *, since: datetime, tab: str) -> tuple[CurrencySum, ...]:
    """The tab's deals that no rate converts, by currency."""
    parameters = _parameters(question, since)
    sql = f"""{_rows_sql(question, parameters)}
SELECT r.currency, count(*), sum(r.amount_minor)::bigint FROM r WHERE {TABS[tab]} AND NOT r.is_seated
  AND r.amount_minor IS NOT NULL AND r.corporate_minor IS NULL GROUP BY 1 ORDER BY 1"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return tuple(CurrencySum(*row) for row in cursor.fetchall())


def tab_counts(question: Question, *, since: datetime) -> dict[str, int]:
    """How many deals each tab holds."""
    parameters = _parameters(question, since)
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in TABS.values())
    with connection.cursor() as cursor:
        cursor.execute(f"{_rows_sql(question, parameters)} SELECT {counts} FROM r", parameters)
        return dict(zip(TABS, cursor.fetchone(), strict=True))


def slip_sums(question: Question, *, since: datetime) -> tuple[int, int]:
    """Count and corporate minor units of the deals that will slip rather than not."""
    parameters = _parameters(question, since)
    sql = f"""{_rows_sql(question, parameters)}
SELECT count(*), coalesce(sum(r.corporate_minor), 0)::bigint FROM r WHERE r.p_slip > 0.5 AND NOT r.is_seated"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        count, total = cursor.fetchone()
    return count, total


def deal_rows(
    question: Question,
    *,
    since: datetime,
    tab: str,
    group: str,
    sort: str,
    offset: int,
    limit: int | None,
    field: Field | None = None,
) -> list[DealRow]:
    """The deals of one page, grouped, then sorted; `sort` is a key of SORTS, "-" before it turns it round."""
    parameters = _parameters(question, since) | {"offset": offset, "limit": limit}
    group = group_of(field, group)
    direction = "DESC NULLS LAST" if sort.startswith("-") else "ASC NULLS LAST"
    names = ", ".join(f"r.{one.name}" for one in fields(DealRow) if one.name != "group_key")
    sql = f"""{_rows_sql(question, parameters, field)}
SELECT {names}, {GROUPS[group]} FROM r WHERE {TABS[tab]}
ORDER BY {GROUP_RANKS[group]} NULLS LAST, {GROUPS[group]}, {SORTS[sort.removeprefix("-")]} {direction}, r.opportunity_id
LIMIT %(limit)s OFFSET %(offset)s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [_deal_row(row) for row in cursor.fetchall()]


FAILED = [field.name for field in fields(DealRow)].index("failed")


def _deal_row(row: tuple[Any, ...]) -> DealRow:
    """The database hands JSON over as text. A hidden deal bears nothing that would tell which it is."""
    values = list(row)
    values[FAILED] = json.loads(row[FAILED]) if row[FAILED] is not None else None
    deal = DealRow(*values)
    return (
        replace(deal, name="", account_name=None, next_step="", next_step_on=None) if deal.is_hidden else deal
    )


@dataclass(frozen=True)
class EndSums:
    """What a period holds at one instant, in corporate minor units."""

    won_minor: int
    commit_minor: int
    open_minor: int
    open_count: int
    won_count: int


def end_sums(question: Question, *, instant: datetime, known: datetime) -> EndSums:
    """Won, commit and open of the scope in the period as of `instant`."""
    owner_sql, owner_values = question.owners_at(instant).condition("v.owner_id")
    parameters = _parameters(question, instant) | {
        "instant": instant,
        "known": known,
        "owners": owner_values[0] if owner_values else [],
    }
    is_open = "s.outcome IS NULL AND s.category IS DISTINCT FROM 'omitted'"
    sql = f"""
SELECT coalesce(sum(s.minor) FILTER (WHERE s.outcome = 'won'), 0)::bigint,
  coalesce(sum(s.minor) FILTER (WHERE {is_open} AND s.category = 'commit'), 0)::bigint,
  coalesce(sum(s.minor) FILTER (WHERE {is_open}), 0)::bigint, count(*) FILTER (WHERE {is_open}),
  count(*) FILTER (WHERE s.outcome = 'won')
FROM (SELECT v.outcome, v.category, {corporate_minor_sql("v")} AS minor FROM pipeline_opportunityversion v
  WHERE v.organization_id = %(organization)s AND {as_of_condition("v", instant="instant", known="known")}
    AND v.close_date >= %(first)s AND v.close_date < %(end)s AND v.deleted_at IS NULL
    AND {owner_sql.replace("%s", "%(owners)s")}) AS s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return EndSums(*cursor.fetchone())


@dataclass(frozen=True)
class Contact:
    """Twelve weekly counts of activities, oldest first, and the last one's instant."""

    weekly: tuple[int, ...]
    last_at: datetime | None


def contacts_of(opportunity_ids: Iterable[UUID], *, as_of: datetime) -> dict[UUID, Contact]:
    """Activity of the shown deals in the twelve weeks before `as_of`. One query."""
    parameters: dict[str, Any] = {
        "ids": [str(opportunity_id) for opportunity_id in opportunity_ids],
        "as_of": as_of,
        "from": as_of - timedelta(weeks=WEEKS),
    }
    sql = """
SELECT a.opportunity_id, least(floor(extract(epoch FROM %(as_of)s - a.at) / 604800)::int, 12), count(*), max(a.at)
FROM pipeline_activity a WHERE a.organization_id = (SELECT current_setting('otc.organization')::uuid)
  AND a.opportunity_id = ANY(%(ids)s::uuid[]) AND a.at <= %(as_of)s GROUP BY 1, 2"""
    weekly: dict[UUID, list[int]] = {}
    last: dict[UUID, datetime] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        for opportunity_id, weeks_ago, count, last_at in cursor.fetchall():
            counts = weekly.setdefault(opportunity_id, [0] * WEEKS)
            if weeks_ago < WEEKS:
                counts[WEEKS - 1 - weeks_ago] += count
            last[opportunity_id] = max(last_at, last.get(opportunity_id, last_at))
    return {key: Contact(tuple(counts), last.get(key)) for key, counts in weekly.items()}
