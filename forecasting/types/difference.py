"""What would another filter change? A period's forecast of a type before and after, and which deals come and go."""

from collections.abc import Mapping
from dataclasses import dataclass

from forecasting.rollup.report import RollupReport, rollup_report
from forecasting.types.models import ForecastType
from forecasting.types.queries import NO_DEAL, condition_of
from forecasting.types.rules import Conditions
from otc.calendar.rules import Period
from otc.question import Question
from pipeline.process.columns import COLUMNS


@dataclass(frozen=True)
class TypeDifference:
    """A period's amounts without adjustments, in minor units by column, and its deals that count."""

    period: Period
    before: Mapping[str, int]
    after: Mapping[str, int]
    deals_before: int
    deals_after: int

    @property
    def changes(self) -> bool:
        return self.before != self.after or self.deals_before != self.deals_after


def type_difference(
    question: Question, *, period: Period, type_: ForecastType | None, conditions: Conditions
) -> TypeDifference:
    """The forecast of `type_` (None: one that isn't there yet) as it is, and by `conditions`. Nothing is written."""
    organization = question.organization
    wanted = condition_of(organization, conditions)
    now = {"type_id": type_.id} if type_ else {"condition": NO_DEAL}
    before, after = (
        rollup_report(organization, period=period, **(question.frame | by))
        for by in (now, {**now, "condition": wanted})
    )
    return TypeDifference(
        period, _sums(before), _sums(after), before.total.deal_count, after.total.deal_count
    )


def _sums(report: RollupReport) -> dict[str, int]:
    return {column: report.total.amounts[column].rolled_up for column in COLUMNS}
