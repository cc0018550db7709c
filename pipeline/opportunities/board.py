"""The board: open deals by stage with counts and sums of all of them, a few cards each, and what was won."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, OuterRef, Q, Subquery

from otc.money.rules import CurrencySum
from otc.question import Question
from otc.tenancy.context import current_organization_id
from pipeline.history.queries import versions_as_of
from pipeline.opportunities.asked import Asked, conditions
from pipeline.opportunities.queries import deals_of
from pipeline.opportunities.report import DealRow, deal_rows, unconvertible_sums
from pipeline.process.models import Stage
from pipeline.process.versions import stages_then

CARDS = 20
WON_CARDS = 8

# The chances are read by one walk of their index over just these deals. A plain join reads those of every open deal
# where these are few, and a look-up for each deal costs most where they are many.
OPEN = f"""
WITH d AS MATERIALIZED ({{inner}}),
chance AS (
  SELECT opportunity_id, close_date, p_won FROM pipeline_risk
  WHERE organization_id = %s AND opportunity_id = ANY (ARRAY(SELECT deal_id FROM d)))
SELECT d.stage_id, count(*), sum(d.corporate_minor), sum(d.corporate_minor * chance.p_won),
  count(*) FILTER (WHERE d.amount_minor IS NOT NULL AND d.corporate_minor IS NULL),
  (array_agg(d.deal_id ORDER BY d.close_date, d.deal_id))[:{CARDS}]
FROM d LEFT JOIN chance ON chance.opportunity_id = d.deal_id AND chance.close_date = d.close_date
GROUP BY d.stage_id
"""
WON = f"""
SELECT NULL, count(*), sum(d.corporate_minor), NULL,
  count(*) FILTER (WHERE d.amount_minor IS NOT NULL AND d.corporate_minor IS NULL),
  (array_agg(d.deal_id ORDER BY d.closed_at DESC, d.deal_id))[:{WON_CARDS}]
FROM ({{inner}}) d
"""


@dataclass(frozen=True)
class Sums:
    """Over all deals of a column: corporate minor units, the same by chance, how many have no rate; its first deals."""

    stage_id: UUID | None = None
    count: int = 0
    total_minor: Decimal | None = None
    expected_minor: float | None = None
    unconvertible: int = 0
    first: list[UUID] | None = None


@dataclass(frozen=True)
class Column:
    """A stage with the sums of all its deals in corporate minor units, and its first cards. id None: no stage.

    `expected_minor` is the sum of amount x chance of winning, None while no chance is known.
    """

    id: UUID | None
    name: str
    objective: str
    count: int
    total_minor: int
    expected_minor: int | None
    unconvertible: int
    cards: tuple[DealRow, ...]

    @property
    def more(self) -> int:
        return self.count - len(self.cards)


@dataclass(frozen=True)
class BoardReport:
    """The open columns, the won one, and how many deals moved forward and back since the compared instant."""

    columns: tuple[Column, ...]
    won: Column
    forward: int
    back: int
    unconvertible_sums: tuple[CurrencySum, ...] = ()

    @property
    def count(self) -> int:
        return sum(column.count for column in self.columns)

    @property
    def moved(self) -> int:
        return self.forward + self.back

    @property
    def total_minor(self) -> int:
        return sum(column.total_minor for column in self.columns)

    @property
    def unconvertible(self) -> int:
        return sum(column.unconvertible for column in self.columns)

    @property
    def late_stage(self) -> str:
        """The first stage of the later half, by which the answer cuts the sum."""
        staged = [column for column in self.columns if column.id is not None]
        return staged[len(staged) // 2].name if staged else ""

    @property
    def late_minor(self) -> int:
        staged = [column for column in self.columns if column.id is not None]
        return sum(column.total_minor for column in staged[len(staged) // 2 :])


def board_report(question: Question, asked: Asked, *, since: datetime) -> BoardReport:
    """Six queries, two more for words, whatever the number of deals.

    `asked` narrows the open columns; won follows its period.
    """
    asked = replace(asked, filter=asked.filter.found(is_past=question.is_past))
    rows = replace(asked.filter, state="open").apply(deals_of(question))
    sums = {found.stage_id: found for found in _open_sums(rows)}
    won_filter = replace(asked.filter, state="won", stage_id=None, category=None, period=question.period)
    won = _won_sums(won_filter.apply(deals_of(question)))
    first = [deal_id for found in (*sums.values(), won) for deal_id in found.first or ()]
    cards = {row.id: row for row in deal_rows(question, first, since=since)}
    forward, back = _moves(rows, question, since=since)
    return BoardReport(
        columns=tuple(_column(stage, sums, cards) for stage in _stages(sums, question)),
        won=_won(won, question, cards),
        forward=forward,
        back=back,
        unconvertible_sums=unconvertible_sums(rows)
        if any(found.unconvertible for found in sums.values())
        else (),
    )


def _open_sums(rows: Any) -> list[Sums]:
    """Of each stage that holds some of the rows. One query."""
    columns = ("deal_id", "stage_id", "amount_minor", "corporate_minor", "close_date")
    inner, values = rows.order_by().values(*columns).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(OPEN.format(inner=inner), [*values, str(current_organization_id())])
        return [Sums(*found) for found in cursor.fetchall()]


def _won_sums(rows: Any) -> Sums:
    """Of all rows together. One query."""
    columns = ("deal_id", "amount_minor", "corporate_minor", "closed_at")
    inner, values = rows.order_by().values(*columns).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(WON.format(inner=inner), values)
        return Sums(*cursor.fetchone())


def _stages(sums: Mapping[UUID | None, Sums], question: Question) -> list[Stage | None]:
    """Every stage of the default process and any other that holds deals; None where deals have no stage. Where all
    deals are in other processes, the stages of those alone.
    """
    held = [stage_id for stage_id in sums if stage_id is not None]
    stages = list(
        Stage.objects.filter(Q(process__is_default=True) | Q(process__stages__id__in=held))
        .distinct()
        .select_related("process")
    )
    if held and not any(stage.process.is_default and stage.id in sums for stage in stages):
        stages = [stage for stage in stages if not stage.process.is_default]
    else:
        stages = [stage for stage in stages if stage.process.is_default or stage.id in sums]
    stages = [stage for stage in stages if stage.retired_at is None or stage.id in sums]
    if question.is_past:
        _as_called_then(stages, question.as_of)
    ordered = sorted(
        stages, key=lambda stage: (not stage.process.is_default, stage.process.name, stage.position)
    )
    return [None, *ordered] if None in sums else list(ordered)


def _as_called_then(stages: Iterable[Stage], instant: datetime) -> None:
    """Give each stage the name and the place that it had. One query."""
    then = stages_then(instant)
    for stage in stages:
        if stage.id in then:
            stage.name, stage.position = then[stage.id].name, then[stage.id].position


def _id(stage: Stage | None) -> UUID | None:
    return stage.id if stage else None


def _column(stage: Stage | None, sums: Mapping[UUID | None, Sums], cards: Mapping[UUID, DealRow]) -> Column:
    found = sums.get(_id(stage), Sums())
    return Column(
        id=_id(stage),
        name=stage.name if stage else "No stage",
        objective=stage.objective if stage else "",
        count=found.count,
        total_minor=int(found.total_minor or 0),
        expected_minor=None if found.expected_minor is None else round(found.expected_minor),
        unconvertible=found.unconvertible,
        cards=tuple(cards[deal_id] for deal_id in found.first or ()),
    )


def _won(found: Sums, question: Question, cards: Mapping[UUID, DealRow]) -> Column:
    return Column(
        id=None,
        name="Won",
        objective=f"Won with a close date in {question.period.label}",
        count=found.count,
        total_minor=int(found.total_minor or 0),
        expected_minor=None,
        unconvertible=found.unconvertible,
        cards=tuple(cards[deal_id] for deal_id in found.first or ()),
    )


def _moves(rows: Any, question: Question, *, since: datetime) -> tuple[int, int]:
    """How many of the deals stand in a later, and how many in an earlier stage than at `since`."""
    deal = OuterRef("opportunity_id" if question.is_past else "id")
    stood = versions_as_of(since, known=question.known).filter(opportunity_id=deal)
    was = Subquery(stood.values("stage__position")[:1])
    moved = rows.filter(conditions(question, since=since)["changed"]).annotate(was=was)
    counts = moved.aggregate(
        forward=Count("deal_id", filter=Q(stage__position__gt=F("was"))),
        back=Count("deal_id", filter=Q(stage__position__lt=F("was"))),
    )
    return counts["forward"], counts["back"]
