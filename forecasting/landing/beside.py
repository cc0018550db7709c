"""What others say of the period, beside its landing: baselines, the people's word and the latest call."""

from dataclasses import dataclass

from forecasting.calls.models import CallColumn
from forecasting.calls.queries import calls_of
from forecasting.history.report import whose
from forecasting.landing.report import LandingReport
from forecasting.rollup.report import RollupReport, rollup_report
from otc.money.queries import shown_minor
from otc.question import Question
from otc.tenancy.lines import people_by_id

COMMIT = CallColumn.COMMIT.value


@dataclass(frozen=True)
class Forecaster:
    """One number for the period's end, in minor units; None where there is none to say, and `why`."""

    key: str
    label: str
    minor: int | None
    why: str = ""


def forecasters(found: LandingReport, rolled: RollupReport) -> list[Forecaster]:
    """The landing, then its baselines (DEFINITIONS 9), the call of whom the scope is, and the commit of `rolled`, the
    rollup of the same question.
    """
    commit = rolled.total.amounts[COMMIT]
    return [
        Forecaster("landing", "Landing", found.landing.mean_minor),
        *_call(found, rolled),
        Forecaster("stage_weighted", "Stage-weighted", found.stage_weighted_minor),
        Forecaster(
            "run_rate", "Run rate", found.run_rate_minor, "the last period had won nothing by this point"
        ),
        Forecaster("commit_reported", "Commit, reported", commit.rolled_up),
        Forecaster("commit_final", "Commit, final", commit.final),
    ]


def rollup_of(found: LandingReport) -> RollupReport:
    """The forecast of the same question; it also says which deals have no rate."""
    question = found.question
    return rollup_report(
        question.organization,
        period=question.period,
        type_id=found.type.id if found.type else None,
        **question.frame,
    )


def _call(found: LandingReport, rolled: RollupReport) -> list[Forecaster]:
    question = found.question
    person_id = whose(question, rolled)
    if person_id is None:
        return []
    type_id = found.type.id if found.type else None
    calls = calls_of(person_id, question.period.key, until=question.as_of, type_id=type_id)
    said = [call.amount_minor for call in calls if call.column == COMMIT]
    name = people_by_id()[person_id].name.split()[0]
    return [Forecaster("call", f"Call, {name}", _shown(question, said[-1] if said else None), "no call yet")]


def _shown(question: Question, minor: int | None) -> int | None:
    if minor is None:
        return None
    shown = shown_minor(
        {"": minor},
        own=question.organization.currency,
        currency=question.currency,
        day=question.period.last,
        known=question.known,
    )
    return shown.get("")
