"""What would a change of the organization, a line or a leaving, do to a period's forecast?

Done, read, and taken back: the preview is made by the very services that will make the change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from forecasting.rollup.adjusted import EffectRow
from forecasting.rollup.report import PersonRow, RollupReport, rollup_report
from otc.question import Question
from otc.tenancy.context import current_context

COLUMNS = ("closed", "commit_cumulative", "best_case_cumulative", "open")


@dataclass(frozen=True)
class PersonChange:
    """One person, or unassigned (None): final amounts by column before and after, in corporate minor units; who leads
    them, before and after.
    """

    person_id: UUID | None
    name: str
    before: Mapping[str, int]
    after: Mapping[str, int]
    manager_before: str
    manager_after: str

    @property
    def change(self) -> dict[str, int]:
        return {column: self.after[column] - self.before[column] for column in COLUMNS}


@dataclass(frozen=True)
class Preview:
    """`rows` are the people whose amounts or manager differ, those of the largest change first; `total` is of everybody
    with unassigned, by column, as (before, after). `unadjusted` is the same without any adjustment: a moved branch
    leaves it as it was. `former` are adjustments that will count as a former manager's.
    """

    rows: tuple[PersonChange, ...]
    total: Mapping[str, tuple[int, int]]
    unadjusted: Mapping[str, tuple[int, int]]
    former: tuple[EffectRow, ...]

    @property
    def is_conserved(self) -> bool:
        return all(before == after for before, after in self.unadjusted.values())


def preview_report(question: Question, change: Callable[[], object]) -> Preview:
    """The question's period before `change`, and after it: everything that it writes is taken back.

    What `change` raises is raised here. Reads the rollup twice.
    """
    before = rollup_report(question.organization, period=question.period, **question.frame)
    after = _changed(question, change)
    return compared(before, after)


def _changed(question: Question, change: Callable[[], object]) -> RollupReport:
    kept = current_context().read_once
    read_before = dict(kept)
    try:
        with transaction.atomic():
            change()
            kept.clear()
            # What the change wrote bears the database's clock.
            now = timezone.now()
            frame = question.frame | {"as_of": now, "now": now}
            report = rollup_report(question.organization, period=question.period, **frame)
            transaction.set_rollback(True)
    finally:
        kept.clear()
        kept.update(read_before)
    return report


def compared(before: RollupReport, after: RollupReport) -> Preview:
    """Two grids of one period, person by person.

    A branch of 40 under Max that moves to Dana: Max 100 → 60, Dana 70 → 110, the top the same.
    """
    old = {row.person_id: row for row in before.rows}
    new = {row.person_id: row for row in after.rows}
    names = {row.person_id: row.name for row in (*before.rows, *after.rows)}
    people = [_person(person_id, old.get(person_id), new.get(person_id), names) for person_id in names]
    rows = [row for row in people if any(row.change.values()) or row.manager_before != row.manager_after]
    rows.sort(key=lambda row: (-max(abs(amount) for amount in row.change.values()), row.name))
    nobody = _person(None, before.unassigned, after.unassigned, {None: "Unassigned"})
    if any(nobody.change.values()):
        rows.append(nobody)
    was_former = {one.step_id for one in before.effects if one.is_from_former_manager}
    former = [one for one in after.effects if one.is_from_former_manager and one.step_id not in was_former]
    return Preview(
        rows=tuple(rows),
        total={
            column: (before.total.amounts[column].final, after.total.amounts[column].final)
            for column in COLUMNS
        },
        unadjusted={
            column: (before.total.amounts[column].rolled_up, after.total.amounts[column].rolled_up)
            for column in COLUMNS
        },
        former=tuple(former),
    )


def _person(
    person_id: UUID | None,
    old: PersonRow | None,
    new: PersonRow | None,
    names: Mapping[UUID | None, str],
) -> PersonChange:
    def finals(row: PersonRow | None) -> dict[str, int]:
        return {column: row.amounts[column].final if row else 0 for column in COLUMNS}

    def manager(row: PersonRow | None) -> str:
        return names.get(row.manager_id, "") if row and row.manager_id else ""

    return PersonChange(person_id, names[person_id], finals(old), finals(new), manager(old), manager(new))
