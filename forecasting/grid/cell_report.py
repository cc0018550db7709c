"""One cell of the forecast: its five amounts, who put what on top, everything that was said, and the deals behind."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from forecasting.adjustments.models import AdjustmentStep, StepKind
from forecasting.adjustments.queries import latest_step, steps_of_cell
from forecasting.adjustments.rules import Cell
from forecasting.grid.queries import DealRow, deals_of
from forecasting.judgements.report import JudgedDeal, judged_deals
from forecasting.locks.queries import is_locked
from forecasting.rollup.adjusted import EffectRow
from forecasting.rollup.report import PersonRow, RollupReport, rollup_report, rules_instant
from forecasting.rollup.rules import ADJUSTABLE, Amounts, Tree
from forecasting.types.models import ForecastType
from forecasting.types.queries import type_condition
from otc.question import Question
from otc.tenancy.lines import Chart, Owners
from otc.tenancy.middleware import Tenant
from pipeline.process.columns import COLUMNS


@dataclass(frozen=True)
class Step:
    """What somebody said in the cell. `in_force` counts now."""

    step: AdjustmentStep
    in_force: bool


@dataclass(frozen=True)
class CellReport:
    """`here` are the adjustments on the person, `below` those on the people below, which amount 3 holds."""

    question: Question
    row: PersonRow
    column: str
    rollup: RollupReport
    here: tuple[EffectRow, ...]
    below: tuple[EffectRow, ...]
    steps: tuple[Step, ...]
    deals: Sequence[DealRow]
    judged: Sequence[JudgedDeal] = ()
    type: ForecastType | None = None

    @property
    def amounts(self) -> Amounts:
        return self.row.amounts[self.column]

    @property
    def effects(self) -> tuple[EffectRow, ...]:
        return (*self.below, *self.here)

    @property
    def of_reports_minor(self) -> int:
        """What the reports' branches bring without adjustments."""
        return self.amounts.rolled_up - self.amounts.own

    @property
    def below_minor(self) -> int:
        """What the adjustments below come to."""
        return self.amounts.with_reports_adjustments - self.amounts.rolled_up


def cell_report(question: Question, *, column: str, type_: ForecastType | None = None) -> CellReport | None:
    """The cell of the person that the question's scope names; None for somebody who isn't in the period's grid."""
    person_id = UUID(question.scope)
    type_id, organization = type_.id if type_ else None, question.organization
    report = rollup_report(organization, period=question.period, type_id=type_id, **question.frame)
    row = next((one for one in report.rows if one.person_id == person_id), None)
    if row is None:
        return None
    effects = [effect for effect in report.effects if effect.column == column]
    counting = {effect.step_id for effect in effects}
    said = steps_of_cell(
        question.period.key, column=column, person_id=person_id, as_of=question.as_of, type_id=type_id
    )
    instant = rules_instant(question.period, question.as_of, organization)
    deals = deals_of(
        Owners(frozenset([person_id]), False),
        period=question.period,
        as_of=question.as_of,
        known=question.known,
        corporate=question.currency,
        condition=type_condition(organization, type_id=type_id, instant=instant),
    )
    return CellReport(
        question=question,
        row=row,
        column=column,
        rollup=report,
        here=tuple(effect for effect in effects if effect.person_id == person_id),
        below=tuple(effect for effect in effects if effect.person_id != person_id),
        steps=tuple(
            Step(step, step.id in counting) for step in said if step.is_own or person_id != question.viewer.id
        ),
        deals=[
            deal for deal in deals.get(person_id, ()) if (deal.category or "no_category") in COLUMNS[column]
        ],
        judged=() if type_ else _judged(question, person_id, column=column, effects=effects),
        type=type_,
    )


def _judged(
    question: Question, person_id: UUID, *, column: str, effects: Sequence[EffectRow]
) -> list[JudgedDeal]:
    """Nobody reads how they are judged themselves."""
    if column not in ADJUSTABLE or person_id == question.viewer.id:
        return []
    judged = [deal for effect in effects if effect.person_id == person_id for deal in effect.deals]
    return judged_deals(question, person_id=person_id, column=column, effects=judged)


def adjustable(
    tenant: Tenant,
    question: Question,
    *,
    column: str,
    people: Collection[UUID],
    type_: ForecastType | None = None,
) -> frozenset[UUID]:
    """Of whom the viewer may adjust the column: themselves, and those whose adjuster they are; nobody in the past, in a
    period that is over or locked, in another currency than the organization's, or of a type that is retired.
    """
    if question.is_past or column not in ADJUSTABLE or not tenant.may("adjust_forecast"):
        return frozenset()
    if question.period.end <= tenant.today or question.currency != question.organization.currency:
        return frozenset()
    if type_ and type_.retired_at is not None:
        return frozenset()
    if is_locked(question.period.key, type_id=type_.id if type_ else None):
        return frozenset()
    return adjusted_by(tenant.person.id, chart=tenant.chart, people=people)


def adjusted_by(person_id: UUID, *, chart: Chart, people: Collection[UUID]) -> frozenset[UUID]:
    """Those of `people` whom somebody adjusts: themselves and their reports, across a vacant manager too."""
    tree = Tree(chart.manager_of, chart.vacant)
    return frozenset(one for one in people if one == person_id or tree.adjuster_of(one) == person_id)


def latest_said(cell: Cell, *, is_own: bool) -> AdjustmentStep | None:
    """The latest step of a role that wasn't withdrawn: what the editor begins with."""
    step = latest_step(
        cell.period.key, column=cell.column, person_id=cell.person_id, is_own=is_own, type_id=cell.type_id
    )
    return None if step is None or step.kind == StepKind.WITHDRAWN else step
