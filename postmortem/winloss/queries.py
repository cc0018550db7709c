"""Counts, amounts and cycle times of closed deals by what they are grouped by: one query over versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.rollup.queries import owner_parameters, part_condition, part_minor
from otc.calendar.rules import Period
from otc.money.queries import corporate_minor_sql
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import Owners
from pipeline.history.queries import as_of_condition
from pipeline.parts.queries import splits_count
from postmortem.winloss.rules import Closed


@dataclass(frozen=True)
class GroupRow:
    """One group, or the total (`is_total`). `key` is an id or a text; a quarter is the first day of it."""

    is_total: bool
    key: Any
    name: str | None
    closed: Closed
    cycle_days: float | None
    unconvertible: int
    without_amount: int


@dataclass(frozen=True)
class _Grouping:
    """SQL of a key, of its name, and the joins that they need; `v` is the version of the deal."""

    key: str
    name: str
    joins: str = ""


def _named(table: str, column: str) -> _Grouping:
    join = f"LEFT JOIN {table} named ON named.organization_id = v.organization_id AND named.id = {column}"
    return _Grouping(column, "named.name", join)


# The first day of the fiscal quarter that holds the close date, out of all first days in order.
_QUARTER = "(%(quarters)s::date[])[width_bucket(v.close_date, %(quarters)s::date[])]"

GROUPINGS: dict[str, _Grouping] = {
    "reason": _named("pipeline_closereason", "v.reason_id"),
    "product": _named("pipeline_product", "v.product_id"),
    "competitor": _named("pipeline_competitor", "v.competitor_id"),
    "account": _named("pipeline_account", "v.account_id"),
    "person": _named("otc_person", "v.owner_id"),
    "manager": _Grouping(
        "line.manager_id",
        "named.name",
        "LEFT JOIN otc_reportingline line ON line.organization_id = v.organization_id"
        " AND line.person_id = v.owner_id AND line.valid_from <= %(chart)s AND line.valid_to > %(chart)s"
        " LEFT JOIN otc_person named ON named.organization_id = v.organization_id AND named.id = line.manager_id",
    ),
    "source": _Grouping("v.source", "v.source"),
    "kind": _Grouping("v.kind", "v.kind"),
    "quarter": _Grouping(_QUARTER, "NULL::text"),
}


def _counted(owners: Owners) -> tuple[str, str]:
    """SQL over `v`: what the owners have of its amount, and whether any of it is theirs. A deal counts once."""
    is_split = splits_count()
    minor = part_minor(corporate_minor_sql("v"), "v", owners=owners, prefix="scope", is_split=is_split)
    return minor, part_condition("v", prefix="scope", is_split=is_split)


def _sql(grouping: _Grouping, owners: Owners) -> str:
    minor, is_owned = _counted(owners)
    amounts = ", ".join(
        f"coalesce(sum(corporate_minor) FILTER (WHERE outcome = '{outcome}'), 0)::bigint"
        for outcome in ("won", "lost", "no_decision")
    )
    return f"""
        WITH closed AS (
          SELECT v.outcome, v.amount_minor, {minor} AS corporate_minor,
            v.close_date - (o.created_at AT TIME ZONE %(timezone)s)::date AS cycle_days,
            {grouping.key} AS key, {grouping.name} AS name
          FROM pipeline_opportunityversion v
          JOIN pipeline_opportunity o ON o.organization_id = v.organization_id AND o.id = v.opportunity_id
          {grouping.joins}
          WHERE v.organization_id = %(organization)s AND v.outcome IS NOT NULL AND v.deleted_at IS NULL
            AND (%(first)s::date IS NULL OR (v.close_date >= %(first)s AND v.close_date < %(end)s))
            AND {as_of_condition("v", instant="as_of", known="known")}
            AND {is_owned}
        )
        SELECT grouping(key) = 1, key, name,
          count(*) FILTER (WHERE outcome = 'won'), count(*) FILTER (WHERE outcome = 'lost'),
          count(*) FILTER (WHERE outcome = 'no_decision'), {amounts},
          percentile_cont(0.5) WITHIN GROUP (ORDER BY cycle_days) FILTER (WHERE outcome = 'won'),
          count(*) FILTER (WHERE amount_minor IS NOT NULL AND corporate_minor IS NULL),
          count(*) FILTER (WHERE amount_minor IS NULL)
        FROM closed GROUP BY GROUPING SETS ((key, name), ())
    """


def closed_by_group(
    group_by: str,
    *,
    period: Period | None,
    as_of: datetime,
    known: datetime,
    chart: datetime,
    owners: Owners,
    corporate: str,
    timezone: str,
    quarters: Sequence[date] = (),
) -> list[GroupRow]:
    """Every group of closed deals with close date in the period (None: all time), and the total of them.

    `quarters` are the first days of the fiscal quarters, in order: what a group by quarter goes by.
    A group by manager follows the line in force at `chart`. A cycle runs from creation to the close date.
    """
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "first": period.first if period else None,
        "end": period.end if period else None,
        "as_of": as_of,
        "known": known,
        "chart": chart,
        "corporate": corporate,
        "timezone": timezone,
        "quarters": list(quarters),
        **owner_parameters(owners, prefix="scope"),
    }
    with connection.cursor() as cursor:
        cursor.execute(_sql(GROUPINGS[group_by], owners), parameters)
        return [_group_row(row) for row in cursor.fetchall()]


def _group_row(row: tuple[Any, ...]) -> GroupRow:
    is_total, key, name, won, lost, no_decision, won_minor, lost_minor, no_decision_minor, *rest = row
    closed = Closed(won, lost, no_decision, won_minor, lost_minor, no_decision_minor)
    return GroupRow(is_total, key, name, closed, *rest)


def unconvertible_closed(
    *, period: Period | None, as_of: datetime, known: datetime, owners: Owners, corporate: str
) -> list[tuple[UUID, str, int, str]]:
    """(id, name, native minor units, currency) of the closed deals in the period that have no rate, by
    name.
    """
    minor, is_owned = _counted(owners)
    sql = f"""
        SELECT * FROM (
          SELECT v.opportunity_id, v.name, v.amount_minor, v.currency, {minor} AS corporate_minor
          FROM pipeline_opportunityversion v
          WHERE v.organization_id = %(organization)s AND v.outcome IS NOT NULL AND v.deleted_at IS NULL
            AND v.currency <> %(corporate)s AND v.amount_minor IS NOT NULL
            AND (%(first)s::date IS NULL OR (v.close_date >= %(first)s AND v.close_date < %(end)s))
            AND {as_of_condition("v", instant="as_of", known="known")}
            AND {is_owned}
        ) AS closed WHERE corporate_minor IS NULL ORDER BY name, opportunity_id
    """
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "first": period.first if period else None,
        "end": period.end if period else None,
        "as_of": as_of,
        "known": known,
        "corporate": corporate,
        **owner_parameters(owners, prefix="scope"),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[:4] for row in cursor.fetchall()]
