"""What others say of the period, beside its landing: baselines, the people's word and the latest call."""

from dataclasses import dataclass

from forecasting.calls.models import CallColumn
from forecasting.calls.queries import latest_calls
from forecasting.history.report import whose
from forecasting.landing.report import LandingReport
from forecasting.rollup.report import RollupReport, rollup_report
from otc.money.queries import shown_minor
from otc.question import Question
from otc.tenancy.lines import UNASSIGNED, people_by_id

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
        _call(found, rolled),
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


def _call(found: LandingReport, rolled: RollupReport) -> Forecaster:
    """The call of whom the scope is; of several tops what they called together, once each of them has."""
    question = found.question
    person_id = whose(question, rolled)
    tops = [
        row.person_id for row in rolled.rows if row.depth == 0 and not row.is_unassigned and row.person_id
    ]
    asked = [person_id] if person_id else [] if question.scope == UNASSIGNED else tops
    type_id = found.type.id if found.type else None
    calls = latest_calls(question.period.key, as_of=question.as_of, column=COMMIT, type_id=type_id)
    said = [calls[one].amount_minor for one in asked if one in calls]
    label = f"Call, {people_by_id()[asked[0]].name.split()[0]}" if len(asked) == 1 else "Calls of the tops"
    minor = sum(said) if asked and len(said) == len(asked) else None
    why = "nobody calls for it" if not asked else "no call yet" if not said else "not all have called"
    return Forecaster("call", label, _shown(question, minor), why)


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
