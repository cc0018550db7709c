"""Where will the period end? What is won, what the open deals are expected to win, and what is still to come
(DEFINITIONS 9). Pure arithmetic, no database.

What an open deal is expected to win goes by its stage: of the deals that stood in it at the same point of past
periods, how many were won by the period's end. How far a period strays from that is taken from how far past ones did.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import sqrt
from statistics import NormalDist

from forecasting.trends.stages import StagePast

# Where an organization has little history it borrows: as much as so many deals, won at this rate, would say.
PRIOR_RATE, PRIOR_DEALS = Fraction(1, 4), 10
# The same of how far a period's remainder strays from what was expected of it, as a share, and of how many periods.
PRIOR_SWING, PRIOR_PERIODS = 0.35, 3
P10, P90 = 0.1, 0.9
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Past:
    """One finished period seen from a point of it: what was won by then and in the end, and what became of each
    stage's open deals.
    """

    key: str
    stages: Mapping[str, StagePast]
    won_by_then_minor: int
    won_minor: int

    @property
    def later_minor(self) -> int:
        """Won by its end from deals that weren't open in the period then: created or pulled in since."""
        from_open = sum(stage.won_minor for stage in self.stages.values())
        return max(0, self.won_minor - self.won_by_then_minor - from_open)


@dataclass(frozen=True, slots=True)
class Rate:
    """What share of a stage's deals are won by the period's end: `won` of `seen` past ones and the prior's."""

    seen: int
    won: int
    share: Fraction


@dataclass(frozen=True, slots=True)
class Open:
    """The open deals of one stage: corporate minor units; `squares` is the sum of the squared amounts."""

    count: int = 0
    minor: int = 0
    squares: int = 0

    def __add__(self, other: "Open") -> "Open":
        return Open(self.count + other.count, self.minor + other.minor, self.squares + other.squares)


@dataclass(frozen=True, slots=True)
class StagePart:
    """A stage's part of the landing."""

    stage: str
    open: Open
    rate: Rate

    @property
    def expected_minor(self) -> int:
        """Whole minor units, rounded half-even: the landing is a sum of these."""
        return round(self.rate.share * self.open.minor)


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a scope's period ends: `mean_minor` = won + every stage's part + what is to come."""

    won_minor: int
    stages: tuple[StagePart, ...]
    later_minor: int
    swing: float
    periods: int

    @property
    def open_minor(self) -> int:
        """What is expected of the open deals."""
        return sum(stage.expected_minor for stage in self.stages)

    @property
    def mean_minor(self) -> int:
        return self.won_minor + self.open_minor + self.later_minor

    @property
    def rest(self) -> "Rest":
        deals = sum(float(one.rate.share * (1 - one.rate.share)) * one.open.squares for one in self.stages)
        mean = float(self.open_minor + self.later_minor)
        return Rest(mean, deals + (mean * self.swing) ** 2)

    def at(self, share: float) -> int:
        """The amount below which the period ends with a probability of `share`, in minor units."""
        return self.won_minor + round(self.rest.at(share))

    @property
    def p10_minor(self) -> int:
        return self.at(P10)

    @property
    def p50_minor(self) -> int:
        return self.at(0.5)

    @property
    def p90_minor(self) -> int:
        return self.at(P90)

    def chance_of(self, minor: int) -> float:
        """How likely the period ends at `minor` or more, 0 to 1."""
        return 1.0 if minor <= self.won_minor else self.rest.chance_of(float(minor - self.won_minor))


@dataclass(frozen=True, slots=True)
class Rest:
    """What is still to be won, spread as a gamma distribution: never below nothing, with a long end above.

    Quantiles by Wilson and Hilferty, The distribution of chi-square, PNAS 17 (1931): the cube root is nearly normal.
    """

    mean: float
    variance: float

    @property
    def _cube(self) -> tuple[float, float]:
        """Mean and deviation of the cube root of (rest / mean)."""
        shape = self.mean**2 / self.variance
        return 1 - 1 / (9 * shape), 1 / (3 * sqrt(shape))

    @property
    def _is_certain(self) -> bool:
        return self.mean <= 0 or self.variance <= 0

    def at(self, share: float) -> float:
        if self._is_certain:
            return max(self.mean, 0.0)
        middle, deviation = self._cube
        return self.mean * max(0.0, middle + NORMAL.inv_cdf(share) * deviation) ** 3

    def chance_of(self, amount: float) -> float:
        """Of `amount` or more."""
        if self._is_certain:
            return 1.0 if self.mean >= amount > 0 else 0.0
        middle, deviation = self._cube
        return 1 - NORMAL.cdf(((amount / self.mean) ** (1 / 3) - middle) / deviation)


@dataclass(frozen=True)
class Lessons:
    """What past periods teach at one point: by stage how many deals win, what share of the wins came later, and how far
    a period strays.
    """

    pasts: Sequence[Past]
    rates: Mapping[str, Rate] = field(default_factory=dict)
    later_share: Fraction = Fraction(0)
    swing: float = PRIOR_SWING
    of_all: Fraction = PRIOR_RATE
    strays: Mapping[str, float] = field(default_factory=dict)

    def rate_of(self, stage: str) -> Rate:
        """A stage that nobody ever stood in takes the share of all."""
        return self.rates[stage] if stage in self.rates else Rate(0, 0, self.of_all)


def learned(pasts: Sequence[Past]) -> Lessons:
    """The lessons of some past periods, each seen from the same point of it."""
    strays = strays_of(pasts)
    return replace(shares_of(pasts), swing=_swing(strays.values()), strays=strays)


def shares_of(pasts: Sequence[Past]) -> Lessons:
    """The same without how far they strayed, which takes each of them apart."""
    return Lessons(pasts, _rates(pasts), _later_share(pasts), of_all=_share_of_all(pasts))


def between(now: Lessons, after: Lessons | None, *, share: Fraction) -> Lessons:
    """The lessons of a moment between the ends of two weeks, `share` of the later one being over; `after` None: it ends
    with the period, by when nothing more is won. So the landing doesn't jump where a week ends, and runs into what is
    won.

    A stage that wins 40 % from here and 20 % a week later wins 30 % from the middle of that week.
    """

    def blend(here: Fraction, there: Fraction) -> Fraction:
        return here * (1 - share) + there * share

    rates = {
        stage: Rate(
            rate.seen, rate.won, blend(rate.share, after.rate_of(stage).share if after else Fraction(0))
        )
        for stage, rate in now.rates.items()
    }
    later_share = blend(now.later_share, after.later_share if after else Fraction(0))
    of_all = blend(now.of_all, after.of_all if after else Fraction(0))
    return Lessons(now.pasts, rates, later_share, now.swing, of_all, now.strays)


def landed(
    won_minor: int, open_by_stage: Mapping[str, Open], *, past_wins_minor: int | None, lessons: Lessons
) -> Landing:
    """The landing of a scope. `past_wins_minor`: what it won in a past period on average; None where there is none."""
    stages = tuple(
        StagePart(stage, held, lessons.rate_of(stage)) for stage, held in open_by_stage.items() if held.count
    )
    later_minor = round(lessons.later_share * past_wins_minor) if past_wins_minor else 0
    return Landing(won_minor, stages, later_minor, lessons.swing, len(lessons.pasts))


def ended(won_minor: int) -> Landing:
    """A period that is over ends at what it won."""
    return Landing(won_minor, (), 0, 0.0, 0)


def _counts(pasts: Iterable[Past]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for past in pasts:
        for stage, one in past.stages.items():
            seen, won = found.get(stage, (0, 0))
            found[stage] = (seen + one.open_count, won + one.won_count)
    return found


def _share_of_all(pasts: Iterable[Past]) -> Fraction:
    counts = _counts(pasts).values()
    return _leaning(sum(seen for seen, _ in counts), sum(won for _, won in counts), PRIOR_RATE)


def _leaning(seen: int, won: int, prior: Fraction) -> Fraction:
    """The share won, leaning on the prior as on so many deals."""
    return (won + PRIOR_DEALS * prior) / (seen + PRIOR_DEALS)


def _rates(pasts: Sequence[Past]) -> dict[str, Rate]:
    prior = _share_of_all(pasts)
    return {
        stage: Rate(seen, won, _leaning(seen, won, prior)) for stage, (seen, won) in _counts(pasts).items()
    }


def _later_share(pasts: Sequence[Past]) -> Fraction:
    """What share of all that past periods won came from deals that weren't open in them at the same point."""
    won = sum(past.won_minor for past in pasts)
    return (
        min(Fraction(1), Fraction(sum(past.later_minor for past in pasts), won)) if won > 0 else Fraction(0)
    )


def strays_of(pasts: Sequence[Past]) -> dict[str, float]:
    """By past period how far what it still won strayed from what the others would have said of it, as a share.

    Others that say 500 of a period that still won 400: -0.2.
    """
    found: dict[str, float] = {}
    for past in pasts:
        others = [other for other in pasts if other is not past]
        if not others:
            continue
        rates, wins = _rates(others), sum(other.won_minor for other in others) / len(others)
        every = _share_of_all(others)
        expected = float(_later_share(others)) * wins + sum(
            float(rates[stage].share if stage in rates else every) * one.open_minor
            for stage, one in past.stages.items()
        )
        if expected > 0:
            found[past.key] = (past.won_minor - past.won_by_then_minor) / expected - 1
    return found


def _swing(strays: Iterable[float]) -> float:
    """The root of their mean square, with the prior's periods among them."""
    squares = [stray**2 for stray in strays]
    return sqrt((sum(squares) + PRIOR_PERIODS * PRIOR_SWING**2) / (len(squares) + PRIOR_PERIODS))
