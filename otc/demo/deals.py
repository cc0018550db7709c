"""What the simulation hands out: a deal as the list of states it was in, with what happened around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class DemoState:
    """All of a deal's changing fields from `at` on (aware UTC). People and accounts are external ids.

    `stage` is 0..5; `outcome` won, lost, no_decision or None; `actor` who made the edit.
    """

    at: datetime
    stage: int
    category: str
    category_set_by_person: bool
    amount_minor: int | None
    currency: str
    close_date: date | None
    owner: str | None
    outcome: str | None
    closed_at: datetime | None
    reason: str | None
    competitor: str | None
    next_step: str
    next_step_on: date | None
    actor: str | None


@dataclass(frozen=True, slots=True)
class DemoActivity:
    """`kind` call, mail or meeting; `direction` in or out; `contact` an external id."""

    at: datetime
    kind: str
    direction: str
    subject: str
    person: str | None
    contact: str


@dataclass(frozen=True, slots=True)
class DemoMilestone:
    """The milestone at `position` (0..) of `stage` was met."""

    stage: int
    position: int
    at: datetime
    person: str | None


@dataclass(frozen=True, slots=True)
class DemoBuyingRole:
    """`contact` plays `role` in the deal from `at` to `until` (None: still)."""

    at: datetime
    until: datetime | None
    contact: str
    role: str
    influence: str
    stance: str


@dataclass(frozen=True, slots=True)
class DemoSeat:
    """`person` is on the deal's team as `part` from `at` to `until` (None: still), put there by `by`."""

    at: datetime
    until: datetime | None
    person: str
    part: str
    by: str | None


@dataclass(frozen=True, slots=True)
class DemoSplit:
    """`person` has `share_bp` basis points of the amount since `at`; `kind` revenue or overlay, set by `by`."""

    at: datetime
    person: str
    kind: str
    share_bp: int
    by: str


@dataclass(frozen=True, slots=True)
class DemoDealLine:
    """A product on a deal from `at` to `until` (None: still), as `pipeline.lines` keeps it."""

    at: datetime
    until: datetime | None
    position: int
    product: str
    quantity_milli: int
    list_price_minor: int | None
    discount_bp: int | None
    price_minor: int
    charge: str
    term_months: int | None
    set_by: str | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class DemoComment:
    """`mentions` are (start, end, person) of each @Name in `text`."""

    at: datetime
    author: str | None
    text: str
    mentions: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class DemoLink:
    at: datetime
    name: str
    url: str
    by: str | None


@dataclass(frozen=True, slots=True)
class DemoDeal:
    """One deal; `states` start at created_at and rise strictly, the last one is how it stands.

    `follows`: its amount is what its lines come to.
    """

    external_id: str
    name: str
    account: str
    created_at: datetime
    source: str
    kind: str
    product: str
    attributes: dict[str, object]
    states: tuple[DemoState, ...]
    activities: tuple[DemoActivity, ...]
    milestones: tuple[DemoMilestone, ...]
    buying_roles: tuple[DemoBuyingRole, ...]
    seats: tuple[DemoSeat, ...]
    splits: tuple[DemoSplit, ...]
    lines: tuple[DemoDealLine, ...]
    follows: bool
    comments: tuple[DemoComment, ...]
    links: tuple[DemoLink, ...]
