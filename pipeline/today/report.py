"""Today: the deals of one person that need a decision now, each with why; for page and API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from otc.question import BadQuestion, Question, since_instant
from otc.tenancy.lines import EVERYONE, OWNED, UNASSIGNED, Owners
from pipeline.opportunities.queries import deals_of
from pipeline.opportunities.report import COLUMNS, DealRow, with_facts
from pipeline.today.models import DealAnswer
from pipeline.today.queries import Asked, Queue, answered_on, known_of, queue_of
from pipeline.today.rules import BY_KEY, OFF_TRACK, Reason, pushes
from pipeline.today.words import Act, acts, why

SHOWN = 15
DONE_SHOWN = 50
# A queue is what somebody goes through; a larger branch is inspected, and its leader sees only what they own.
LARGEST_BRANCH = 50


@dataclass(frozen=True)
class QueueRow:
    """A deal of the queue with why it is asked about: the most urgent reason, and a sentence for it and the others."""

    place: int
    deal: DealRow
    reasons: tuple[Reason, ...]
    worth: int
    headline: str
    detail: str
    acts: tuple[Act, ...]

    @property
    def reason(self) -> Reason:
        return self.reasons[0]

    @property
    def first(self) -> str:
        """The answer that is offered first."""
        return self.reason.answers[0]

    @property
    def names_account(self) -> bool:
        """Whether the deal's name begins with its account's."""
        return self.deal.name.startswith(self.deal.account_name or " ")

    @property
    def more_reasons(self) -> int:
        return len(self.reasons) - 1

    @property
    def can_be_on_track(self) -> bool:
        return not {reason.key for reason in self.reasons} & OFF_TRACK


@dataclass(frozen=True)
class Focus:
    """The deal in focus: what one has to know to answer, and the days that one keystroke pushes to."""

    row: QueueRow
    days_in_stage: int | None
    days_silent: int | None
    push_count: int
    pushes: tuple[tuple[str, date], ...]
    previous_id: UUID | None
    next_id: UUID | None


@dataclass(frozen=True)
class TodayReport:
    """The queue's first rows, what counts over all of it, and what was answered today by whose queue it is."""

    question: Question
    queue: Queue
    rows: tuple[QueueRow, ...]
    focus: Focus | None
    done: Sequence[DealAnswer]
    owners: Owners
    branch_size: int = 0

    @property
    def done_count(self) -> int:
        return len({answer.opportunity_id for answer in self.done})

    @property
    def more_count(self) -> int:
        return self.queue.count - len(self.rows)


def check_scope(question: Question) -> None:
    """Today is somebody's: raises BadQuestion for everyone at once."""
    if question.scope in (EVERYONE, OWNED):
        raise BadQuestion("scope", "Today is one person’s: ask for a person’s id, or for unassigned")


def today_report(question: Question, *, focus_on: UUID | None = None, limit: int = SHOWN) -> TodayReport:
    """What the scope's deals are asked about today, in the order of worth. Constant queries. Raises BadQuestion.

    Who looks and whose queue it is both put deals away by a snooze; any other answer holds for everybody.
    """
    check_scope(question)
    owners, branch_size = _owners(question)
    watchers = {question.viewer.id} | ({UUID(question.scope)} if question.scope != UNASSIGNED else set())
    queue = queue_of(question, owners=owners, watchers=watchers, limit=limit)
    rows = _rows(question, queue.asked)
    return TodayReport(
        question=question,
        queue=queue,
        rows=rows,
        focus=_focus(question, rows, focus_on=focus_on),
        done=answered_on(question.day, watchers=watchers, limit=DONE_SHOWN),
        owners=owners,
        branch_size=branch_size,
    )


def _owners(question: Question) -> tuple[Owners, int]:
    """Whose deals are asked about: the scope's, or of a branch too large to go through only its leader's.

    Beside them the size of a branch that was left out; 0 where none was.
    """
    owners = question.owners
    if question.scope == UNASSIGNED or owners.person_ids is None or len(owners.person_ids) <= LARGEST_BRANCH:
        return owners, 0
    return Owners(frozenset({UUID(question.scope)}), False), len(owners.person_ids)


def _rows(question: Question, asked: Sequence[Asked]) -> tuple[QueueRow, ...]:
    _, since = since_instant(question, "", last_visit=None)
    found = list(deals_of(question).filter(deal_id__in=[one.deal_id for one in asked]).values(*COLUMNS))
    deals = {row.id: row for row in with_facts(found, question, since=since)}
    rows = []
    for place, one in enumerate(asked, start=1):
        deal = deals[one.deal_id]
        headline, detail = why(deal, one.reasons, today=question.day)
        reasons = tuple(BY_KEY[key] for key in one.reasons)
        offered = acts(deal, reasons[0].answers, today=question.day)
        rows.append(QueueRow(place, deal, reasons, one.worth, headline, detail, offered))
    return tuple(rows)


def _focus(question: Question, rows: Sequence[QueueRow], *, focus_on: UUID | None) -> Focus | None:
    if not rows:
        return None
    place = next((index for index, row in enumerate(rows) if row.deal.id == focus_on), 0)
    row = rows[place]
    known = known_of(row.deal.id, now=question.now)
    return Focus(
        row=row,
        days_in_stage=_days_since(known.stage_since, question),
        days_silent=_days_since(known.last_contact, question),
        push_count=known.push_count,
        pushes=pushes(row.deal.close_date, today=question.day),
        previous_id=rows[place - 1].deal.id if place else None,
        next_id=rows[place + 1].deal.id if place + 1 < len(rows) else None,
    )


def _days_since(moment: datetime | None, question: Question) -> int | None:
    """Whole days of the organization's calendar."""
    return None if moment is None else max(0, (question.day - moment.astimezone(question.zone).date()).days)
