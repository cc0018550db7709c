"""How the pipeline of a period went from its opening to its closing: each part in its buckets (DEFINITIONS
6).

opening 100 + new 40 + pulled in 10 + increased 5 - won 30 - lost 20 - pushed out 15 = closing 90
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from otc.calendar.rules import Period
from otc.money.rules import convert

OMITTED = "omitted"


class Bucket(StrEnum):
    """In the order in which a waterfall shows them."""

    NEW = "new"
    REOPENED = "reopened"
    TRANSFERRED_IN = "transferred_in"
    PULLED_IN = "pulled_in"
    PUSHED_IN = "pushed_in"
    INCLUDED = "included"
    MOVED_IN = "moved_in"
    INCREASED = "increased"
    DECREASED = "decreased"
    CURRENCY = "currency"
    MOVED_OUT = "moved_out"
    WON = "won"
    LOST = "lost"
    NO_DECISION = "no_decision"
    TRANSFERRED_OUT = "transferred_out"
    PUSHED_OUT = "pushed_out"
    PULLED_OUT = "pulled_out"
    DELETED = "deleted"
    OMITTED = "omitted"


class Booking(StrEnum):
    """What changes the bookings of a period, beside the waterfall of its open deals."""

    WON = "won"
    REVERSED = "reversed"
    CORRECTED = "corrected"


class WaterfallDoesNotBalance(AssertionError):
    """The buckets don't lead from opening to closing: a fault in this file, never in the data."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of owners, None being "unassigned"; or everyone."""

    owners: frozenset[Hashable | None] = frozenset()
    is_everyone: bool = False

    def __contains__(self, owner: object) -> bool:
        return self.is_everyone or owner in self.owners


EVERYONE = Scope(is_everyone=True)


@dataclass(frozen=True, slots=True)
class PartState:
    """One part of a deal as of one instant. `exists` is False where no version holds at that instant.

    `corporate_minor` is None exactly where an amount has no rate; a deal without an amount counts 0.
    `rate` is units of the totals' currency per unit of `currency`.
    """

    exists: bool = True
    deleted: bool = False
    outcome: str | None = None
    category: str | None = None
    close_date: date | None = None
    owner: Hashable | None = None
    amount_minor: int | None = None
    currency: str = ""
    rate: Decimal | Fraction | None = None
    corporate_minor: int | None = 0
    stage: Hashable | None = None
    product: Hashable | None = None

    @property
    def is_open(self) -> bool:
        return self.exists and not self.deleted and self.outcome is None

    @property
    def is_won(self) -> bool:
        return self.exists and not self.deleted and self.outcome == "won"


ABSENT = PartState(exists=False)


@dataclass(frozen=True, slots=True)
class Part:
    """A part at both ends."""

    key: Hashable
    before: PartState
    after: PartState


@dataclass(frozen=True, slots=True)
class Line:
    """One part in a bucket, in corporate minor units; `amount_minor` is its signed effect on the total."""

    part: Hashable
    before_minor: int | None
    after_minor: int | None
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Total[Name]:
    """A bucket, or an end, with the deals it is the sum of."""

    name: Name
    amount_minor: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Waterfall:
    """opening + every bucket = closing, in corporate minor units. Every bucket is there, empty ones too.

    `unconvertible` are the parts that belong here and lack a rate at an end that counts: in no sum, at
    neither end.
    """

    opening: Total[str]
    buckets: tuple[Total[Bucket], ...]
    closing: Total[str]
    bookings: tuple[Total[Booking], ...] = ()
    unconvertible: tuple[Hashable, ...] = ()

    def __post_init__(self) -> None:
        change = sum(bucket.amount_minor for bucket in self.buckets)
        if self.opening.amount_minor + change != self.closing.amount_minor:
            raise WaterfallDoesNotBalance(
                f"{self.opening.amount_minor} + {change} != {self.closing.amount_minor}"
            )

    def bucket(self, name: Bucket) -> Total[Bucket]:
        return next(bucket for bucket in self.buckets if bucket.name is name)

    @property
    def change_of_bookings_minor(self) -> int:
        return sum(booking.amount_minor for booking in self.bookings)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a waterfall is of: a period, the owners at each end, and the corporate currency."""

    period: Period
    scope_before: Scope
    scope_after: Scope
    currency: str

    def is_in(self, state: PartState, scope: Scope) -> bool:
        return state.is_open and state.category != OMITTED and self._belongs(state, scope)

    def is_booked(self, state: PartState, scope: Scope) -> bool:
        """Won, with close date in the period and owner in the scope."""
        return state.is_won and self._belongs(state, scope)

    def _belongs(self, state: PartState, scope: Scope) -> bool:
        return state.close_date is not None and state.close_date in self.period and state.owner in scope

    def is_later(self, day: date | None) -> bool:
        """No close date counts as later than any period."""
        return day is None or day >= self.period.end


type _Condition = Callable[[Frame, PartState], bool]

# Asked of the state before, in this order; the first that holds names the bucket.
_ENTERING: tuple[tuple[Bucket, _Condition], ...] = (
    (Bucket.NEW, lambda frame, a: not a.exists),
    (Bucket.REOPENED, lambda frame, a: a.deleted or a.outcome is not None),
    (Bucket.TRANSFERRED_IN, lambda frame, a: a.owner not in frame.scope_before),
    (Bucket.PULLED_IN, lambda frame, a: frame.is_later(a.close_date)),
    (Bucket.PUSHED_IN, lambda frame, a: a.close_date is not None and a.close_date < frame.period.first),
    (Bucket.INCLUDED, lambda frame, a: a.category == OMITTED),
)

# Asked of the state after, in this order.
_LEAVING: tuple[tuple[Bucket, _Condition], ...] = (
    (Bucket.DELETED, lambda frame, b: b.deleted or not b.exists),
    (Bucket.WON, lambda frame, b: frame.is_booked(b, frame.scope_after)),
    (Bucket.LOST, lambda frame, b: b.outcome == "lost"),
    (Bucket.NO_DECISION, lambda frame, b: b.outcome == "no_decision"),
    (Bucket.TRANSFERRED_OUT, lambda frame, b: b.owner not in frame.scope_after),
    (Bucket.PUSHED_OUT, lambda frame, b: frame.is_later(b.close_date)),
    (Bucket.PULLED_OUT, lambda frame, b: b.close_date is not None and b.close_date < frame.period.first),
    (Bucket.OMITTED, lambda frame, b: b.category == OMITTED),
)


@dataclass(frozen=True, slots=True)
class Movement:
    """What one part contributes: the ends where it counts, its effects by bucket, its change of bookings."""

    opening_minor: int | None
    effects: tuple[tuple[Bucket, int], ...]
    closing_minor: int | None
    booking: tuple[Booking, int] | None


class Unconvertible(ValueError):
    """A part that counts at an end where it has no rate."""


def movement(part: Part, *, frame: Frame) -> Movement:
    """Where one part goes. Raises Unconvertible where an amount that counts has no rate."""
    a, b = part.before, part.after
    was_in = frame.is_in(a, frame.scope_before)
    is_in = frame.is_in(b, frame.scope_after)
    wins = frame.is_booked(b, frame.scope_after) and not a.is_won
    effects: list[tuple[Bucket, int]] = []
    if was_in and (is_in or wins):
        effects += _revaluation(a, b, corporate=frame.currency)
    if not was_in and (is_in or wins):
        effects.append((_first_that_holds(_ENTERING, frame, a), _minor(b)))
    if was_in and not is_in:
        bucket = _first_that_holds(_LEAVING, frame, b)
        effects.append((bucket, -_minor(b if bucket is Bucket.WON else a)))
    elif wins:
        effects.append((Bucket.WON, -_minor(b)))
    return Movement(
        opening_minor=_minor(a) if was_in else None,
        effects=tuple(effects),
        closing_minor=_minor(b) if is_in else None,
        booking=_booking(a, b, frame=frame),
    )


def waterfall(parts: Iterable[Part], *, frame: Frame) -> Waterfall:
    """The waterfall of all parts. Parts that are in at neither end and don't win in between add nothing."""
    return _sum_up(_movements(parts, frame=frame))


def waterfalls_by_group(
    parts: Iterable[Part], *, frame: Frame, group_of: Callable[[PartState], Hashable | None]
) -> Mapping[Hashable | None, Waterfall]:
    """One waterfall per stage, product or category; their buckets add up to the waterfall of all.

    A part that stays and changes its group moves out at the amount before, moves in at the same, and is
    revalued in the new group. One that enters counts in its new group, one that leaves (or wins) in its old
    one.
    """
    rows: dict[Hashable | None, list[_Row]] = {}
    for part, found in _movements(parts, frame=frame):
        old, new = group_of(part.before), group_of(part.after)
        for group, share in _by_group(found, old=old, new=new):
            rows.setdefault(group, []).append((part, share))
    return {group: _sum_up(group_rows) for group, group_rows in rows.items()}


type _Row = tuple[Part, Movement | None]


def _movements(parts: Iterable[Part], *, frame: Frame) -> Iterable[_Row]:
    """Each part with what it contributes (None: a rate is missing). Parts that contribute nothing are left
    out.
    """
    for part in parts:
        try:
            found = movement(part, frame=frame)
        except Unconvertible:
            yield part, None
            continue
        if found.opening_minor is not None or found.effects or found.booking:
            yield part, found


def _by_group(
    found: Movement | None, *, old: Hashable | None, new: Hashable | None
) -> Iterable[tuple[Hashable | None, Movement | None]]:
    """A part's movement, split between the group it was in and the group it is in."""
    if found is None:
        yield new, None
        return
    stays = found.opening_minor is not None and found.closing_minor is not None
    if not stays or old == new:
        yield (new if found.opening_minor is None else old), found
        return
    opening = found.opening_minor or 0
    yield old, Movement(opening, ((Bucket.MOVED_OUT, -opening),), None, None)
    moved = (Bucket.MOVED_IN, opening)
    yield new, Movement(None, (moved, *found.effects), found.closing_minor, found.booking)


def _sum_up(rows: Iterable[_Row]) -> Waterfall:
    ends: dict[str, list[Line]] = {"opening": [], "closing": []}
    effects: dict[Bucket, list[Line]] = {bucket: [] for bucket in Bucket}
    bookings: dict[Booking, list[Line]] = {booking: [] for booking in Booking}
    unconvertible: list[Hashable] = []
    for part, found in rows:
        if found is None:
            unconvertible.append(part.key)
            continue
        if found.opening_minor is not None:
            ends["opening"].append(_line(part, found.opening_minor))
        for bucket, amount_minor in found.effects:
            effects[bucket].append(_line(part, amount_minor))
        if found.closing_minor is not None:
            ends["closing"].append(_line(part, found.closing_minor))
        if found.booking is not None:
            bookings[found.booking[0]].append(_line(part, found.booking[1]))
    return Waterfall(
        opening=_total("opening", ends["opening"]),
        buckets=tuple(_total(bucket, lines) for bucket, lines in effects.items()),
        closing=_total("closing", ends["closing"]),
        bookings=tuple(_total(booking, lines) for booking, lines in bookings.items()),
        unconvertible=tuple(unconvertible),
    )


def _total[Name](name: Name, lines: list[Line]) -> Total[Name]:
    return Total(name, sum(line.amount_minor for line in lines), tuple(lines))


def _line(part: Part, amount_minor: int) -> Line:
    before = part.before.corporate_minor if part.before.exists else None
    after = part.after.corporate_minor if part.after.exists else None
    return Line(part.key, before, after, amount_minor)


def _minor(state: PartState) -> int:
    if state.corporate_minor is None:
        raise Unconvertible(f"{state.currency} has no rate on {state.close_date}")
    return state.corporate_minor


def _first_that_holds(table: tuple[tuple[Bucket, _Condition], ...], frame: Frame, state: PartState) -> Bucket:
    for bucket, holds in table:
        if holds(frame, state):
            return bucket
    raise WaterfallDoesNotBalance(f"no bucket for {state}")


def _revaluation(a: PartState, b: PartState, *, corporate: str) -> Iterable[tuple[Bucket, int]]:
    """b - a, split into what the rate did and what the deal did; zeros are left out."""
    by_rate = _currency_effect(a, b, corporate=corporate)
    by_deal = _minor(b) - _minor(a) - by_rate
    if by_deal:
        yield (Bucket.INCREASED if by_deal > 0 else Bucket.DECREASED), by_deal
    if by_rate:
        yield Bucket.CURRENCY, by_rate


def _currency_effect(a: PartState, b: PartState, *, corporate: str) -> int:
    """a's native amount at b's rate less the same at a's rate.

    Each is rounded as a corporate amount is, so a deal whose native amount didn't change is neither increased
    nor decreased by a stray cent. 0 when the currency itself changed, or b has no amount and hence needs no
    rate.
    """
    if a.currency != b.currency or a.amount_minor is None or a.rate is None or b.rate is None:
        return 0
    at_b = convert(a.amount_minor, from_currency=a.currency, to_currency=corporate, rate=b.rate)
    return at_b - convert(a.amount_minor, from_currency=a.currency, to_currency=corporate, rate=a.rate)


def _booking(a: PartState, b: PartState, *, frame: Frame) -> tuple[Booking, int] | None:
    """What changes in the bookings: a win, a reversed win, or a corrected one (moved, or worth another
    amount).
    """
    was = _minor(a) if frame.is_booked(a, frame.scope_before) else 0
    now = _minor(b) if frame.is_booked(b, frame.scope_after) else 0
    if a.is_won and b.is_won:
        return (Booking.CORRECTED, now - was) if now != was else None
    if frame.is_booked(b, frame.scope_after):
        return Booking.WON, now
    if frame.is_booked(a, frame.scope_before):
        return Booking.REVERSED, -was
    return None
