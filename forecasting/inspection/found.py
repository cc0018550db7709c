"""What one pass over a period's deals found at two instants: figures, groups, tabs, places on a page, and movers."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from otc.money.rules import CurrencySum


@dataclass(frozen=True)
class EndSums:
    """What a period and scope hold at one instant: corporate minor units and counts of deals.

    Open, overdue and gaps are of open deals that aren't omitted; `overdue` are those whose close date had passed,
    `gaps` those that lack something or are late with it. Categories are each by itself.
    """

    won_minor: int
    won_count: int
    not_won_minor: int
    not_won_count: int
    commit_minor: int
    most_likely_minor: int
    best_case_minor: int
    open_minor: int
    open_count: int
    overdue_minor: int
    overdue_count: int
    gaps_minor: int
    gaps_count: int


@dataclass(frozen=True)
class Part:
    """Some of the open deals: how many that count, and what they come to in corporate minor units."""

    count: int
    minor: int


@dataclass(frozen=True)
class GroupRow:
    """Sums over every deal of a group, not only over the page's: corporate minor units. `seated_count` of them
    are shown for a seat only and are in no sum.
    """

    group_key: str
    count: int
    seated_count: int
    total_minor: int
    was_minor: int
    unconvertible_count: int


@dataclass(frozen=True)
class Place:
    """A deal's place on a page: its version at the instant and at the compared one (None: not there then)."""

    version_id: UUID
    was_version_id: UUID | None
    group_key: str
    is_seated: bool


@dataclass(frozen=True)
class Pass:
    """What one pass over the deals found. `moved_*`: the deals that changed the open pipeline and what they changed it
    by together; `most_moved` those that did most, each with its part, in corporate minor units. `scored_from`: since
    when it is kept whose chances turned; before it nothing is known of risk and upside.
    """

    now: EndSums
    before: EndSums
    risk: Part
    upside: Part
    risk_before: Part
    upside_before: Part
    scored_from: datetime | None
    counts: dict[str, int]
    groups: list[GroupRow]
    unconvertible: tuple[CurrencySum, ...]
    places: list[Place]
    moved_count: int
    moved_minor: int
    most_moved: list[tuple[UUID, int]]
