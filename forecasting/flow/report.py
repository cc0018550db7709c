"""What went from which stage (or category) to which between two instants, and what came in and left: a matrix whose
margins are the waterfall's buckets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from forecasting.waterfall.queries import UNCONVERTIBLE, Asked, CellRow, Line, Wanted, cells_of, lines_of
from forecasting.waterfall.report import ENDPOINT, asked_of
from forecasting.waterfall.rules import ENTERING, LEAVING, REVALUING
from otc.calendar.rules import Period
from otc.money.rules import CurrencySum, sum_by_currency
from otc.tenancy.lines import EVERYONE
from otc.tenancy.models import Organization, Person
from otc.tenancy.reach import Reach, visible_reach

BY = ("stage", "category")
GROUP, BUCKET = "group", "bucket"
# A place in the matrix: a group (its key, None for none) or a bucket.
type Place = tuple[str, str | None]


@dataclass(frozen=True)
class Cell:
    """Corporate minor units and how many deals they are of."""

    amount_minor: int = 0
    count: int = 0

    def __add__(self, other: "Cell") -> "Cell":
        return Cell(self.amount_minor + other.amount_minor, self.count + other.count)


NOTHING = Cell()


@dataclass(frozen=True)
class FlowReport:
    """`cells` by where from and where to; what isn't there is nothing.

    A row of a group is what was open in it at the earlier end, by where it is at the later one, at its earlier amount:
    they add up to its opening. The rows below are what entered, and what was revalued on the way, by bucket. A column
    of a group adds up to its closing; one of a bucket to what left through it, at the waterfall's amount.
    """

    asked: Asked
    by: str
    scope: str
    org_chart: str
    visible: Reach
    cells: Mapping[tuple[Place, Place], Cell]
    unconvertible: tuple[Line, ...] = ()

    @property
    def unconvertible_sums(self) -> tuple[CurrencySum, ...]:
        """What the deals without a rate come to in their own currencies: in no cell."""
        return sum_by_currency((line.currency, line.native_minor or 0) for line in self.unconvertible)

    @property
    def period(self) -> Period:
        return self.asked.period

    @property
    def since(self) -> datetime:
        return self.asked.since

    @property
    def currency(self) -> str:
        return self.asked.corporate

    @property
    def groups(self) -> frozenset[str | None]:
        return frozenset(key for pair in self.cells for kind, key in pair if kind == GROUP)

    @property
    def ways_in(self) -> list[str]:
        """The buckets of the rows that aren't empty, in the waterfall's order."""
        return self._used([*ENTERING, *REVALUING], side=0)

    @property
    def ways_out(self) -> list[str]:
        return self._used(list(LEAVING), side=1)

    def _used(self, buckets: list[str], *, side: int) -> list[str]:
        used = {pair[side][1] for pair in self.cells if pair[side][0] == BUCKET}
        return [str(bucket) for bucket in buckets if str(bucket) in used]

    def cell(self, start: Place, end: Place) -> Cell:
        return self.cells.get((start, end), NOTHING)

    def row(self, start: Place) -> Cell:
        """A group's opening, or all that entered through a bucket."""
        return sum((cell for (place, _), cell in self.cells.items() if place == start), NOTHING)

    def column(self, end: Place) -> Cell:
        """A group's closing, or all that left through a bucket; revaluing counts no deal again."""
        total = sum((cell for (_, place), cell in self.cells.items() if place == end), NOTHING)
        again = sum(
            cell.count
            for (start, place), cell in self.cells.items()
            if place == end and start[0] == BUCKET and start[1] in REVALUING
        )
        return Cell(total.amount_minor, total.count - again)

    def lines(self, start: Place, end: Place, *, offset: int = 0, limit: int | None = None) -> list[Line]:
        """The deals of a cell, the largest first."""
        wanted = Wanted(cell=(*start, *end), offset=offset, limit=limit)
        return lines_of(self.asked, wanted, visible=self.visible, order=(GROUP, BUCKET))


def flow_report(
    organization: Organization,
    *,
    viewer: Person,
    period: Period,
    since: datetime,
    as_of: datetime,
    now: datetime,
    by: str = "stage",
    scope: str = EVERYONE,
    org_chart: str = "then",
    knowledge: str = "then",
    currency: str | None = None,
) -> FlowReport:
    """The flow of `period` from `since` to `as_of` by stage or category. Raises UnknownScope."""
    visible = visible_reach(viewer, organization=organization, now=now)
    asked = asked_of(
        organization,
        visible=visible,
        period=period,
        since=since,
        as_of=as_of,
        now=now,
        scope=scope,
        org_chart=org_chart,
        knowledge=knowledge,
        currency=currency,
        group=by,
        mode=ENDPOINT,
    )
    rows = cells_of(asked)
    lacking: list[Line] = []
    if any(row.from_kind == UNCONVERTIBLE for row in rows):
        lacking = lines_of(asked, Wanted(UNCONVERTIBLE), visible=visible, order=(UNCONVERTIBLE,))
    return FlowReport(asked, by, scope, org_chart, visible, _by_place(rows), tuple(lacking))


def _by_place(rows: list[CellRow]) -> dict[tuple[Place, Place], Cell]:
    found: dict[tuple[Place, Place], Cell] = {}
    for row in rows:
        if row.from_kind != UNCONVERTIBLE:
            place = (row.from_kind, row.from_key), (row.to_kind, row.to_key)
            found[place] = found.get(place, NOTHING) + Cell(row.amount_minor, row.count)
    return found
