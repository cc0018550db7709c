"""What a page says of each of its deals: as it stands, as it stood, who changed it when, and its activities."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.inspection.found import Place
from forecasting.inspection.parts import counting_of
from forecasting.inspection.queries import frame_parameters
from otc.money.queries import corporate_minor_sql
from otc.question import Question
from pipeline.parts.queries import splits_count
from pipeline.team.queries import seen_sql

WEEKS = 12
# What an inspection follows, by the version's columns.
FOLLOWED = {
    "stage": ("stage_id",),
    "amount": ("amount_minor", "currency"),
    "close": ("close_date",),
    "category": ("category",),
    "owner": ("owner_id",),
}


@dataclass(frozen=True)
class DealRow:
    """One open deal of the period, with what it was at the compared instant (was_*; None: not there then).

    `is_seated`: shown for a seat on its team or in its splits, and counted with its owner, in no sum here.
    `is_hidden`: it left the viewer's sight since, or only somebody's part of it is in the scope; it keeps its amount
    and bears no name. `share_bp` is what the scope's people have of a split deal, in basis points: its corporate
    amounts are those parts. None where the deal counts whole.
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
    product_name: str | None
    amount_minor: int | None
    currency: str
    corporate_minor: int | None
    close_date: date | None
    next_step: str
    next_step_on: date | None
    existed: bool
    was_stage_id: UUID | None
    was_stage_name: str | None
    was_stage_position: int | None
    was_category: str | None
    was_amount_minor: int | None
    was_currency: str | None
    was_corporate_minor: int | None
    was_close_date: date | None
    was_owner_id: UUID | None
    was_owner_name: str | None
    health: int | None
    failed: list[dict[str, Any]] | None
    p_slip: float | None
    p_won: float | None
    share_bp: int | None
    is_hidden: bool
    is_seated: bool
    group_key: str


def _hidden_sql(question: Question) -> tuple[str, dict[str, Any]]:
    """SQL: the deal of `b` was in scope at the question's instant and is out of the viewer's sight today."""
    if not question.is_past and not splits_count():
        return "false", {}
    condition, values = seen_sql(question.visible, deal="o.id", owner="o.owner_id", prefix="today_")
    return (
        "NOT EXISTS (SELECT 1 FROM pipeline_opportunity o WHERE o.organization_id = b.organization_id "
        f"AND o.id = b.opportunity_id AND {condition})",
        values,
    )


def deal_rows(question: Question, *, since: datetime, places: Sequence[Place]) -> list[DealRow]:
    """The deals at these places, in their order. One query."""
    if not places:
        return []
    hidden, values = _hidden_sql(question)
    parameters = frame_parameters(question, since) | values
    parameters |= {
        "ids": [str(place.version_id) for place in places],
        "was": [str(place.was_version_id) if place.was_version_id else None for place in places],
        "counts": [not place.is_seated for place in places],
    }
    now, _ = counting_of(question, since, parameters)
    minor = now.shown_minor(corporate_minor_sql("b"), "b", counts="x.counts")
    was_minor = now.was_minor(
        corporate_minor_sql("a", known="known0"), before="a", after="b", counts="x.counts"
    )
    latest = "true" if not question.is_past else "false"
    sql = f"""
SELECT b.opportunity_id, b.name, ac.name, b.owner_id, p.name, b.stage_id, sb.name, sb.position, b.category, pr.name,
  b.amount_minor, b.currency, {minor}, b.close_date, b.next_step, b.next_step_on,
  a.id IS NOT NULL, a.stage_id, sa.name, sa.position, a.category, a.amount_minor, a.currency,
  {was_minor}, a.close_date, a.owner_id, pa.name,
  h.score, h.failed, k.p_slip, k.p_won, {now.share_bp("b", counts="x.counts")}, {hidden}
FROM unnest(%(ids)s::uuid[], %(was)s::uuid[], %(counts)s::boolean[]) WITH ORDINALITY AS x(id, was_id, counts, place)
JOIN pipeline_opportunityversion b ON b.organization_id = %(organization)s AND b.id = x.id
LEFT JOIN pipeline_opportunityversion a ON a.organization_id = %(organization)s AND a.id = x.was_id
LEFT JOIN pipeline_stage sb ON sb.organization_id = b.organization_id AND sb.id = b.stage_id
LEFT JOIN pipeline_stage sa ON sa.organization_id = a.organization_id AND sa.id = a.stage_id
LEFT JOIN pipeline_account ac ON ac.organization_id = b.organization_id AND ac.id = b.account_id
LEFT JOIN pipeline_product pr ON pr.organization_id = b.organization_id AND pr.id = b.product_id
LEFT JOIN otc_person p ON p.organization_id = b.organization_id AND p.id = b.owner_id
LEFT JOIN otc_person pa ON pa.organization_id = a.organization_id AND pa.id = a.owner_id
LEFT JOIN pipeline_health h ON h.organization_id = b.organization_id
  AND h.opportunity_id = b.opportunity_id AND {latest}
LEFT JOIN pipeline_risk k ON k.organization_id = b.organization_id
  AND k.opportunity_id = b.opportunity_id AND {latest}
ORDER BY x.place"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = cursor.fetchall()
    return [_deal_row(row, place) for row, place in zip(found, places, strict=True)]


FAILED = [field.name for field in fields(DealRow)].index("failed")


def _deal_row(row: tuple[Any, ...], place: Place) -> DealRow:
    """The database hands JSON over as text. A hidden deal bears nothing that would tell which it is."""
    values = list(row)
    values[FAILED] = json.loads(row[FAILED]) if row[FAILED] is not None else None
    values += [place.is_seated, place.group_key]
    deal = DealRow(*values)
    return (
        replace(deal, name="", account_name=None, next_step="", next_step_on=None) if deal.is_hidden else deal
    )


@dataclass(frozen=True)
class Change:
    """The last change of one thing about a deal between the instants: when, by whom (None: by nobody that is known),
    for whom they stood in, and over which channel (ui, api, import, task).
    """

    at: datetime
    actor_name: str | None
    acted_for_name: str | None
    channel: str


def changes_of(
    question: Question, *, since: datetime, deals: Iterable[DealRow]
) -> dict[tuple[UUID, str], Change]:
    """By deal and by key of FOLLOWED: its last change after `since`, as known at the question. One query."""
    ids = [str(deal.opportunity_id) for deal in deals if deal.existed and not deal.is_hidden]
    if not ids:
        return {}
    differs = ", ".join(
        " OR ".join(f"v.{column} IS DISTINCT FROM lag(v.{column}) OVER w" for column in columns)
        for columns in FOLLOWED.values()
    )
    sql = f"""
SELECT v.opportunity_id, v.valid_from, p.name, f.name, v.channel, v.valid_from > %(t0)s, {differs}
FROM pipeline_opportunityversion v
LEFT JOIN otc_person p ON p.organization_id = v.organization_id AND p.id = v.actor_id
LEFT JOIN otc_person f ON f.organization_id = v.organization_id AND f.id = v.acted_for_id
WHERE v.organization_id = %(organization)s AND v.opportunity_id = ANY(%(ids)s::uuid[])
  AND v.valid_from <= %(t1)s AND v.valid_to > %(t0)s AND v.known_from <= %(known)s AND v.known_to > %(known)s
WINDOW w AS (PARTITION BY v.opportunity_id ORDER BY v.valid_from) ORDER BY v.opportunity_id, v.valid_from"""
    found: dict[tuple[UUID, str], Change] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, frame_parameters(question, since) | {"ids": ids})
        for deal_id, at, actor, acted_for, channel, is_after, *differences in cursor.fetchall():
            for name, is_different in zip(FOLLOWED, differences, strict=True):
                if is_after and is_different:
                    found[deal_id, name] = Change(at, actor, acted_for, channel)
    return found


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
