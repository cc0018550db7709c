"""Sums and rows of deals with their health: SQL over the scores that stand, or over scores judged of a past day."""

import json
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from otc.money.queries import corporate_minor_sql
from otc.money.rules import CurrencySum
from otc.question import Question
from pipeline.health.days import BAND_OF
from pipeline.health.rules import BANDS, BITS, most_of
from pipeline.history.queries import as_of_condition
from pipeline.risk.services import array_text
from pipeline.team.queries import seen_sql

SORTS = {
    "health": "r.score",
    "amount": "r.corporate_minor",
    "name": 'lower(r.name) COLLATE "C"',
    "close": "r.close_date",
    "owner": "r.owner_name",
    "stage": "r.stage_position",
}


@dataclass(frozen=True)
class Past:
    """Scores of a past day, deal by deal: ids, scores, failed checks as bits, and as JSON."""

    ids: list[str]
    scores: list[int]
    checks: list[int]
    failed: list[str]

    def add(self, deal_id: str, score: int, checks: int, failed: str) -> None:
        self.ids.append(deal_id)
        self.scores.append(score)
        self.checks.append(checks)
        self.failed.append(failed)


@dataclass(frozen=True)
class HealthRow:
    """One open deal with its health; `score` None: not scored yet. Amounts in minor units: native with its currency,
    and of the question's currency (None: no amount, or no rate).
    """

    opportunity_id: UUID
    name: str
    account_name: str | None
    owner_id: UUID | None
    owner_name: str | None
    stage_name: str | None
    stage_position: int | None
    category: str | None
    amount_minor: int | None
    currency: str
    corporate_minor: int | None
    close_date: date | None
    score: int | None
    failed: list[dict[str, Any]]

    @property
    def why(self) -> str:
        """The sentences of what failed, what costs most first."""
        worst = sorted(self.failed, key=lambda one: -int(one["penalty"]))
        return " ".join(one["detail"] for one in worst) or (
            "Every check passes." if self.score is not None else ""
        )


@dataclass(frozen=True)
class BandRow:
    """One band's (count, minor, unconvertible) of all its deals, and the same by check, in the order of the checks."""

    band: str | None
    score_sum: int
    sum: tuple[int, int, int]
    checks: tuple[tuple[int, int, int], ...]


def where(band: str, check: str) -> str:
    """SQL: the rows of a band or that fail a check, both keys of the rules; "true" where neither is asked."""
    parts = []
    if band:
        found = next(one for one in BANDS if one.key == band)
        parts.append(f"r.score BETWEEN {found.least} AND {most_of(found)}")
    if check:
        parts.append(f"r.checks & {BITS[check]} <> 0")
    return " AND ".join(parts) or "true"


def sums(question: Question, *, past: Past | None) -> list[BandRow]:
    """One row per band that has deals; the band of deals without a score is None. One query."""
    parameters = _parameters(question, past)
    triple = (
        "count(*){0}, coalesce(sum(r.corporate_minor){0}, 0)::bigint, "
        "count(*) FILTER (WHERE r.amount_minor IS NOT NULL AND r.corporate_minor IS NULL{1})"
    )
    checks = ", ".join(
        triple.format(f" FILTER (WHERE r.checks & {bit} <> 0)", f" AND r.checks & {bit} <> 0")
        for bit in BITS.values()
    )
    sql = f"""{_rows_sql(question, past, parameters, is_named=False)}
SELECT CASE WHEN r.score IS NOT NULL THEN {BAND_OF.replace("h.score", "r.score")} END,
  coalesce(sum(r.score), 0)::bigint, {triple.format("", "")}, {checks} FROM r GROUP BY 1"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [
            BandRow(row[0], row[1], row[2:5], tuple(row[at : at + 3] for at in range(5, len(row), 3)))
            for row in cursor.fetchall()
        ]


def shown_sums(
    question: Question, *, past: Past | None, where: str
) -> tuple[tuple[int, int, int], tuple[CurrencySum, ...]]:
    """(count, minor, unconvertible) of the rows that `where` leaves, and those without a rate by currency."""
    parameters = _parameters(question, past)
    lacks = "r.amount_minor IS NOT NULL AND r.corporate_minor IS NULL"
    sql = f"""{_rows_sql(question, past, parameters, is_named=False)}
SELECT CASE WHEN {lacks} THEN r.currency END, count(*), coalesce(sum(r.corporate_minor), 0)::bigint,
  coalesce(sum(r.amount_minor) FILTER (WHERE {lacks}), 0)::bigint FROM r WHERE {where} GROUP BY 1 ORDER BY 1"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = cursor.fetchall()
    lacking = tuple(CurrencySum(row[0], row[1], row[3]) for row in found if row[0] is not None)
    count, unconvertible = sum(row[1] for row in found), sum(one.count for one in lacking)
    return (count, sum(row[2] for row in found), unconvertible), lacking


def rows(
    question: Question, *, past: Past | None, where: str, sort: str, offset: int, limit: int | None
) -> list[HealthRow]:
    """The deals that `where` leaves, sorted by a key of SORTS, "-" before it turns it round. One query."""
    parameters = _parameters(question, past) | {"offset": offset, "limit": limit}
    direction = "DESC NULLS LAST" if sort.startswith("-") else "ASC NULLS LAST"
    names = ", ".join(f"r.{one.name}" for one in fields(HealthRow))
    sql = f"""{_rows_sql(question, past, parameters, is_named=True)}
SELECT {names} FROM r WHERE {where}
ORDER BY {SORTS[sort.removeprefix("-")]} {direction}, r.corporate_minor DESC NULLS LAST, r.opportunity_id
LIMIT %(limit)s OFFSET %(offset)s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [_row(list(row)) for row in cursor.fetchall()]


def _row(values: list[Any]) -> HealthRow:
    """The database hands JSON over as text; a deal without a score has none."""
    values[-1] = json.loads(values[-1] or "[]")
    return HealthRow(*values)


def ids_then(question: Question) -> list[str]:
    """The deals of the scope that were open at the question's past instant, as texts, in the order of their ids."""
    parameters = _parameters(question, None)
    table, condition = _standing_then(question, parameters)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT b.opportunity_id::text FROM {table} WHERE {condition} ORDER BY b.opportunity_id",
            parameters,
        )
        return [row[0] for row in cursor.fetchall()]


NAMES = """, b.name, ac.name AS account_name, p.name AS owner_name, s.name AS stage_name, s.position AS stage_position,
    b.category, b.close_date, h.failed"""
NAMED = """
  LEFT JOIN pipeline_stage s ON s.organization_id = b.organization_id AND s.id = b.stage_id
  LEFT JOIN pipeline_account ac ON ac.organization_id = b.organization_id AND ac.id = b.account_id
  LEFT JOIN otc_person p ON p.organization_id = b.organization_id AND p.id = b.owner_id"""


def _rows_sql(question: Question, past: Past | None, parameters: dict[str, Any], *, is_named: bool) -> str:
    """The CTE `r`: the scope's open deals with amount and health, with the names of a list where `is_named`."""
    if past is None:
        owners, values = question.owners.condition("b.owner_id")
        parameters["owners"] = values[0] if values else []
        owners_sql = owners.replace("%s", "%(owners)s")
        standing = f"""pipeline_opportunity b
  LEFT JOIN pipeline_health h ON h.organization_id = b.organization_id AND h.opportunity_id = b.id
  {NAMED if is_named else ""}
  WHERE b.organization_id = %(organization)s AND b.outcome IS NULL AND b.deleted_at IS NULL AND {owners_sql}"""
        deal = "b.id"
    else:
        table, condition = _standing_then(question, parameters)
        standing = f"""{table}
  JOIN ROWS FROM (unnest(%(past_ids)s::uuid[], %(past_scores)s::int[], %(past_checks)s::int[]),
    jsonb_array_elements(%(past_failed)s::jsonb)) AS h(opportunity_id, score, checks, failed)
    ON h.opportunity_id = b.opportunity_id {NAMED if is_named else ""}
  WHERE {condition}"""
        deal = "b.opportunity_id"
    return f"""
WITH r AS (
  SELECT {deal} AS opportunity_id, b.owner_id, b.amount_minor, b.currency,
    {corporate_minor_sql("b")} AS corporate_minor, h.score, h.checks{NAMES if is_named else ""}
  FROM {standing}
)"""


def _standing_then(question: Question, parameters: dict[str, Any]) -> tuple[str, str]:
    """SQL: versions `b` with their deals `o`, and the condition of those that were open at the question's instant, of
    its owners then, in sight today.
    """
    owners, values = question.owners.condition("b.owner_id")
    parameters["owners"] = values[0] if values else []
    sight, more = seen_sql(question.visible, deal="o.id", owner="o.owner_id", prefix="today_")
    parameters |= more
    table = """pipeline_opportunityversion b
  JOIN pipeline_opportunity o ON o.organization_id = b.organization_id AND o.id = b.opportunity_id"""
    condition = f"""b.organization_id = %(organization)s AND {as_of_condition("b", instant="as_of", known="known")}
    AND b.outcome IS NULL AND b.deleted_at IS NULL AND o.deleted_at IS NULL
    AND {owners.replace("%s", "%(owners)s")} AND {sight}"""
    return table, condition


def _parameters(question: Question, past: Past | None) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "organization": str(question.organization.id),
        "corporate": question.currency,
        "as_of": question.as_of,
        "known": question.known,
    }
    if past is not None:
        parameters |= {
            "past_ids": array_text(past.ids),
            "past_scores": array_text(past.scores),
            "past_checks": array_text(past.checks),
            "past_failed": f"[{','.join(past.failed)}]",
        }
    return parameters
