"""Which deals changed the open pipeline most since an instant, and what happened to each: in the waterfall's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.inspection.queries import Pass, frame_parameters
from forecasting.waterfall.rules import (
    ABSENT,
    EVERYONE,
    Bucket,
    Frame,
    Part,
    PartState,
    Scope,
    Unconvertible,
    movement,
)
from otc.money.queries import corporate_minor_sql
from otc.question import Question
from otc.tenancy.lines import Owners
from pipeline.history.queries import as_of_condition
from pipeline.team.queries import seen_sql

VERBS = {
    Bucket.NEW: "is new",
    Bucket.REOPENED: "reopened",
    Bucket.TRANSFERRED_IN: "was handed over to here",
    Bucket.PULLED_IN: "pulled in",
    Bucket.PUSHED_IN: "pushed in from before",
    Bucket.INCLUDED: "counts again",
    Bucket.INCREASED: "grew",
    Bucket.DECREASED: "shrank",
    Bucket.CURRENCY: "moved with its currency",
    Bucket.WON: "was won",
    Bucket.LOST: "was lost",
    Bucket.NO_DECISION: "ended without a decision",
    Bucket.TRANSFERRED_OUT: "was handed over",
    Bucket.PUSHED_OUT: "pushed out",
    Bucket.PULLED_OUT: "pulled out",
    Bucket.DELETED: "was deleted",
    Bucket.OMITTED: "was omitted",
}


@dataclass(frozen=True)
class Cause:
    """One deal's share of a change of the open pipeline in corporate minor units; `deal_id` None: it is out of the
    viewer's sight, or it stands for `others` deals together.
    """

    deal_id: UUID | None
    name: str
    verb: str
    amount_minor: int
    others: int = 0


_STATE = "{0}.deleted_at IS NOT NULL, {0}.outcome, {0}.category, {0}.close_date, {0}.owner_id, {0}.currency"


def causes(question: Question, *, since: datetime, found: Pass) -> list[Cause]:
    """The deals that moved the open pipeline most, and the rest in one: they add up to its change. One query."""
    if not found.most_moved:
        return []
    effects = dict(found.most_moved)
    scopes = _scope(question.owners_at(since)), _scope(question.owners)
    frame = Frame(question.period, *scopes, question.currency)
    named = {
        deal_id: _cause(row, frame=frame, amount_minor=effects[deal_id])
        for deal_id, row in _states(question, since, list(effects)).items()
    }
    ordered = [named[deal_id] for deal_id, _ in found.most_moved]
    rest = found.moved_count - len(ordered)
    if rest:
        minor = found.moved_minor - sum(effects.values())
        ordered.append(Cause(None, f"{rest:,} {'other' if rest == 1 else 'others'}", "", minor, others=rest))
    return ordered


def _cause(row: Sequence[Any], *, frame: Frame, amount_minor: int) -> Cause:
    deal_id, name, is_visible, *states = row
    part = Part(deal_id, _state(states[:8]), _state(states[8:]))
    verb = _verb(part, frame=frame)
    if not is_visible:
        return Cause(None, "a deal of somebody else", verb, amount_minor)
    return Cause(deal_id, name, verb, amount_minor)


def _verb(part: Part, *, frame: Frame) -> str:
    """What took or brought the most of it, with the days of a push."""
    try:
        effects = movement(part, frame=frame).effects
    except Unconvertible:
        effects = ()
    if not effects:
        return "lost its rate"
    bucket = max(effects, key=lambda effect: abs(effect[1]))[0]
    days = _days(part.before.close_date, part.after.close_date)
    if bucket in (Bucket.PUSHED_OUT, Bucket.PULLED_IN) and days:
        return f"{'pushed' if days > 0 else 'pulled in'} {abs(days)} {'day' if abs(days) == 1 else 'days'}"
    return VERBS[bucket]


def _days(before: date | None, after: date | None) -> int:
    return (after - before).days if before and after else 0


def _states(question: Question, since: datetime, ids: list[UUID]) -> dict[UUID, tuple[Any, ...]]:
    """Name, whether the viewer may see it today, and both states of these deals, by id."""
    visible, values = seen_sql(question.visible, deal="o.id", owner="o.owner_id")
    columns = ", ".join(
        f"{alias}.id IS NOT NULL, {_STATE.format(alias)}, {corporate_minor_sql(alias, known=known)}"
        for alias, known in (("a", "known0"), ("b", "known"))
    )
    sql = f"""
SELECT o.id, coalesce(b.name, a.name, o.name), coalesce({visible}, false), {columns}
FROM pipeline_opportunity o
LEFT JOIN pipeline_opportunityversion a ON a.organization_id = o.organization_id AND a.opportunity_id = o.id
  AND {as_of_condition("a", instant="t0", known="known0")}
LEFT JOIN pipeline_opportunityversion b ON b.organization_id = o.organization_id AND b.opportunity_id = o.id
  AND {as_of_condition("b", instant="t1", known="known")}
WHERE o.organization_id = %(organization)s AND o.id = ANY(%(ids)s::uuid[])"""
    with connection.cursor() as cursor:
        cursor.execute(sql, frame_parameters(question, since) | values | {"ids": [str(one) for one in ids]})
        return {row[0]: row for row in cursor.fetchall()}


def _state(row: Sequence[Any]) -> PartState:
    """Amounts are in the totals' currency here: only what a deal did is asked, not what its rate did."""
    exists, deleted, outcome, category, close_date, owner, _, minor = row
    if not exists:
        return ABSENT
    return PartState(
        deleted=deleted,
        outcome=outcome,
        category=category,
        close_date=close_date,
        owner=owner,
        amount_minor=minor,
        corporate_minor=0 if minor is None else minor,
    )


def _scope(owners: Owners) -> Scope:
    if owners.person_ids is None:
        return EVERYONE
    return Scope(owners.person_ids | ({None} if owners.unassigned else frozenset()))
