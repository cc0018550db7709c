"""The forecast's page put together: the rollup now and before, calls, adjustments, and which rows stand open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from forecasting.adjustments.queries import adjustments_keep
from forecasting.calls.report import deadlines
from forecasting.grid.columns import Layout, layout_of
from forecasting.grid.queries import DealRow, amounts_of, deals_of
from forecasting.grid.rules import Node, Rest, below_counts, opened_by_default, shown_rows
from forecasting.grid.said import Said, calls_said
from forecasting.judgements.queries import judgements_keep
from forecasting.rhythm.queries import beat_now
from forecasting.rollup.adjusted import EffectRow
from forecasting.rollup.report import PersonRow, RollupReport, rollup_report, rules_instant
from forecasting.types.models import ForecastType
from forecasting.types.queries import TypeCondition, type_asked, type_condition
from otc.question import Question, parse_uuid
from otc.tenancy.lines import UNASSIGNED, Owners, charts_keep


@dataclass(frozen=True)
class Asked:
    """What of the grid is open: `opened` and `shut` differ from what stands open by itself; of managers in `whole`
    every report is shown; of `with_deals` (None: nobody) the deals stand below.
    """

    opened: frozenset[UUID] = frozenset()
    shut: frozenset[UUID] = frozenset()
    whole: frozenset[UUID | None] = frozenset()
    with_deals: frozenset[UUID | None] = frozenset()


def asked_of(parameters: Mapping[str, str]) -> Asked:
    """`open`, `shut`, `more` and `deals`: ids with commas between. Raises BadQuestion."""

    def ids(name: str) -> frozenset[UUID]:
        texts = [
            text for text in parameters.get(name, "").split(",") if text and text not in (UNASSIGNED, "tops")
        ]
        return frozenset(parse_uuid(text, name) for text in texts)

    def nobody(name: str, word: str) -> frozenset[None]:
        return frozenset([None]) if word in parameters.get(name, "").split(",") else frozenset()

    return Asked(
        opened=ids("open"),
        shut=ids("shut"),
        whole=ids("more") | nobody("more", "tops"),
        with_deals=ids("deals") | nobody("deals", UNASSIGNED),
    )


@dataclass(frozen=True)
class GridReport:
    """Everything that the page, its exports and its print show. `due` is the next deadline of calls, `adjusted` what
    adjustments do in the column in focus. `type` None is the forecast of all deals.
    """

    question: Question
    layout: Layout
    now: RollupReport
    before: RollupReport
    calls: Mapping[UUID, Said]
    asked: Asked
    due: datetime | None = None
    adjusted: Sequence[EffectRow] = ()
    deals: Mapping[UUID | None, Sequence[DealRow]] = field(default_factory=dict)
    deals_before: Mapping[tuple[UUID, UUID | None], tuple[str | None, int]] = field(default_factory=dict)
    type: ForecastType | None = None

    @property
    def type_id(self) -> UUID | None:
        return self.type.id if self.type else None

    @property
    def is_over(self) -> bool:
        return self.question.period.end <= self.question.day

    @cached_property
    def people(self) -> dict[UUID | None, PersonRow]:
        return {row.person_id: row for row in self.now.rows if not row.is_unassigned}

    @cached_property
    def earlier(self) -> dict[UUID | None, PersonRow]:
        return {row.person_id: row for row in self.before.rows}

    @cached_property
    def opened_by_default(self) -> frozenset[UUID]:
        return opened_by_default(self._nodes)

    @cached_property
    def opened(self) -> frozenset[UUID]:
        return (self.opened_by_default | self.asked.opened) - self.asked.shut

    @cached_property
    def rows(self) -> list[Node | Rest]:
        """The rows of the page in its order."""
        return shown_rows(self._nodes, opened=self.opened, whole=self.asked.whole)

    @cached_property
    def _nodes(self) -> list[Node]:
        return [Node(row.person_id, row.depth, row.reports) for row in self.people.values()]

    @cached_property
    def effects(self) -> dict[UUID, list[EffectRow]]:
        """The adjustments in force of the column in focus, by person."""
        found: dict[UUID, list[EffectRow]] = {}
        for effect in self.adjusted:
            found.setdefault(effect.person_id, []).append(effect)
        return found

    @cached_property
    def effects_below(self) -> dict[UUID, int]:
        pairs = ((row.person_id, row.manager_id) for row in self.people.values())
        return below_counts(pairs, effects=self.effects)

    @cached_property
    def people_without_call(self) -> list[PersonRow]:
        """Who owes a call for the running period: everybody with a quota, deals or reports who has said nothing; nobody
        where calls aren't asked for, as of a month beside the quarter.
        """
        if self.due is None or self.question.day < self.question.period.first:
            return []
        return [
            row
            for row in self.people.values()
            if row.person_id not in self.calls and (row.quota_minor or row.deal_count or row.reports)
        ]

    def change(self, row: PersonRow, column: str) -> int:
        """What a cell gained since; a person who wasn't there then gained all of it."""
        before = self._earlier(row)
        return row.amounts[column].final - (before.amounts[column].final if before else 0)

    def reported_change(self, row: PersonRow) -> int:
        before, column = self._earlier(row), self.layout.focus
        return row.amounts[column].rolled_up - (before.amounts[column].rolled_up if before else 0)

    def total_change(self, column: str) -> int:
        return self.now.total.amounts[column].final - self.before.total.amounts[column].final

    def _earlier(self, row: PersonRow) -> PersonRow | None:
        return self.before.unassigned if row.person_id is None else self.earlier.get(row.person_id)


def grid_report(question: Question, *, since: datetime, parameters: Mapping[str, str]) -> GridReport:
    """The grid that `parameters` ask for. Raises BadQuestion."""
    asked = asked_of(parameters)
    type_ = type_asked(parameters.get("type", ""))
    organization, type_id = question.organization, type_.id if type_ else None
    _read_both_ends(question, since, type_id)
    now = rollup_report(organization, period=question.period, type_id=type_id, **question.frame)
    earlier = question.frame | {"as_of": since, "type_id": type_id}
    before = rollup_report(organization, period=question.period, is_compared=True, **earlier)
    layout = layout_of(parameters, has_no_category=bool(now.total.amounts["no_category"].rolled_up))
    dues = deadlines(question, beat=beat_now())
    passed = [due for due in dues if due <= question.as_of]
    calls = calls_said(
        question,
        column=layout.call_column,
        since=since,
        due=passed[-1] if passed else None,
        type_id=type_id,
    )
    known = {row.person_id for row in now.rows} | {None}
    owners = sorted(person_id for person_id in asked.with_deals & known if person_id)
    deals: Mapping[UUID | None, Sequence[DealRow]] = {}
    deals_before: Mapping[tuple[UUID, UUID | None], tuple[str | None, int]] = {}
    scope = question.owners
    whose = Owners(frozenset(owners), None in asked.with_deals and scope.unassigned)
    if owners or whose.unassigned:
        frame: dict[str, Any] = {"period": question.period, "corporate": question.currency, "owners": whose}
        deals = deals_of(
            as_of=question.as_of,
            known=question.known,
            condition=_condition(question, type_id, question.as_of),
            **frame,
        )
        ids = [deal.opportunity_id for found in deals.values() for deal in found]
        known_then = question.now if question.knowledge == "now" else since
        frame["condition"] = _condition(question, type_id, since)
        deals_before = amounts_of(ids, as_of=since, known=known_then, **frame)
    return GridReport(
        question,
        layout,
        now,
        before,
        calls,
        asked,
        adjusted=[one for one in now.effects if one.column == layout.focus],
        due=next((due for due in dues if due > question.as_of), None),
        deals=deals,
        deals_before=deals_before,
        type=type_,
    )


def _read_both_ends(question: Question, since: datetime, type_id: UUID | None) -> None:
    """What the rollup reads of the instant and of the one that it is compared with, each by one query."""
    ends = {question.as_of, since}
    charts_keep(ends if question.org_chart == "then" else {question.now})
    adjustments_keep(question.period.key, instants=ends, type_id=type_id)
    if type_id is None:
        judgements_keep(question.period.key, instants=ends)


def _condition(question: Question, type_id: UUID | None, as_of: datetime) -> TypeCondition:
    instant = rules_instant(question.period, as_of, question.organization)
    return type_condition(question.organization, type_id=type_id, instant=instant)
