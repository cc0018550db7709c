"""How did a forecast get to where it is? The grid of a scope as of the end of each week, or of each day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from forecasting.calls.models import Call
from forecasting.calls.queries import calls_of
from forecasting.rollup.report import PersonRow, RollupReport, rollup_report
from forecasting.rollup.rules import Amounts
from otc.money.queries import shown_minor
from otc.question import Question
from otc.tenancy.lines import EVERYONE, OWNED, UNASSIGNED

MOST_POINTS = 15
STEPS = {"week": 7, "day": 1}


@dataclass(frozen=True)
class HistoryPoint:
    """The five amounts by column as of an instant, the quota of then, and by column the call that stood."""

    as_of: datetime
    amounts: Mapping[str, Amounts]
    quota_minor: int | None
    calls: Mapping[str, int]


@dataclass(frozen=True)
class HistoryReport:
    """`person_id` is whose calls they are: the scope's, or the only top's; None where several stand at the top."""

    step: str
    person_id: UUID | None
    points: tuple[HistoryPoint, ...]


def history_report(question: Question, *, step: str = "week", type_id: UUID | None = None) -> HistoryReport:
    """Points from the period's beginning (of days: the last fortnight) up to the question's instant, each computed as
    of then: a rollup a point, so never more than MOST_POINTS.
    """
    reports = [
        (
            instant,
            rollup_report(
                question.organization,
                period=question.period,
                type_id=type_id,
                **(question.frame | {"as_of": instant}),
            ),
        )
        for instant in instants(question, step=step)
    ]
    person_id = whose(question, reports[-1][1])
    calls = _calls(question, person_id, type_id)
    return HistoryReport(
        step=step,
        person_id=person_id,
        points=tuple(_point(question, instant, report, person_id, calls) for instant, report in reports),
    )


def instants(question: Question, *, step: str) -> list[datetime]:
    """Ends of days, evenly spaced back from the question's instant, which is the last of them; the first is the end
    of the day before the period. A long period has wider steps, in whole weeks.
    """
    period, day, wide = question.period, question.day, STEPS[step]
    first = period.first - timedelta(days=1)
    last = min(day, period.last)
    if step == "day":
        first = max(first, last - timedelta(days=MOST_POINTS - 1))
    while (last - first).days > wide * (MOST_POINTS - 2):
        wide += STEPS[step]
    found, back = [], last - timedelta(days=wide)
    while back > first:
        found.append(_end_of(question, back))
        back -= timedelta(days=wide)
    found.append(_end_of(question, first))
    ended = _end_of(question, period.last)
    here = min(question.as_of, ended)
    return [*(at for at in reversed(found) if at < here), here]


def _end_of(question: Question, day: date) -> datetime:
    return question.start_of(day + timedelta(days=1)) - timedelta(microseconds=1)


def whose(question: Question, report: RollupReport) -> UUID | None:
    """Whose number the scope's is: its own person, or the only top; None where several stand at the top."""
    if question.scope == UNASSIGNED:
        return None
    if question.scope not in (EVERYONE, OWNED):
        return UUID(question.scope)
    tops = [row.person_id for row in report.rows if row.depth == 0 and not row.is_unassigned]
    return tops[0] if len(tops) == 1 else None


def _point(
    question: Question, instant: datetime, report: RollupReport, person_id: UUID | None, calls: list[Call]
) -> HistoryPoint:
    row: PersonRow = report.total
    if question.scope not in (EVERYONE, OWNED, UNASSIGNED):
        row = next((one for one in report.rows if one.person_id == person_id), report.total)
    return HistoryPoint(
        as_of=instant,
        amounts=row.amounts,
        quota_minor=row.quota_minor,
        calls=_standing(question, instant, calls),
    )


def _calls(question: Question, person_id: UUID | None, type_id: UUID | None) -> list[Call]:
    if person_id is None:
        return []
    return calls_of(person_id, question.period.key, until=question.as_of, type_id=type_id)


def _standing(question: Question, instant: datetime, calls: list[Call]) -> dict[str, int]:
    """By column the last of the calls, which come in the order of time, that was submitted by then."""
    return shown_minor(
        {call.column: call.amount_minor for call in calls if call.submitted_at <= instant},
        own=question.organization.currency,
        currency=question.currency,
        day=question.period.last,
        known=question.known,
    )
