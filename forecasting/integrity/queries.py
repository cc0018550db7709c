"""Which open deals bear which findings? SQL over the deals as they stand or stood, and over their latest versions."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.integrity.rules import BITS, EVE_HOURS, FLIPS, LOOK_BACK_DAYS, PUSHES_IN_MONTH
from otc.money.queries import corporate_minor_sql
from otc.money.rules import CurrencySum
from otc.question import Question
from otc.tenancy.models import Person
from otc.tenancy.permissions import Role
from pipeline.history.queries import as_of_condition
from pipeline.team.queries import seen_sql

SORTS = {
    "amount": "r.corporate_minor",
    "name": 'lower(r.name) COLLATE "C"',
    "close": "r.close_date",
    "owner": "r.owner_name",
    "stage": "r.stage_position",
}
LACKS_RATE = "r.amount_minor IS NOT NULL AND r.corporate_minor IS NULL"

# What each finding looks at, of the deal `d` with its stage `s` and its signals `g`.
CONDITIONS = {
    "no_owner": "d.owner_id IS NULL",
    "no_amount": "coalesce(d.amount_minor, 0) = 0",
    "no_close_date": "d.close_date IS NULL",
    "unmapped_stage": "s.category IS NULL",
    "inactive_owner": "d.owner_id = ANY(%(inactive)s::uuid[])",
    "vacant_manager": "d.owner_id = ANY(%(unmanaged)s::uuid[])",
    "unconvertible": "d.amount_minor IS NOT NULL AND d.corporate_minor IS NULL",
    "past_due_commit": "d.category = 'commit' AND d.close_date < %(day)s",
    "pushed_in_month": f"g.pushes_in_month >= {PUSHES_IN_MONTH}",
    "eve_of_call": "e.call_at IS NOT NULL",
    "category_flips": f"g.flips >= {FLIPS} AND g.returns > 0",
}
BITS_SQL = " + ".join(
    f"CASE WHEN {condition} THEN {BITS[key]} ELSE 0 END" for key, condition in CONDITIONS.items()
)

# Versions of the look-back, and the one that stood when it began: what a step changed is told by the one before it.
# A return is a category that the deal had left inside the look-back.
SIGNALS = f"""
recent AS (
  SELECT v.opportunity_id, v.owner_id, v.valid_from, v.close_date, v.category, v.amount_minor, v.currency,
    lag(v.close_date) OVER w AS close_before, lag(v.category) OVER w AS category_before,
    lag(v.amount_minor) OVER w AS amount_before, lag(v.currency) OVER w AS currency_before,
    row_number() OVER w AS number,
    array_agg(v.category::text) OVER (PARTITION BY v.opportunity_id ORDER BY v.valid_from
      ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS earlier
  FROM pipeline_opportunityversion v
  WHERE v.organization_id = %(organization)s AND v.valid_to > %(since)s AND v.valid_from <= %(as_of)s
    AND v.known_from <= %(known)s AND v.known_to > %(known)s
    AND EXISTS (SELECT FROM pipeline_opportunityversion n WHERE n.organization_id = v.organization_id
      AND n.opportunity_id = v.opportunity_id AND n.valid_from > %(since)s AND n.valid_from <= %(as_of)s
      AND n.known_from <= %(known)s AND n.known_to > %(known)s)
  WINDOW w AS (PARTITION BY v.opportunity_id ORDER BY v.valid_from)),
steps AS (SELECT * FROM recent WHERE number > 1 AND valid_from > %(since)s),
signals AS (
  SELECT opportunity_id,
    count(*) FILTER (WHERE close_date > close_before
      AND date_trunc('month', close_date::timestamp) = date_trunc('month', close_before::timestamp)) AS pushes_in_month,
    count(*) FILTER (WHERE category IS DISTINCT FROM category_before) AS flips,
    count(*) FILTER (WHERE category IS DISTINCT FROM category_before AND category = ANY(earlier)) AS returns
  FROM steps GROUP BY opportunity_id),
eves AS (
  SELECT t.opportunity_id, max(c.submitted_at) AS call_at FROM steps t
  JOIN forecasting_call c ON c.organization_id = %(organization)s AND c.person_id = t.owner_id
    AND c.submitted_at >= t.valid_from AND c.submitted_at < t.valid_from + interval '{EVE_HOURS} hours'
    AND c.submitted_at <= %(as_of)s
  WHERE t.close_date IS DISTINCT FROM t.close_before OR t.category IS DISTINCT FROM t.category_before
    OR t.amount_minor IS DISTINCT FROM t.amount_before OR t.currency <> t.currency_before
  GROUP BY t.opportunity_id)"""


@dataclass(frozen=True)
class FoundDeal:
    """One open deal with its findings as bits, and what the signals counted. Amounts in minor units: native with its
    currency, and of the question's currency (None: no amount, or no rate).
    """

    opportunity_id: UUID
    name: str
    account_name: str | None
    owner_id: UUID | None
    owner_name: str | None
    process_id: UUID | None
    stage_id: UUID | None
    stage_name: str | None
    stage_position: int | None
    category: str | None
    amount_minor: int | None
    currency: str
    corporate_minor: int | None
    close_date: date | None
    findings: int
    pushes_in_month: int
    flips: int
    call_at: Any


def people_left() -> dict[UUID, date | None]:
    """When everybody who may own deals left; None: still there. One query."""
    rows = Person.objects.exclude(role=Role.INTEGRATION).values_list("id", "left_on")
    return dict(rows.iterator())


def sums(
    question: Question, *, inactive: Collection[UUID], unmanaged: Collection[UUID]
) -> tuple[tuple[int, int, int], tuple[int, int, int], dict[str, tuple[int, int, int]]]:
    """(count, minor, unconvertible) of all open deals, of those with any finding, and of each finding. One query."""
    parameters = _parameters(question, inactive=inactive, unmanaged=unmanaged)
    conditions = ["true", "r.findings <> 0", *(f"r.findings & {bit} <> 0" for bit in BITS.values())]
    columns = ", ".join(
        f"count(*) FILTER (WHERE {one}), coalesce(sum(r.corporate_minor) FILTER (WHERE {one}), 0)::bigint, "
        f"count(*) FILTER (WHERE {one} AND {LACKS_RATE})"
        for one in conditions
    )
    with connection.cursor() as cursor:
        cursor.execute(f"{_rows_sql(question, parameters)} SELECT {columns} FROM r", parameters)
        row = cursor.fetchone()
    triples = [tuple(row[at : at + 3]) for at in range(0, len(row), 3)]
    return triples[0], triples[1], dict(zip(BITS, triples[2:], strict=True))


def lacking_rates(
    question: Question, *, finding: str, inactive: Collection[UUID], unmanaged: Collection[UUID]
) -> tuple[CurrencySum, ...]:
    """The finding's deals that no rate converts, by currency. One query."""
    parameters = _parameters(question, inactive=inactive, unmanaged=unmanaged)
    sql = f"""{_rows_sql(question, parameters)}
SELECT r.currency, count(*), sum(r.amount_minor)::bigint FROM r
WHERE {where(finding)} AND {LACKS_RATE} GROUP BY 1 ORDER BY 1"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return tuple(CurrencySum(*row) for row in cursor.fetchall())


def rows(
    question: Question,
    *,
    finding: str,
    inactive: Collection[UUID],
    unmanaged: Collection[UUID],
    sort: str,
    offset: int,
    limit: int | None,
) -> list[FoundDeal]:
    """The deals of a finding (of any, without one), sorted by a key of SORTS, "-" before it turns it round."""
    parameters = _parameters(question, inactive=inactive, unmanaged=unmanaged)
    parameters |= {"offset": offset, "limit": limit}
    direction = "DESC NULLS LAST" if sort.startswith("-") else "ASC NULLS LAST"
    names = ", ".join(f"r.{one.name}" for one in fields(FoundDeal))
    sql = f"""{_rows_sql(question, parameters)}
SELECT {names} FROM r WHERE {where(finding)}
ORDER BY {SORTS[sort.removeprefix("-")]} {direction}, r.opportunity_id LIMIT %(limit)s OFFSET %(offset)s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [FoundDeal(*row) for row in cursor.fetchall()]


def where(finding: str) -> str:
    return f"r.findings & {BITS[finding]} <> 0" if finding else "r.findings <> 0"


def _rows_sql(question: Question, parameters: dict[str, Any]) -> str:
    """The CTE `r`: the scope's open deals with their findings."""
    return f"""
WITH d AS MATERIALIZED ({_deals_sql(question, parameters)}),
{SIGNALS},
r AS (
  SELECT d.*, ac.name AS account_name, p.name AS owner_name, s.name AS stage_name, s.position AS stage_position,
    coalesce(g.pushes_in_month, 0) AS pushes_in_month, coalesce(g.flips, 0) AS flips, e.call_at,
    {BITS_SQL} AS findings
  FROM d
  LEFT JOIN pipeline_stage s ON s.organization_id = %(organization)s AND s.id = d.stage_id
  LEFT JOIN pipeline_account ac ON ac.organization_id = %(organization)s AND ac.id = d.account_id
  LEFT JOIN otc_person p ON p.organization_id = %(organization)s AND p.id = d.owner_id
  LEFT JOIN signals g ON g.opportunity_id = d.opportunity_id
  LEFT JOIN eves e ON e.opportunity_id = d.opportunity_id
)"""


def _deals_sql(question: Question, parameters: dict[str, Any]) -> str:
    """Open deals of the question's owners: live rows, or versions of the past whose deals are in sight today."""
    owners, values = question.owners.condition("b.owner_id")
    parameters["owners"] = values[0] if values else []
    columns = f"""b.name, b.account_id, b.owner_id, b.process_id, b.stage_id, b.category, b.amount_minor, b.currency,
    b.close_date, {corporate_minor_sql("b")} AS corporate_minor"""
    condition = f"""b.organization_id = %(organization)s AND b.outcome IS NULL AND b.deleted_at IS NULL
    AND {owners.replace("%s", "%(owners)s")}"""
    if not question.is_past:
        return f"SELECT b.id AS opportunity_id, {columns} FROM pipeline_opportunity b WHERE {condition}"
    sight, more = seen_sql(question.visible, deal="o.id", owner="o.owner_id", prefix="today_")
    parameters |= more
    return f"""SELECT b.opportunity_id, {columns} FROM pipeline_opportunityversion b
  JOIN pipeline_opportunity o ON o.organization_id = b.organization_id AND o.id = b.opportunity_id
  WHERE {condition} AND {as_of_condition("b", instant="as_of", known="known")} AND o.deleted_at IS NULL AND {sight}"""


def _parameters(
    question: Question, *, inactive: Collection[UUID], unmanaged: Collection[UUID]
) -> dict[str, Any]:
    return {
        "organization": str(question.organization.id),
        "corporate": question.currency,
        "as_of": question.as_of,
        "known": question.known,
        "since": question.as_of - timedelta(days=LOOK_BACK_DAYS),
        "day": question.day,
        "inactive": sorted(map(str, inactive)),
        "unmanaged": sorted(map(str, unmanaged)),
    }
