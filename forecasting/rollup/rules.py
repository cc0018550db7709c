"""What each person's part of the period comes to, along the reporting line, with every adjustment
(DEFINITIONS 5).

Each column is rolled up by itself, so an adjustment moves no other column:
1 own · 2 with reports, unadjusted · 3 with the reports' adjustments · 4 with one's own · 5 with the
manager's.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from pipeline.process.columns import COLUMNS, NO_CATEGORY, SINGLE

ADJUSTABLE = frozenset(
    {
        "best_case",
        "most_likely",
        "commit",
        "best_case_cumulative",
        "most_likely_cumulative",
        "commit_cumulative",
    }
)

# Where the categories that a column sums stand among the single ones.
PLACES = {column: tuple(SINGLE.index(one) for one in summed) for column, summed in COLUMNS.items()}

_ZEROS = (0,) * len(SINGLE)
# A deal without a category has a column of its own.
_PLACE: dict[str | None, int] = {category: place for place, category in enumerate(SINGLE)} | {
    None: SINGLE.index(NO_CATEGORY)
}

# A person's id: a UUID in the reports, a name in the tests.
type Person = Any


class RollupError(ValueError):
    """A tree or an adjustment that can't be rolled up."""


class ReportingCycle(RollupError):
    """Somebody reports to themselves, directly or through others."""


class NotAdjustable(RollupError):
    """A column that nobody may adjust, or a person who isn't in the tree."""


class Kind(StrEnum):
    ABSOLUTE = "absolute"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class Tree:
    """Who reports to whom at one instant: manager_of[person] is a person, or None for a declared top.

    A person without an entry has no line. The positions in `vacant` have nobody sitting on them.
    """

    manager_of: Mapping[Person, Person | None]
    vacant: frozenset[Person] = frozenset()

    def __post_init__(self) -> None:
        sound: set[Person] = set()
        for person in self.manager_of:
            path: list[Person] = []
            step: Person | None = person
            while step is not None and step not in sound:
                if step in path:
                    cycle = " -> ".join(str(name) for name in [*path[path.index(step) :], step])
                    raise ReportingCycle(f"Reporting lines form a circle: {cycle}.")
                path.append(step)
                step = self.manager_of.get(step)
            sound.update(path)

    def parent_of(self, person: Person) -> Person | None:
        """Where a person's money goes next; None for a top and for the root of an unassigned branch."""
        return None if person in self.vacant else self.manager_of.get(person)

    def is_top(self, person: Person) -> bool:
        return person in self.manager_of and self.manager_of[person] is None and person not in self.vacant

    def adjuster_of(self, person: Person) -> Person | None:
        """The manager, or the next occupied one above; None where there is nobody."""
        above = self.manager_of.get(person)
        while above is not None and above in self.vacant:
            above = self.manager_of.get(above)
        return above


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A change on top of a person's amount in one column, in corporate minor units.

    The author is the person (their own), or a manager. `base_minor` is the amount below it when it was made. `deals`
    are those that a manager's judgements are made of.
    """

    person: Person
    column: str
    author: Person
    kind: Kind
    amount_minor: int
    base_minor: int | None = None
    reason: str = ""
    step_id: Any = None
    expires_on: date | None = None
    made_at: datetime | None = None
    deals: tuple[Any, ...] = ()

    @property
    def is_own(self) -> bool:
        return self.person == self.author

    @property
    def place(self) -> tuple[Any, ...]:
        """The later of two in one place counts; places count in their order: one's own, the managers' judgements of
        deals (each manager's beside the other's), the manager's word on the whole.
        """
        if self.deals:
            return (1, str(self.author))
        return (0,) if self.is_own else (2,)


@dataclass(frozen=True, slots=True)
class Effect:
    """What one adjustment does: final amounts are the unadjusted ones plus these."""

    adjustment: Adjustment
    below_minor: int
    amount_minor: int
    is_stale: bool
    is_from_former_manager: bool


class Amounts(NamedTuple):
    """The five amounts of one person and column, in corporate minor units; `seen` is what they see, `final`
    what their manager sees. A tuple, because a large organization's grid holds tens of thousands of them.
    """

    own: int = 0
    rolled_up: int = 0
    with_reports_adjustments: int = 0
    seen: int = 0
    final: int = 0


class Columns(Mapping[str, Amounts]):
    """A person's five amounts by column, each worked out when asked for: of a large organization's people a page
    shows a few. Adjustments are few, so that what they come to is kept beside the sums of the parts.

    `own` and `rolled_up` are corporate minor units by category in the order of SINGLE; `below` is by column what
    the reports' adjustments come to, `said` what is seen and final where the person is adjusted.
    """

    __slots__ = ("below", "own", "rolled_up", "said")

    def __init__(
        self, own: Sequence[int], rolled_up: Sequence[int], below: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        self.own, self.rolled_up, self.below = own, rolled_up, below
        self.said: dict[str, tuple[int, int]] = {}

    def __getitem__(self, column: str) -> Amounts:
        own = rolled_up = 0
        for place in PLACES[column]:
            own += self.own[place]
            rolled_up += self.rolled_up[place]
        adjusted = rolled_up + self.below.get(column, 0)
        seen, final = self.said.get(column, (adjusted, adjusted))
        return Amounts(own, rolled_up, adjusted, seen, final)

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    def __len__(self) -> int:
        return len(COLUMNS)

    @property
    def effects(self) -> Mapping[str, int]:
        """By column what every adjustment on the person and below comes to; columns that have none are left out."""
        if not self.said:
            return self.below
        found = dict(self.below)
        for column in self.said:
            amounts = self[column]
            found[column] = amounts.final - amounts.rolled_up
        return found


class Row(NamedTuple):
    """One line of the grid. `person` is None for "unassigned" and for the total of all."""

    person: Person
    manager: Person
    depth: int
    is_unassigned: bool
    reports: tuple[Person, ...]
    amounts: Columns


@dataclass(frozen=True, slots=True)
class Rollup:
    """The grid: rows depth first, tops before unassigned branches; what nobody holds; and the total of all.

    total.rolled_up = every own amount + what has no owner, in each column.
    """

    rows: tuple[Row, ...]
    unassigned: Row
    total: Row
    effects: tuple[Effect, ...]

    def row(self, person: Person) -> Row:
        return next(row for row in self.rows if row.person == person)


def rollup(
    own: Mapping[Person | None, Sequence[int]],
    *,
    tree: Tree,
    adjustments: Iterable[Adjustment] = (),
    line: Tree | None = None,
) -> Rollup:
    """The grid of a period. `own` holds corporate minor units by owner (or None) as `own_by_person` puts them.

    `adjustments` are those in force, oldest first; a later one of the same author's place (own, or a
    manager's) replaces the earlier on that person and column. `line` is the whole line where `tree` is only
    a part of it: it says who adjusts whom. Raises NotAdjustable, RollupError.
    """
    people = _everybody(tree, owners=own)
    reports = _reports(people, tree=tree)
    order = _depth_first(people, tree=tree, reports=reports)
    in_force = _in_force(adjustments, people=frozenset(people))
    adjusted = {person for person, _column in in_force}
    amounts: dict[Person, Columns] = {}
    effects: list[Effect] = []
    for person, _depth, _is_unassigned in reversed(order):  # reports come before their managers
        below = [amounts[report] for report in reports[person] if amounts[report] is not NOTHING]
        mine = own.get(person)
        if person in adjusted:
            here = {column: in_force[person, column] for column in COLUMNS if (person, column) in in_force}
            amounts[person] = _columns(mine, below)
            effects += _adjust(amounts[person], here, tree=line or tree)
        else:
            amounts[person] = _columns(mine, below) if mine or below else NOTHING
    rows = tuple(
        Row(person, tree.parent_of(person), depth, is_unassigned, reports[person], amounts[person])
        for person, depth, is_unassigned in order
    )
    unassigned = _heading(rows, own=own.get(None), is_unassigned=True)
    return Rollup(rows, unassigned, _total(rows, unassigned), tuple(reversed(effects)))


def unassigned_people(tree: Tree, *, people: Iterable[Person] = ()) -> frozenset[Person]:
    """Those whose money lands in "unassigned": no line, or below a vacant position or somebody without a
    line.
    """

    def root(person: Person) -> Person:
        while (above := tree.parent_of(person)) is not None:
            person = above
        return person

    everybody = _everybody(tree, owners=people)
    return frozenset(person for person in everybody if not tree.is_top(root(person)))


def own_by_person(
    parts: Iterable[tuple[Person | None, str | None, int]],
) -> dict[Person | None, list[int]]:
    """Sums of (owner, category, corporate minor units) by owner, in the order of SINGLE. Raises RollupError."""
    found: dict[Person | None, list[int]] = {}
    for person, category, amount_minor in parts:
        place = _PLACE.get(category)
        if place is None:
            raise RollupError(f"“{category}” is not a forecast category.")
        amounts = found.get(person)
        if amounts is None:
            amounts = found[person] = list(_ZEROS)
        amounts[place] += amount_minor
    return found


def _everybody(tree: Tree, *, owners: Iterable[Person | None]) -> list[Person]:
    """Everybody in the tree or with an amount, each once, in the order given."""
    named = [*tree.manager_of, *tree.manager_of.values(), *owners]
    return list(dict.fromkeys(person for person in named if person is not None))


def _reports(people: list[Person], *, tree: Tree) -> dict[Person, tuple[Person, ...]]:
    found: dict[Person, list[Person]] = {person: [] for person in people}
    for person in people:
        parent = tree.parent_of(person)
        if parent is not None:
            found[parent].append(person)
    return {person: tuple(reports) for person, reports in found.items()}


def _depth_first(
    people: list[Person], *, tree: Tree, reports: Mapping[Person, tuple[Person, ...]]
) -> list[tuple[Person, int, bool]]:
    """(person, depth, is unassigned), each manager before their reports, tops before unassigned branches."""
    roots = [person for person in people if tree.parent_of(person) is None]
    roots.sort(key=lambda person: not tree.is_top(person))
    order: list[tuple[Person, int, bool]] = []
    waiting = [(root, 0, not tree.is_top(root)) for root in reversed(roots)]
    while waiting:
        person, depth, is_unassigned = waiting.pop()
        order.append((person, depth, is_unassigned))
        waiting += [(report, depth + 1, is_unassigned) for report in reversed(reports[person])]
    return order


def _in_force(
    adjustments: Iterable[Adjustment], *, people: frozenset[Person]
) -> dict[tuple[Person, str], tuple[Adjustment, ...]]:
    """By person and column: the person's own, judgements, then the manager's, the latest of each."""
    latest: dict[tuple[Person, str], dict[tuple[Any, ...], Adjustment]] = defaultdict(dict)
    for adjustment in adjustments:
        if adjustment.column not in ADJUSTABLE:
            raise NotAdjustable(f"The column “{adjustment.column}” can't be adjusted.")
        if adjustment.person not in people:
            raise NotAdjustable(f"{adjustment.person} is not in the reporting line.")
        latest[adjustment.person, adjustment.column][adjustment.place] = adjustment
    return {cell: tuple(by_place[place] for place in sorted(by_place)) for cell, by_place in latest.items()}


NOTHING = Columns(_ZEROS, _ZEROS)


def _columns(own: Sequence[int] | None, below: Sequence[Columns]) -> Columns:
    """A person's amounts by column before any adjustment on that person. Most have reports or deals, not both."""
    mine = own or _ZEROS
    if not below:
        return Columns(mine, mine)
    rolled_up, effects = list(mine), defaultdict[str, int](int)
    for report in below:
        for place, amount in enumerate(report.rolled_up):
            rolled_up[place] += amount
        for column, amount in report.effects.items():
            effects[column] += amount
    return Columns(mine, rolled_up, effects)


def _adjust(
    amounts: Columns, adjustments: Mapping[str, tuple[Adjustment, ...]], *, tree: Tree
) -> list[Effect]:
    """Put the adjustments of each column on top of the amounts, and say what each does."""
    effects = []
    for column, here in adjustments.items():
        adjusted, found = _adjusted(amounts[column], here, tree=tree)
        amounts.said[column] = (adjusted.seen, adjusted.final)
        effects += found
    return effects


def _adjusted(
    bare: Amounts, adjustments: Iterable[Adjustment], *, tree: Tree
) -> tuple[Amounts, list[Effect]]:
    seen, final, effects = bare.seen, bare.final, []
    for adjustment in adjustments:
        below = final
        is_absolute = adjustment.kind is Kind.ABSOLUTE
        final = adjustment.amount_minor if is_absolute else below + adjustment.amount_minor
        if adjustment.is_own:
            seen = final
        is_current = adjustment.is_own or adjustment.author == tree.adjuster_of(adjustment.person)
        is_stale = adjustment.base_minor is not None and adjustment.base_minor != below
        effects.append(Effect(adjustment, below, final - below, is_stale, not is_current))
    return Amounts(bare.own, bare.rolled_up, bare.with_reports_adjustments, seen, final), effects


def _heading(rows: tuple[Row, ...], *, own: Sequence[int] | None, is_unassigned: bool) -> Row:
    """The row above all roots of its kind, which nobody adjusts."""
    roots = [row for row in rows if row.depth == 0 and row.is_unassigned == is_unassigned]
    amounts = _columns(own, [row.amounts for row in roots])
    return Row(None, None, 0, is_unassigned, tuple(row.person for row in roots), amounts)


def _total(rows: tuple[Row, ...], unassigned: Row) -> Row:
    tops = _heading(rows, own=None, is_unassigned=False)
    amounts = _columns(None, [tops.amounts, unassigned.amounts])
    return Row(None, None, 0, False, tops.reports, amounts)
