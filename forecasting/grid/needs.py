"""What waits for the viewer beside the grid: stale adjustments, missing calls, deals that nobody holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from forecasting.grid.report import GridReport
from forecasting.rollup.adjusted import EffectRow
from forecasting.rollup.report import PersonRow

NAMED = 3


@dataclass(frozen=True)
class Stale:
    """An adjustment whose base has moved, and on whom it stands; `action` is where the viewer answers for it, if they
    may.
    """

    row: PersonRow
    effect: EffectRow
    action: str


@dataclass(frozen=True)
class Needs:
    """`without_call` are all who owe a call; `named` the first of them, `others` how many more."""

    stale: tuple[Stale, ...]
    without_call: tuple[PersonRow, ...]
    due: datetime | None
    ownerless_count: int
    ownerless_minor: int
    can_act: bool

    @property
    def named(self) -> str:
        return ", ".join(row.name for row in self.without_call[:NAMED])

    @property
    def others(self) -> int:
        return max(0, len(self.without_call) - NAMED)

    @property
    def count(self) -> int:
        return len(self.stale) + bool(self.without_call) + bool(self.ownerless_count)


def needs(grid: GridReport, *, answerable: Mapping[UUID, str]) -> Needs:
    """Of the people in sight, for the column in focus. `answerable`: where the viewer answers for whose adjustment."""
    stale = [
        Stale(grid.people[person_id], effect, _action(grid, effect, answerable))
        for person_id, effects in grid.effects.items()
        if person_id in grid.people
        for effect in effects
        if effect.is_stale
    ]
    unassigned = grid.now.unassigned
    return Needs(
        stale=tuple(stale),
        without_call=tuple(grid.people_without_call),
        due=grid.due,
        ownerless_count=unassigned.deal_count,
        ownerless_minor=unassigned.amounts["open"].own,
        can_act=not (grid.is_over or grid.question.is_past),
    )


def _action(grid: GridReport, effect: EffectRow, answerable: Mapping[UUID, str]) -> str:
    """One answers for one's own adjustment of oneself, and as the manager for any manager's."""
    is_oneself = effect.person_id == grid.question.viewer.id
    return answerable.get(effect.person_id, "") if effect.is_own == is_oneself else ""
