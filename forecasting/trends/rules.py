"""When a period is sampled, and what its sums say: pure arithmetic, no database."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import count
from zoneinfo import ZoneInfo

from forecasting.quotas.rules import Coverage, coverage
from otc.calendar.rules import Period

PAST_PERIODS = 4


@dataclass(frozen=True, slots=True)
class Sums:
    """A period at one instant, in minor units. Open categories are single; `created` counts the deals created in the
    period up to then, whenever they close, at what they were worth at that instant.
    """

    pipeline_minor: int = 0
    best_case_minor: int = 0
    most_likely_minor: int = 0
    commit_minor: int = 0
    no_category_minor: int = 0
    open_count: int = 0
    won_minor: int = 0
    won_count: int = 0
    created_minor: int = 0
    created_count: int = 0
    unconvertible_count: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def by_column(self) -> dict[str, int]:
        return asdict(self)

    @property
    def open_minor(self) -> int:
        """DEFINITIONS 1: all open deals that are not omitted."""
        return (
            self.pipeline_minor
            + self.best_case_minor
            + self.most_likely_minor
            + self.commit_minor
            + self.no_category_minor
        )


COLUMNS = tuple(field.name for field in fields(Sums))


@dataclass(frozen=True, slots=True)
class Sample:
    """A period at an instant. `week` is 0 where it starts, at `start_at`."""

    period: Period
    week: int
    at: datetime
    start_at: datetime

    @property
    def key(self) -> tuple[date, date, datetime]:
        return self.period.first, self.period.end, self.at


@dataclass(frozen=True, slots=True)
class Point:
    """A period at the end of one of its weeks, or as of the question (`is_present`)."""

    sample: Sample
    sums: Sums
    quota_minor: int | None
    is_present: bool = False

    @property
    def coverage(self) -> Coverage:
        return coverage(self.sums.open_minor, won_minor=self.sums.won_minor, quota_minor=self.quota_minor)


def start_of(day: date, *, zone: ZoneInfo) -> datetime:
    """The instant at which a day begins in `zone`."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def samples_of(period: Period, *, zone: ZoneInfo, until: datetime) -> list[Sample]:
    """The period's start and the end of each of its weeks, as far as they had come by `until`. The days beyond whole
    weeks belong to the last one: a quarter of 92 days has its last sample at its end.
    """
    days = [period.first + timedelta(weeks=week) for week in range(period.weeks)] + [period.end]
    dated = ((week, start_of(day, zone=zone)) for week, day in enumerate(days))
    start_at = start_of(period.first, zone=zone)
    return [Sample(period, week, at, start_at) for week, at in dated if at <= until]


def created_needed(
    quota_minor: int | None, *, pasts: Sequence[Sequence[Point]], weeks: int
) -> list[int | None]:
    """How much pipeline would have been created by the end of each week, at the pace of past periods, for their wins
    to reach this quota: quota x created by then / won in the end, over all past periods together.

    Past periods that created 300 by week 2 and won 100 in the end ask for 900 by week 2 of a quota of 300.
    """
    ended = [
        points for points in pasts if points and points[-1].sample.week == points[-1].sample.period.weeks
    ]
    won = sum(points[-1].sums.won_minor for points in ended)
    if not quota_minor or won <= 0:
        return [None] * (weeks + 1)
    needed: list[int | None] = []
    for week in range(weeks + 1):
        # A shorter period (a month of four weeks beside one of five) had all that it ever had.
        created = sum(points[min(week, len(points) - 1)].sums.created_minor for points in ended)
        needed.append(round(Fraction(quota_minor * created, won)))
    return needed


def mean_minor(amounts: Iterable[int]) -> int | None:
    """Their mean in whole minor units; None of nothing."""
    known = list(amounts)
    return round(Fraction(sum(known), len(known))) if known else None


@dataclass(frozen=True, slots=True)
class Band:
    """Deals of an age in days from `first` up to and without `end` (None: and more)."""

    first: int
    end: int | None

    @property
    def label(self) -> str:
        return f"{self.first} days and more" if self.end is None else f"{self.first} to {self.end - 1} days"


BAND_STARTS = (0, 30, 60, 90, 180, 365)
BANDS = tuple(
    Band(start, BAND_STARTS[number + 1] if number + 1 < len(BAND_STARTS) else None)
    for number, start in zip(count(), BAND_STARTS, strict=False)
)
