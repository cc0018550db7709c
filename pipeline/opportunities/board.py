"""The board: open deals by stage with counts and sums of all of them, a few cards each, and what was won."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, FloatField, OuterRef, Q, Subquery, Sum, Window
from django.db.models.functions import Cast, RowNumber

from otc.money.rules import CurrencySum
from otc.question import Question
from pipeline.history.queries import versions_as_of
from pipeline.opportunities.asked import Asked, conditions
from pipeline.opportunities.queries import deals_of
from pipeline.opportunities.report import DealRow, deal_rows, unconvertible_sums
from pipeline.process.models import Stage
from pipeline.process.versions import stages_then
from pipeline.risk.models import Risk

CARDS = 20
WON_CARDS = 8


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
    """Eight queries, two more for words, whatever the number of deals.

    `asked` narrows the open columns; won follows its period.
    """
    asked = replace(asked, filter=asked.filter.found(is_past=question.is_past))
    rows = replace(asked.filter, state="open").apply(deals_of(question))
    sums = {group["stage_id"]: group for group in _sums(rows, "stage_id", question)}
    first = _first(rows, "stage_id", CARDS, F("close_date").asc(nulls_last=True))
    won_filter = replace(asked.filter, state="won", stage_id=None, category=None, period=question.period)
    won_rows = won_filter.apply(deals_of(question))
    won_first = _first(won_rows, "outcome", WON_CARDS, F("closed_at").desc())
    shown = {row.id: row for row in deal_rows(question, [*first, *won_first], since=since)}
    cards = [shown[deal_id] for deal_id in first]
    forward, back = _moves(rows, question, since=since)
    return BoardReport(
        columns=tuple(
            _column(stage, sums, (card for card in cards if card.stage_id == _id(stage)))
            for stage in _stages(sums, question)
        ),
        won=_won(won_rows, question, tuple(shown[deal_id] for deal_id in won_first)),
        forward=forward,
        back=back,
        unconvertible_sums=unconvertible_sums(rows)
        if any(group["unconvertible"] for group in sums.values())
        else (),
    )


def _sums(rows: Any, group: str, question: Question) -> list[dict[str, Any]]:
    deal = OuterRef("opportunity_id" if question.is_past else "id")
    scores = Risk.objects.filter(opportunity_id=deal, close_date=OuterRef("close_date"))
    chance = Subquery(scores.values("p_won")[:1])
    expected = Cast(F("corporate_minor"), FloatField()) * F("p_won")
    found = (
        rows.annotate(p_won=chance)
        .values(group)
        .annotate(
            count=Count("deal_id"),
            total=Sum("corporate_minor"),
            expected=Sum(expected),
            unconvertible=Count(
                "deal_id", filter=Q(amount_minor__isnull=False, corporate_minor__isnull=True)
            ),
        )
        .order_by(group)
    )
    return list(found)


def _first(rows: Any, group: str, most: int, order: Any) -> list[UUID]:
    """The first `most` deals of each group, in order; what else is shown of them is read for these alone."""
    ranked = rows.annotate(
        place=Window(RowNumber(), partition_by=[F(group)], order_by=[order, F("deal_id").asc()])
    )
    return list(ranked.filter(place__lte=most).order_by("place").values_list("deal_id", flat=True))


def _stages(sums: dict[Any, Any], question: Question) -> list[Stage | None]:
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


def _column(stage: Stage | None, sums: dict[Any, Any], cards: Iterable[DealRow]) -> Column:
    group = sums.get(_id(stage), {})
    expected = group.get("expected")
    return Column(
        id=_id(stage),
        name=stage.name if stage else "No stage",
        objective=stage.objective if stage else "",
        count=group.get("count", 0),
        total_minor=int(group.get("total") or 0),
        expected_minor=None if expected is None else round(expected),
        unconvertible=group.get("unconvertible", 0),
        cards=tuple(cards),
    )


def _won(rows: Any, question: Question, cards: tuple[DealRow, ...]) -> Column:
    sums = {group["outcome"]: group for group in _sums(rows, "outcome", question)}
    group = sums.get("won", {})
    return Column(
        id=None,
        name="Won",
        objective=f"Won with a close date in {question.period.label}",
        count=group.get("count", 0),
        total_minor=int(group.get("total") or 0),
        expected_minor=None,
        unconvertible=group.get("unconvertible", 0),
        cards=cards,
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
