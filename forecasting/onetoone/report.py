"""A manager's people in one table, and one person's sheet for the talk with them: for page, CSV and API."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.db.models import Q

from forecasting.calls.models import Call, CallColumn
from forecasting.calls.queries import latest_calls
from forecasting.onetoone import queries
from forecasting.onetoone.models import AgreedAction, OneToOne
from forecasting.onetoone.queries import OwnerSums, TalkRow
from forecasting.onetoone.rules import FEW, Reason, reasons, worth
from forecasting.quotas.queries import branch_quota, branch_quotas, quotas_of
from forecasting.quotas.rules import Coverage, coverage
from otc.calendar.rules import Period, PeriodError, monday_before, previous
from otc.money.queries import shown_minor
from otc.question import Question
from otc.tenancy.lines import EVERYONE, UNASSIGNED, Named, Owners, people_by_id
from otc.tenancy.models import Person

PAST_PERIODS = 4


@dataclass(frozen=True)
class TeamRow:
    """A person with their branch in the period; minor units of the question's currency. `person` None: nobody's.

    `call_minor` is the person's latest commit call, `pushes` are since the period began.
    """

    person: Person | Named | None
    report_count: int
    sums: OwnerSums
    quota_minor: int | None
    call_minor: int | None
    pushes: int
    is_own: bool = False

    @property
    def coverage(self) -> Coverage:
        return coverage(self.sums.open_minor, won_minor=self.sums.won_minor, quota_minor=self.quota_minor)

    @property
    def commit_minor(self) -> int:
        """Commit with what is won."""
        return self.sums.commit_minor + self.sums.won_minor

    @property
    def hygiene(self) -> Fraction | None:
        count = self.sums.open_count
        return Fraction(count - self.sums.gaps_count, count) if count else None


@dataclass(frozen=True)
class Team:
    """The direct reports of `head`, else the heads of what the viewer sees; `total` is everything in the scope."""

    head: Named | None
    rows: tuple[TeamRow, ...]
    total: TeamRow


@dataclass(frozen=True)
class Past:
    """A past period: the last commit call before its end, what was won, the quota."""

    period: Period
    call_minor: int | None
    won_minor: int
    quota_minor: int | None

    @property
    def missed_minor(self) -> int | None:
        """Result less call: negative where less came than was called."""
        return None if self.call_minor is None else self.won_minor - self.call_minor


@dataclass(frozen=True)
class Talk:
    """A deal to talk about, and why, the weightiest reason first."""

    row: TalkRow
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Sheet:
    """What a one-to-one with `person` is about. `since` is the last talk, or Monday; `more` deals have a reason too."""

    person: Person
    row: TeamRow
    past: tuple[Past, ...]
    talks: tuple[Talk, ...]
    more: int
    since: datetime
    since_day: date
    is_since_talk: bool


def head_of(question: Question) -> UUID | None:
    """Whose reports the page shows: the scope's, else the viewer's own where they have any."""
    if question.scope not in (EVERYONE, UNASSIGNED):
        return UUID(question.scope)
    return question.viewer.id if question.chart.reports.get(question.viewer.id) else None


def members_of(head: UUID | None, *, question: Question) -> list[UUID]:
    """The head's direct reports; without a head whoever reports to nobody whom the viewer sees. A manager who left is
    none of them: what stands below a vacant seat is unassigned.
    """
    chart, seen = question.chart, question.visible.owners
    if head is not None:
        found = [person_id for person_id in chart.reports.get(head, []) if seen.contains(person_id)]
    else:
        found = [
            person_id
            for person_id, manager_id in chart.manager_of.items()
            if seen.contains(person_id) and (manager_id is None or not seen.contains(manager_id))
        ]
    return [person_id for person_id in found if person_id not in chart.vacant]


def team_report(question: Question) -> Team:
    """The people below the scope's head with their branches; own deals of the head and nobody's stand apart, so that
    the rows sum to the total. 6 queries.
    """
    people, chart = people_by_id(), question.chart
    head = head_of(question)
    owners = question.owners
    make = _Rows(question, owners)
    members = sorted(members_of(head, question=question), key=lambda one: (people[one].name_folded, str(one)))
    rows = [
        make.row(people[one], chart.counted_branch(one), report_count=len(chart.reports.get(one, [])))
        for one in members
    ]
    counted: set[UUID | None] = {person_id for one in members for person_id in chart.counted_branch(one)}
    if head is not None and head not in counted:
        counted.add(head)
        own = make.row(people[head], {head}, is_own=True)
        if own.sums.open_count or own.sums.won_minor or not members:
            rows.append(own)
    left = {owner for owner in make.sums if owner not in counted}
    if left:
        rows.append(make.row(None, left))
    whole = make.row(people.get(head) if head else None, set(make.sums) | set(make.pushes), is_total=True)
    return Team(people.get(head) if head else None, tuple(rows), whole)


class _Rows:
    """What every row is made from, read once."""

    def __init__(self, question: Question, owners: Owners) -> None:
        self.question, self.chart = question, question.chart
        self.sums = queries.owner_sums(question, owners=owners)
        self.pushes = queries.push_counts(question, owners=owners)
        own = question.organization.currency
        money: dict[str, Any] = {"own": own, "currency": question.currency, "known": question.known}
        given = quotas_of(question.period, at=question.as_of, **money)
        self.quotas = branch_quotas(chart=self.chart, quotas=given)
        calls = latest_calls(question.period.key, as_of=question.as_of)
        minors = {person_id: call.amount_minor for person_id, call in calls.items()}
        self.calls = shown_minor(minors, day=question.period.last, **money)

    def row(
        self,
        person: Person | Named | None,
        owners: set[UUID] | frozenset[UUID] | set[UUID | None],
        *,
        report_count: int = 0,
        is_own: bool = False,
        is_total: bool = False,
    ) -> TeamRow:
        quota_minor = None
        if person is not None and is_own and self.chart.reports.get(person.id):
            quota_minor = None
        elif person is not None:
            quota_minor = self.quotas.get(person.id)
        elif is_total:
            given = [self.quotas[one] for one in self._roots() if one in self.quotas]
            quota_minor = sum(given) if given else None
        is_called = person is not None and not is_own
        return TeamRow(
            person=person,
            report_count=report_count,
            sums=queries.sum_of(self.sums, owners, named=person.id if person else None),
            quota_minor=quota_minor,
            call_minor=self.calls.get(person.id) if person is not None and is_called else None,
            pushes=sum(self.pushes.get(owner, 0) for owner in owners),
            is_own=is_own,
        )

    def _roots(self) -> list[UUID]:
        return members_of(None, question=self.question)


def sheet_report(question: Question, *, person: Person, last_talk_on: date | None) -> Sheet:
    """Figures, past periods and deals to talk about of one person's branch. 9 queries."""
    owners = question.owners
    make = _Rows(question, owners)
    branch = question.chart.counted_branch(person.id)
    since_day = last_talk_on or monday_before(question.day)
    since = min(question.start_of(since_day), question.as_of)
    found = [
        Talk(row, why)
        for row in queries.talk_rows(question, owners=owners, since=since)
        if (why := reasons(row.facts))
    ]
    found.sort(
        key=lambda talk: worth(talk.reasons, corporate_minor=talk.row.facts.corporate_minor), reverse=True
    )
    return Sheet(
        person=person,
        row=make.row(person, branch, report_count=len(question.chart.reports.get(person.id, []))),
        past=past_periods(question, person=person, owners=owners),
        talks=tuple(found[:FEW]),
        more=max(0, len(found) - FEW),
        since=since,
        since_day=since_day,
        is_since_talk=last_talk_on is not None,
    )


def past_periods(question: Question, *, person: Person, owners: Owners) -> tuple[Past, ...]:
    """The last periods before the question's, the latest first. 2 queries, and one for quotas of each."""
    periods = [question.period]
    try:
        while len(periods) <= PAST_PERIODS:
            periods.append(previous(periods[-1]))
    except PeriodError:
        pass
    periods = [period for period in periods[1:] if period.first <= question.day]
    won = queries.won_by_period(question, periods=periods, owners=owners)
    calls = _last_calls(question, periods=periods, person_id=person.id)
    own, currency = question.organization.currency, question.currency
    return tuple(
        Past(
            period,
            shown_minor(
                {period.key: calls[period.key]} if period.key in calls else {},
                own=own,
                currency=currency,
                day=period.last,
                known=question.known,
            ).get(period.key),
            won.get(period.key, 0),
            branch_quota(
                person.id,
                chart=question.chart,
                quotas=quotas_of(period, own=own, currency=currency, known=question.known, at=question.as_of),
            ),
        )
        for period in periods
    )


def _last_calls(question: Question, *, periods: list[Period], person_id: UUID) -> dict[str, int]:
    """The last commit call that the person made before each period's end, in the organization's currency."""
    calls = Call.objects.filter(
        person_id=person_id,
        period__in=[period.key for period in periods],
        column=CallColumn.COMMIT,
        type_id=None,
        submitted_at__lte=question.as_of,
    )
    ends = {period.key: question.start_of(period.end) for period in periods}
    found: dict[str, int] = {}
    for key, at, amount_minor in calls.order_by("submitted_at").values_list(
        "period", "submitted_at", "amount_minor"
    ):
        if at < ends[key]:
            found[key] = amount_minor
    return found


def talks_of(person_id: UUID, *, day: date) -> Any:
    """What was noted of the talks up to a day, the latest first."""
    found = OneToOne.objects.filter(person_id=person_id, deleted_at__isnull=True, held_on__lte=day)
    return found.select_related("written_by").order_by("-held_on", "-id")


def actions_of(person_id: UUID, *, as_of: datetime) -> Any:
    """What was agreed and stood open at an instant, by the day it is due."""
    found = AgreedAction.objects.filter(person_id=person_id, agreed_at__lte=as_of, deleted_at__isnull=True)
    still = Q(done_at__isnull=True) | Q(done_at__gt=as_of)
    return found.filter(still).select_related("owner").order_by("due_on", "id")


def done_since(person_id: UUID, *, since: datetime, as_of: datetime) -> Any:
    """What was done since the last talk."""
    found = AgreedAction.objects.filter(
        person_id=person_id, deleted_at__isnull=True, done_at__gt=since, done_at__lte=as_of
    )
    return found.select_related("owner").order_by("-done_at", "-id")


def last_talk_on(person_id: UUID, *, before: date) -> date | None:
    """The day of the last talk before a day."""
    found: date | None = (
        OneToOne.objects.filter(person_id=person_id, deleted_at__isnull=True, held_on__lt=before)
        .order_by("-held_on")
        .values_list("held_on", flat=True)
        .first()
    )
    return found
