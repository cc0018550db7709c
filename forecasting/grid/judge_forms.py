"""The form that judges one deal: what was typed, or what stands, in the words of the form."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from forecasting.judgements.models import DealJudgement, Verdict
from forecasting.judgements.report import JudgedDeal
from forecasting.judgements.services import SomebodyJudged
from pipeline.opportunities.cells import written_amount

CHOICES = [(value, label) for value, label in Verdict.choices if value != Verdict.WITHDRAWN]


@dataclass(frozen=True)
class JudgeForm:
    """`expected` is the step that was read; `theirs` the one of somebody who was faster."""

    deal: str
    verdict: str = ""
    value: str = ""
    reason: str = ""
    expected: str = ""
    error: str = ""
    theirs: DealJudgement | None = None

    @classmethod
    def typed(cls, posted: Mapping[str, str]) -> Self:
        deal, verdict, value, reason, expected = (
            posted.get(name, "")[:1000] for name in ("deal", "verdict", "value", "reason", "expected")
        )
        return cls(deal, verdict, value, reason, expected)

    @classmethod
    def of(cls, row: JudgedDeal) -> Self:
        """What stands, so that to change a judgement is not to say it anew."""
        deal, step = str(row.part.opportunity_id), row.step
        expected = str(step.id) if step else ""
        if step is None or row.effect is None:
            return cls(deal, expected=expected)
        return cls(deal, step.verdict, value_of(step), step.reason, expected)

    @property
    def choices(self) -> list[tuple[str, str]]:
        return CHOICES

    @property
    def said(self) -> str:
        """The verdict as the form words it."""
        return dict(Verdict.choices).get(self.verdict, "")

    def with_error(self, error: str) -> Self:
        return replace(self, error=error)

    def after(self, faster: SomebodyJudged) -> Self:
        """To save again is to write over what is seen now."""
        theirs = faster.step
        return replace(self, error=str(faster), theirs=theirs, expected=str(theirs.id) if theirs else "")


def value_of(step: DealJudgement) -> str:
    if step.close_date is not None:
        return step.close_date.isoformat()
    return "" if step.amount_minor is None else written_amount(step.amount_minor, currency=step.currency)
