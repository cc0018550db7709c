"""Who said what of a period, week by week: on time or late, beside the team's sum and what came of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from forecasting.calls.models import Call, CallColumn
from forecasting.calls.queries import latest_calls
from forecasting.calls.reminders import callers
from forecasting.rhythm.queries import beat_now
from forecasting.rhythm.rules import Beat, Punctuality, Said, instant_of, punctuality
from forecasting.rollup.report import RollupReport, rollup_report
from otc.money.queries import shown_minor
from otc.question import Question
from otc.tenancy.lines import Named, people_by_id
from otc.tenancy.models import Person
from otc.ui.bar import in_line_order

MOST_WEEKS, MOST_SAID = 8, 60


@dataclass(frozen=True)
class CallWeek:
    """What stood at a deadline (minor units; None: nothing yet), and how that deadline was met."""

    due: datetime
    amount_minor: int | None
    said: Said

    @property
    def is_late(self) -> bool:
        return self.said.state in (Punctuality.LATE, Punctuality.MISSING)


@dataclass(frozen=True)
class CallRow:
    """A person's latest call, the sum of their direct reports' latest, and what is closed or was won in the end.

    Who left, or calls no more, isn't asked: what they said stays.
    """

    person: Person | Named
    depth: int
    latest: Call | None
    call_minor: int | None
    team_minor: int | None
    closed_minor: int
    seen_minor: int
    weeks: tuple[CallWeek, ...]
    is_asked: bool = True

    @property
    def above_team_minor(self) -> int | None:
        """The manager's own call less the team's: None where one of them is missing."""
        if self.call_minor is None or self.team_minor is None:
            return None
        return self.call_minor - self.team_minor

    @property
    def state(self) -> str:
        """How the latest deadline was met, "ahead" while it lies ahead; empty without one, and for who isn't asked."""
        return self.weeks[-1].said.state.value if self.weeks and self.is_asked else ""


@dataclass(frozen=True)
class CallsReport:
    """`next_due` is None for periods that have no weekly deadline or are over."""

    column: str
    rows: tuple[CallRow, ...]
    dues: tuple[datetime, ...]
    next_due: datetime | None
    said: tuple[Call, ...]

    @property
    def asked(self) -> tuple[CallRow, ...]:
        return tuple(row for row in self.rows if row.is_asked)

    @property
    def missing(self) -> tuple[CallRow, ...]:
        """Who hasn't called for the latest deadline, or for the next one while there was none."""
        open_states = (Punctuality.MISSING.value, Punctuality.AHEAD.value)
        return tuple(row for row in self.rows if row.state in open_states)


def calls_report(
    question: Question, *, column: str = CallColumn.COMMIT, type_id: UUID | None = None
) -> CallsReport:
    """Calls of the question's period and scope as of its instant."""
    expected = {person.id: person for person in callers(now=question.as_of, today=question.day)}
    owners = question.owners
    seen: dict[UUID, Person | Named] = {
        person_id: one for person_id, one in expected.items() if owners.contains(person_id)
    }
    calls = Call.objects.filter(owners.matching("person"), period=question.period.key, type_id=type_id)
    calls = calls.filter(submitted_at__lte=question.as_of).order_by("submitted_at")
    found = list(calls)
    for one in people_by_id({call.person_id for call in found} - seen.keys()).values():
        seen[one.id] = one
    beat = beat_now()
    dues = deadlines(question, beat=beat)
    rolled = rollup_report(question.organization, period=question.period, type_id=type_id, **question.frame)
    rows = _rows(
        question,
        seen,
        expected.keys(),
        [call for call in found if call.column == column],
        dues,
        rolled,
        column,
    )
    ahead = [due for due in dues if due > question.as_of]
    return CallsReport(
        column=column,
        rows=rows,
        dues=tuple(due for due in dues if due <= question.as_of),
        next_due=ahead[0] if ahead else None,
        said=tuple(reversed(found[-MOST_SAID:])),
    )


def deadlines(question: Question, *, beat: Beat) -> list[datetime]:
    """The period's deadlines up to the next one after the question's instant; none for other kinds of periods."""
    period = question.period
    if period.kind != beat.call_kind:
        return []
    due = beat.call_due(period.first, zone=question.zone)
    found: list[datetime] = []
    end = instant_of(period.end, 0, zone=question.zone)
    while due < end and (not found or found[-1] <= question.as_of):
        found.append(due)
        due = beat.call_due((due.astimezone(question.zone) + timedelta(days=1)).date(), zone=question.zone)
    return found[-MOST_WEEKS:]


def prefill(question: Question, *, type_id: UUID | None = None) -> dict[str, int]:
    """What the viewer's own row of the rollup shows them, by call column: the fourth amount."""
    asked = question.frame | {"scope": str(question.viewer.id), "currency": question.organization.currency}
    report = rollup_report(question.organization, period=question.period, type_id=type_id, **asked)
    row = next((one for one in report.rows if one.person_id == question.viewer.id), None)
    return {column: row.amounts[column].seen if row else 0 for column in CallColumn.values}


def last_said(question: Question, *, type_id: UUID | None = None) -> dict[str, Call]:
    """The viewer's latest calls by column: "same as last week"."""
    found = {
        column: latest_calls(question.period.key, as_of=question.now, column=column, type_id=type_id)
        for column in CallColumn.values
    }
    return {
        column: calls[question.viewer.id] for column, calls in found.items() if question.viewer.id in calls
    }


def _rows(
    question: Question,
    people: Mapping[UUID, Person | Named],
    asked: Collection[UUID],
    calls: list[Call],
    dues: list[datetime],
    rolled: RollupReport,
    column: str,
) -> tuple[CallRow, ...]:
    by_person: dict[UUID, list[Call]] = {}
    for call in calls:
        by_person.setdefault(call.person_id, []).append(call)
    latest = {person_id: said[-1] for person_id, said in by_person.items()}
    minor = _shown(question, {call.id: call.amount_minor for call in calls})
    amounts = {row.person_id: row.amounts for row in rolled.rows}
    chart = question.chart
    ordered = in_line_order(chart, people)
    ordered += [(person_id, 0) for person_id in people if person_id not in dict(ordered)]
    rows = []
    for person_id, depth in ordered:
        said = by_person.get(person_id, [])
        team = [minor.get(latest[one].id) for one in chart.reports.get(person_id, ()) if one in latest]
        known = [amount for amount in team if amount is not None]
        mine = amounts.get(person_id)
        rows.append(
            CallRow(
                person=people[person_id],
                depth=depth,
                latest=latest.get(person_id),
                call_minor=minor.get(latest[person_id].id) if person_id in latest else None,
                team_minor=sum(known) if known else None,
                closed_minor=mine["closed"].final if mine else 0,
                seen_minor=mine[column].final if mine else 0,
                weeks=tuple(_week(due, said, minor, now=question.as_of) for due in dues),
                is_asked=person_id in asked,
            )
        )
    return tuple(rows)


def _week(due: datetime, said: list[Call], minor: Mapping[UUID, int], *, now: datetime) -> CallWeek:
    met = punctuality(due, [call.submitted_at for call in said], now=now)
    until = met.at if met.state is Punctuality.LATE and met.at else due
    stood = [call for call in said if call.submitted_at <= until]
    return CallWeek(due, minor.get(stood[-1].id) if stood else None, met)


def _shown(question: Question, amounts: dict[UUID, int]) -> dict[Any, int]:
    return shown_minor(
        amounts,
        own=question.organization.currency,
        currency=question.currency,
        day=question.period.last,
        known=question.known,
    )
