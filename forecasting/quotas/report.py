"""The quotas of a fiscal year: people by quarters along the line, a team's own beside the sum of its reports'."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from forecasting.quotas.models import Quota, QuotaRamp
from forecasting.quotas.queries import quotas_at, ramps_at
from forecasting.quotas.rules import Ramp, ramped
from otc.calendar.rules import Kind, Period, periods_of_year
from otc.question import Question
from otc.tenancy.lines import Named, people_by_id
from otc.ui.bar import in_line_order

MOST_ROWS = 200


@dataclass(frozen=True)
class QuotaCell:
    """A person's quota for a period in corporate minor units (None: none), what a ramp leaves of it, and what the
    reports' come to (None: nobody below has one).
    """

    period: Period
    amount_minor: int | None
    effective_minor: int | None
    below_minor: int | None

    @property
    def gap_minor(self) -> int | None:
        """The team's own less the sum below: over-assigned where it is negative."""
        if self.amount_minor is None or self.below_minor is None:
            return None
        return self.amount_minor - self.below_minor


@dataclass(frozen=True)
class QuotaRow:
    person: Named
    depth: int
    cells: tuple[QuotaCell, ...]
    ramp: Ramp | None
    is_manager: bool

    @property
    def year_minor(self) -> int | None:
        """The sum over the year; None where there is no quota in it."""
        given = [cell.amount_minor for cell in self.cells if cell.amount_minor is not None]
        return sum(given) if given else None


@dataclass(frozen=True)
class QuotaYear:
    """`rows` are at most MOST_ROWS people; `hidden_count` says how many more the scope has. `totals` are of the people
    at the top of the scope, ramps not counted: a team's own, else the sum below it.
    """

    year: int
    periods: tuple[Period, ...]
    rows: tuple[QuotaRow, ...]
    hidden_count: int
    totals: tuple[int | None, ...]


def quota_year_report(
    question: Question, *, year: int, type_id: UUID | None = None, kind: Kind = Kind.QUARTER
) -> QuotaYear:
    """The scope's quotas of a fiscal year as of the question's instant. Four queries."""
    periods = tuple(periods_of_year(year, kind=kind, calendar=question.calendar))
    chart = question.chart
    visible = {person for person in chart.manager_of if question.owners.contains(person)}
    people = people_by_id(visible)
    keys = [period.key for period in periods]
    quotas = quotas_at(keys, known=question.known, at=question.as_of, type_id=type_id)
    ramps = ramps_at(question.known)
    by_period = {
        period.key: {person: quota for (person, key), quota in quotas.items() if key == period.key}
        for period in periods
    }
    rows = []
    order = in_line_order(chart, people)
    for person_id, depth in order[:MOST_ROWS]:
        reports = chart.reports.get(person_id, ())
        cells = tuple(
            _cell(person_id, period, by_period[period.key], ramps, reports, chart.reports)
            for period in periods
        )
        rows.append(QuotaRow(people[person_id], depth, cells, ramps.get(person_id), bool(reports)))
    tops = [person for person, depth in order if depth == 0]
    totals = tuple(_sum(tops, by_period[period.key], chart.reports) for period in periods)
    return QuotaYear(year, periods, tuple(rows), max(0, len(order) - MOST_ROWS), totals)


def _cell(
    person_id: UUID,
    period: Period,
    quotas: Mapping[UUID, Quota],
    ramps: Mapping[UUID, Ramp],
    reports: Sequence[UUID],
    below: Mapping[UUID, list[UUID]],
) -> QuotaCell:
    amount = quotas[person_id].amount_minor if person_id in quotas else None
    effective = (
        None
        if amount is None
        else ramped(amount, first=period.first, end=period.end, ramp=ramps.get(person_id))
    )
    return QuotaCell(period, amount, effective, _sum(reports, quotas, below))


def _sum(
    people: Sequence[UUID], quotas: Mapping[UUID, Quota], below: Mapping[UUID, list[UUID]]
) -> int | None:
    """What these people are asked for: the own quota, else the sum of the reports', all the way down."""
    found, waiting = [], list(people)
    while waiting:
        person = waiting.pop()
        if person in quotas:
            found.append(quotas[person].amount_minor)
        else:
            waiting += below.get(person, ())
    return sum(found) if found else None


def quota_history(person_id: UUID, period_key: str) -> tuple[list[Quota], list[QuotaRamp]]:
    """What a quota was from when to when, the latest first, and what was said of the person's ramp. Two queries."""
    quotas = Quota.objects.filter(person_id=person_id, period=period_key).select_related("set_by", "type")
    ramps = QuotaRamp.objects.filter(person_id=person_id).select_related("set_by")
    return list(quotas.order_by("-valid_from", "-known_from")), list(ramps.order_by("-said_at"))
