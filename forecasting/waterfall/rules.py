"""How the pipeline of a period went from its opening to its closing: sums by bucket that balance (DEFINITIONS 6).

opening 100 + new 40 + pulled in 10 + increased 5 - won 30 - lost 20 - pushed out 15 = closing 90
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

OPENING, CLOSING = "opening", "closing"


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

    WON = "booked_won"
    REVERSED = "booked_reversed"
    CORRECTED = "booked_corrected"


ENTERING = (
    *(Bucket.NEW, Bucket.REOPENED, Bucket.TRANSFERRED_IN, Bucket.PULLED_IN, Bucket.PUSHED_IN),
    Bucket.INCLUDED,
)
LEAVING = (
    *(Bucket.WON, Bucket.LOST, Bucket.NO_DECISION, Bucket.TRANSFERRED_OUT, Bucket.PUSHED_OUT),
    *(Bucket.PULLED_OUT, Bucket.DELETED, Bucket.OMITTED),
)
REVALUING = (Bucket.INCREASED, Bucket.DECREASED, Bucket.CURRENCY)
# Every step by name, in the order of a waterfall.
STEPS: tuple[str, ...] = (OPENING, *map(str, Bucket), CLOSING, *map(str, Booking))


class WaterfallDoesNotBalance(AssertionError):
    """The buckets don't lead from opening to closing: a fault in the moves, never in the data."""


@dataclass(frozen=True, slots=True)
class Total[Name]:
    """A bucket, or an end: corporate minor units, and how many deals (along a path: moves) they are the sum of."""

    name: Name
    amount_minor: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Waterfall:
    """opening + every bucket = closing, in corporate minor units. Every bucket is there, empty ones too."""

    opening: Total[str]
    buckets: tuple[Total[Bucket], ...]
    closing: Total[str]
    bookings: tuple[Total[Booking], ...] = ()

    def __post_init__(self) -> None:
        change = sum(bucket.amount_minor for bucket in self.buckets)
        if self.opening.amount_minor + change != self.closing.amount_minor:
            raise WaterfallDoesNotBalance(
                f"{self.opening.amount_minor} + {change} != {self.closing.amount_minor}"
            )

    def bucket(self, name: Bucket) -> Total[Bucket]:
        return next(bucket for bucket in self.buckets if bucket.name is name)

    @property
    def change_minor(self) -> int:
        return self.closing.amount_minor - self.opening.amount_minor

    @property
    def change_of_bookings_minor(self) -> int:
        return sum(booking.amount_minor for booking in self.bookings)

    @property
    def steps(self) -> dict[str, Total[str] | Total[Bucket] | Total[Booking]]:
        """Both ends, every bucket and booking that isn't empty, by name, in the order of the chart."""
        found = {
            str(one.name): one
            for one in (self.opening, *self.buckets, self.closing, *self.bookings)
            if one.count or one.name in (OPENING, CLOSING)
        }
        return dict(found)


type Sums = Mapping[str, tuple[int, int]]


def waterfall_of(sums: Iterable[tuple[str, int, int]]) -> Waterfall:
    """The waterfall of (step, count, minor units), where a step may come more than once."""
    found: dict[str, tuple[int, int]] = {}
    for step, count, amount_minor in sums:
        counted, summed = found.get(step, (0, 0))
        found[step] = (counted + count, summed + amount_minor)

    def total[Name](name: Name) -> Total[Name]:
        count, amount_minor = found.get(str(name), (0, 0))
        return Total(name, amount_minor, count)

    return Waterfall(
        opening=total(OPENING),
        buckets=tuple(total(bucket) for bucket in Bucket),
        closing=total(CLOSING),
        bookings=tuple(total(booking) for booking in Booking),
    )


def chained[Key](
    steps: Iterable[tuple[Key, str, int, int]], *, levels: Mapping[Key, int] | None = None
) -> dict[Key, Waterfall]:
    """Waterfalls of (key, step, count, minor units) in a row, each beginning where the one before it ended.

    Only the first has an opening of its own and only the last a closing; what lies between follows from the buckets.
    `levels` says by how many deals each changes the next one's opening, where deals have parts that go apart.
    [(1, "opening", 1, 100), (1, "lost", 1, -100), (2, "new", 1, 7), (2, "closing", 1, 7)] -> 100 to 0, 0 to 7
    """
    by_key: dict[Key, list[tuple[str, int, int]]] = {}
    for key, step, count, amount_minor in steps:
        by_key.setdefault(key, []).append((step, count, amount_minor))
    found: dict[Key, Waterfall] = {}
    level, deals = 0, 0
    for key in sorted(by_key, key=str):
        rows = [row for row in by_key[key] if row[0] not in (OPENING, CLOSING)]
        opening = [row for row in by_key[key] if row[0] == OPENING]
        level += sum(amount_minor for _, _, amount_minor in opening)
        deals += sum(count for _, count, _ in opening)
        start = (OPENING, deals, level)
        for step, count, amount_minor in rows:
            if step not in set(Booking):
                level += amount_minor
            if levels is None:
                deals += count * ((step in set(ENTERING)) - (step in set(LEAVING)))
        deals += (levels or {}).get(key, 0)
        found[key] = waterfall_of([start, *rows, (CLOSING, deals, level)])
    return found
