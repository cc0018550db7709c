"""How long a stage takes and how many deals of a cohort are won, with open deals censored: pure arithmetic."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from forecasting.funnel.closed import Z_95, Closed, wilson, win_rate


@dataclass(frozen=True, slots=True)
class Stay:
    """So many deals stayed for `days` whole days; `ended` false: they are still there, or were deleted."""

    days: int
    ended: bool
    count: int


@dataclass(frozen=True, slots=True)
class Median:
    """Kaplan-Meier's median in days, None where fewer than half have left; `low` and `high` bound it at 95 %
    (None: open to that side). `ended` of `count` stays have ended.
    """

    days: int | None
    low: int | None
    high: int | None
    ended: int
    count: int


def median_stay(stays: Iterable[Stay]) -> Median:
    """The first day by which half have left, those who are still there counted for as long as they were seen.

    Kaplan and Meier (1958); the interval is Brookmeyer and Crowley's (1982) on log(-log S), with Greenwood's variance.
    Three stays of 2, 4 and 6 days and one of 5 that goes on: S = 3/4, 1/2, 0, so the median is 4.
    """
    by_day = _by_day(stays)
    at_risk = count = sum(ended + censored for _, ended, censored in by_day)
    survival, variance = 1.0, 0.0
    found: dict[str, int] = {}
    for day, ended, censored in by_day:
        if ended:
            survival *= 1 - ended / at_risk
            variance += ended / (at_risk * (at_risk - ended)) if at_risk > ended else 0.0
            low, high = _bounds(survival, variance)
            for name, value in (("days", survival), ("low", low), ("high", high)):
                if value <= 0.5 + 1e-12:
                    found.setdefault(name, day)
        at_risk -= ended + censored
    return Median(
        found.get("days"),
        found.get("low"),
        found.get("high"),
        sum(ended for _, ended, _ in by_day),
        count,
    )


def _bounds(survival: float, variance: float) -> tuple[float, float]:
    """The 95 % interval of a survival of 0..1; all of it where everybody has left."""
    if survival >= 1.0:
        return 1.0, 1.0
    if survival <= 1e-12:
        return 0.0, 0.0
    spread = math.exp(Z_95 * math.sqrt(variance) / math.log(survival))
    return min(survival ** (1 / spread), survival**spread), max(survival ** (1 / spread), survival**spread)


def _by_day(stays: Iterable[Stay]) -> list[tuple[int, int, int]]:
    """(day, ended, censored), in the order of days."""
    found: dict[int, list[int]] = {}
    for stay in stays:
        found.setdefault(stay.days, [0, 0])[not stay.ended] += stay.count
    return [(day, *found[day]) for day in sorted(found)]  # type: ignore[misc]  # two counts each


@dataclass(frozen=True, slots=True)
class CohortEnd:
    """So many deals of a cohort closed, or were last seen open (`outcome` empty), so many days after creation."""

    days: int
    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """`won`, `not_won` and `open` add up to the cohort. `win_rate` is the share that is won in the end as far as can be
    seen: open deals are censored, not counted as lost.
    """

    won: int
    not_won: int
    open: int
    win_rate: float | None

    @property
    def count(self) -> int:
        return self.won + self.not_won + self.open


def cohort_of(ends: Sequence[CohortEnd]) -> Cohort:
    """Aalen and Johansen's cumulative incidence of winning, at the last day that anybody was seen.

    One deal won after 10 days, one lost after 20, one open for 15: at day 10 a third is won; at day 20 the one that is
    left is lost, so a third it stays.
    """
    counts = {"won": 0, "": 0}
    by_day: dict[int, dict[str, int]] = {}
    for end in ends:
        name = end.outcome if end.outcome in counts else "not_won"
        counts[name] = counts.get(name, 0) + end.count
        day = by_day.setdefault(end.days, {})
        day[name] = day.get(name, 0) + end.count
    at_risk = sum(counts.values())
    if not at_risk:
        return Cohort(0, 0, 0, None)
    surviving, incidence = 1.0, 0.0
    for number in sorted(by_day):
        day = by_day[number]
        incidence += surviving * day.get("won", 0) / at_risk
        surviving *= 1 - (day.get("won", 0) + day.get("not_won", 0)) / at_risk
        at_risk -= sum(day.values())
    has_closed = counts["won"] or counts.get("not_won")
    return Cohort(counts["won"], counts.get("not_won", 0), counts[""], incidence if has_closed else None)


@dataclass(frozen=True, slots=True)
class StageFlow:
    """What became of the deals of a cohort at one stage. Of those that entered it: `advanced` (later in a further
    stage, or won), `lost` (closed otherwise without that), `open` (neither yet). `skipped` passed it over. `backward`
    counts the moves from it to an earlier stage.
    """

    stage_id: UUID
    name: str
    position: int
    entered: int
    advanced: int
    lost: int
    open: int
    skipped: int
    backward: int
    stay: Median

    @property
    def conversion(self) -> Fraction | None:
        """advanced / (advanced + lost): deals that are still there say nothing yet."""
        known = self.advanced + self.lost
        return Fraction(self.advanced, known) if known else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 %."""
        return wilson(self.advanced, count=self.advanced + self.lost)


@dataclass(frozen=True, slots=True)
class Velocity:
    """Closed deals of a window, open ones of the moment, and what both make: money won a day.

    `cycle_days` is the median from creation to the close date of won deals.
    """

    closed: Closed
    open_count: int
    cycle_days: float | None

    @property
    def win_rate(self) -> Fraction | None:
        return win_rate(self.closed)

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.closed.won, count=self.closed.count)

    @property
    def mean_won_minor(self) -> int | None:
        """Of the won deals that a rate converts."""
        mean = self.closed.mean_won_minor
        return None if mean is None else round(mean)

    @property
    def a_day_minor(self) -> int | None:
        """DEFINITIONS 7: open deals x win rate x mean won amount / median cycle days.

        40 open, 25 % won, 10,000 on the average, 50 days: 2,000 a day. None without wins, or won on the first day.
        """
        rate, mean = self.win_rate, self.closed.mean_won_minor
        if rate is None or mean is None or not self.cycle_days or self.cycle_days <= 0:
            return None
        return round(self.open_count * rate * mean / Fraction(self.cycle_days))
