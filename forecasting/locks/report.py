"""A locked grid beside another day's: what each person's columns were, are, and which deals made the difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from forecasting.calls.queries import latest_calls
from forecasting.locks.models import Lock, LockedRow, RowKind
from forecasting.locks.moved import End, Moved, moved_deals
from forecasting.locks.queries import period_of_lock
from forecasting.rollup.report import PersonRow, RollupReport, rollup_report
from forecasting.types.queries import TypeCondition, type_condition
from otc.calendar.rules import Period
from otc.question import Question
from otc.tenancy.lines import Owners
from pipeline.process.columns import COLUMNS

ROLLED_UP, FINAL = 1, 4


@dataclass(frozen=True)
class DifferenceCell:
    """The final amount at the lock and now; `deals_minor` is what deals alone changed, without any adjustment."""

    then_minor: int
    now_minor: int
    deals_minor: int

    @property
    def difference_minor(self) -> int:
        return self.now_minor - self.then_minor

    @property
    def adjustments_minor(self) -> int:
        """What adjustments (and lines that changed) make of it."""
        return self.difference_minor - self.deals_minor


@dataclass(frozen=True)
class DifferenceRow:
    """`is_new` came after the lock, `is_gone` is in the lock only. Calls are those for commit."""

    kind: str
    person_id: UUID | None
    name: str
    title: str
    depth: int
    cells: Mapping[str, DifferenceCell]
    quota_then_minor: int | None
    quota_now_minor: int | None
    call_then_minor: int | None
    call_now_minor: int | None
    is_new: bool = False
    is_gone: bool = False

    @property
    def differs(self) -> bool:
        return self.is_new or self.is_gone or any(cell.difference_minor for cell in self.cells.values())


@dataclass(frozen=True)
class DifferenceReport:
    """Rows in the order of the lock, then who is new; `total` only for who sees everything."""

    lock: Lock
    rows: tuple[DifferenceRow, ...]
    total: DifferenceRow | None
    moved: Moved
    column: str

    @property
    def differing(self) -> tuple[DifferenceRow, ...]:
        return tuple(row for row in self.rows if row.differs)


def difference_report(
    question: Question, lock: Lock, *, column: str, type_id: UUID | None = None
) -> DifferenceReport:
    """The locked grid against that of the question's instant, as far as the viewer may see today.

    `type_id` is one type of a lock of the whole period; a type's own lock has that type only. `question` is asked of
    the lock's period. Its scope narrows the moved deals; its currency is left out: a lock is in
    the organization's.
    """
    type_id = lock.type_id or type_id
    period = period_of_lock(lock, organization=question.organization)
    report = rollup_report(
        question.organization,
        period=period,
        type_id=type_id,
        **(question.frame | {"scope": "", "currency": lock.currency}),
    )
    visible = question.visible.owners
    kept = [
        row
        for row in LockedRow.objects.filter(lock=lock, type_id=type_id).order_by("place")
        if _may_see(row, visible)
    ]
    calls = {
        person_id: call.amount_minor
        for person_id, call in latest_calls(period.key, as_of=question.as_of, type_id=type_id).items()
    }
    return DifferenceReport(
        lock=lock,
        rows=_rows(kept, report, calls=calls),
        total=next((_row(row, report.total, calls) for row in kept if row.kind == RowKind.TOTAL), None),
        moved=moved_deals(
            period,
            column=column,
            then=End(
                lock.locked_at,
                lock.locked_at,
                question.owners_at(lock.locked_at),
                _type(question, period, lock.locked_at, type_id),
            ),
            now=End(
                question.as_of,
                question.known,
                question.owners,
                _type(question, period, question.as_of, type_id),
            ),
            corporate=lock.currency,
        ),
        column=column,
    )


def _type(question: Question, period: Period, instant: datetime, type_id: UUID | None) -> TypeCondition:
    """Which deals were of the type then: by the filter of the instant, of a period that was over by that of its end."""
    ended = question.start_of(period.end)
    return type_condition(question.organization, type_id=type_id, instant=min(instant, ended))


def _rows(
    kept: list[LockedRow], report: RollupReport, *, calls: Mapping[UUID, int]
) -> tuple[DifferenceRow, ...]:
    now = {row.person_id: row for row in report.rows}
    people = [row for row in kept if row.kind == RowKind.PERSON]
    known = {row.person_id for row in people}
    rows = [_row(row, now.get(row.person_id), calls) for row in people]
    rows += [_new(row, calls) for row in report.rows if row.person_id not in known]
    rows += [_row(row, report.unassigned, calls) for row in kept if row.kind == RowKind.UNASSIGNED]
    return tuple(rows)


def _may_see(row: LockedRow, visible: Owners) -> bool:
    if row.kind == RowKind.PERSON:
        return visible.contains(row.person_id)
    return visible.unassigned and (row.kind == RowKind.UNASSIGNED or visible.person_ids is None)


def _row(then: LockedRow, now: PersonRow | None, calls: Mapping[UUID, int]) -> DifferenceRow:
    call = then.calls.get("commit_cumulative")
    return DifferenceRow(
        kind=then.kind,
        person_id=then.person_id,
        name=then.name,
        title=then.title,
        depth=then.depth,
        cells={column: _cell(then.amounts.get(column), now, column) for column in COLUMNS},
        quota_then_minor=then.quota_minor,
        quota_now_minor=now.quota_minor if now else None,
        call_then_minor=call["amount_minor"] if call else None,
        call_now_minor=calls.get(then.person_id) if then.person_id else None,
        is_gone=now is None,
    )


def _new(now: PersonRow, calls: Mapping[UUID, int]) -> DifferenceRow:
    return DifferenceRow(
        kind=RowKind.PERSON,
        person_id=now.person_id,
        name=now.name,
        title=now.title,
        depth=now.depth,
        cells={column: _cell(None, now, column) for column in COLUMNS},
        quota_then_minor=None,
        quota_now_minor=now.quota_minor,
        call_then_minor=None,
        call_now_minor=calls.get(now.person_id) if now.person_id else None,
        is_new=True,
    )


def _cell(then: Any, now: PersonRow | None, column: str) -> DifferenceCell:
    """A column that one of the two doesn't have counts as nothing there."""
    was = then or (0, 0, 0, 0, 0)
    amounts = now.amounts[column] if now else None
    return DifferenceCell(
        then_minor=was[FINAL],
        now_minor=amounts.final if amounts else 0,
        deals_minor=(amounts.rolled_up if amounts else 0) - was[ROLLED_UP],
    )
