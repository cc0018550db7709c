"""What became of past deals that stood where an open deal stands now: won, lost or slipped by their close
date.

Counts of a stage and a band of days to the close date are blended with the stage's counts and a published
prior, so that a few deals never say 0 or 100 %.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from otc.money.rules import allocate

MODEL = "stage-rate-1"

# (key, at most this many days to the close date, in words); the last has no end.
BANDS: tuple[tuple[str, int | None, str], ...] = (
    ("0-7", 7, "0 to 7 days"),
    ("8-30", 30, "8 to 30 days"),
    ("31-60", 60, "31 to 60 days"),
    ("61-90", 90, "61 to 90 days"),
    ("91+", None, "more than 90 days"),
)

STEPS = 10_000  # probabilities are published in hundredths of a percent


@dataclass(frozen=True, slots=True)
class Counts:
    """Past deals that stood open in one place, by what they were at the end of their close date."""

    won: int = 0
    lost: int = 0
    slipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.won + other.won, self.lost + other.lost, self.slipped + other.slipped)

    @property
    def count(self) -> int:
        return self.won + self.lost + self.slipped


# The prior: ten imagined deals, so that an organization without history gets 30 % won, 30 % lost, 40 %
# slipped.
PRIOR = Counts(won=3, lost=3, slipped=4)

# How many deals the wider group (the stage for its band, the prior for the stage) weighs in each blend.
WEIGHT = PRIOR.count


@dataclass(frozen=True, slots=True)
class Risk:
    """The three chances for the close date; they sum to exactly 1, or are all None without a close date
    ahead.
    """

    p_won: Decimal | None
    p_lost: Decimal | None
    p_slip: Decimal | None
    reasons: tuple[str, ...]


def band_of(days: int) -> str:
    """The band of a number of days to the close date, 0 or more: 12 -> "8-30"."""
    if days < 0:
        raise ValueError(f"A close date that passed {-days} days ago has no band.")
    return next(key for key, most, _ in BANDS if most is None or days <= most)


def risk(*, today: date, close_date: date | None, stage: str, counts: Mapping[str, Counts]) -> Risk:
    """The risk of an open deal in `stage`; `counts` are the stage's past deals by band."""
    if close_date is None:
        return Risk(None, None, None, ("There is no close date, so there is nothing to be on time for.",))
    days = (close_date - today).days
    if days < 0:
        return Risk(None, None, None, (f"The close date {close_date} has passed: the deal has slipped.",))
    band = band_of(days)
    here, whole = counts.get(band, Counts()), sum(counts.values(), Counts())
    p_won, p_lost, p_slip = _whole_steps(_blend(here, _blend(whole, _shares(PRIOR))))
    return Risk(p_won, p_lost, p_slip, _reasons(stage, band, here=here, whole=whole))


type _Shares = tuple[Fraction, Fraction, Fraction]


def _shares(counts: Counts) -> _Shares:
    whole = counts.count
    return Fraction(counts.won, whole), Fraction(counts.lost, whole), Fraction(counts.slipped, whole)


def _blend(counts: Counts, wider: _Shares) -> _Shares:
    """The mean of the Dirichlet distribution whose prior is `wider` with the weight of ten deals."""
    won, lost, slipped = wider
    whole = counts.count + WEIGHT
    return (
        (counts.won + WEIGHT * won) / whole,
        (counts.lost + WEIGHT * lost) / whole,
        (counts.slipped + WEIGHT * slipped) / whole,
    )


def _whole_steps(shares: _Shares) -> tuple[Decimal, Decimal, Decimal]:
    """The shares in steps of 0.0001, by largest remainder, so that they sum to exactly 1."""
    denominator = shares[0].denominator * shares[1].denominator * shares[2].denominator
    won, lost, slipped = allocate(STEPS, weights=[int(share * denominator) for share in shares])
    return Decimal(won) / STEPS, Decimal(lost) / STEPS, Decimal(slipped) / STEPS


def _reasons(stage: str, band: str, *, here: Counts, whole: Counts) -> tuple[str, ...]:
    words = next(words for key, _, words in BANDS if key == band)
    where = stage or "no stage"
    if whole.count == 0:
        return (f"No past deal stood in {where} yet; 30 % won, 30 % lost and 40 % slipped is assumed.",)
    reasons = [f"{_tally(here)} in {where} with {words} to the close date{_ends(here)}."]
    if here.count < 3 * WEIGHT:
        reasons.append(f"That is few, so all of the stage count too: {_tally(whole).lower()}{_ends(whole)}.")
    return tuple(reasons)


def _tally(counts: Counts) -> str:
    if counts.count == 0:
        return "No past deal stood"
    return "1 past deal stood" if counts.count == 1 else f"{counts.count} past deals stood"


def _ends(counts: Counts) -> str:
    if counts.count == 0:
        return ""
    return f": {counts.won} won by it, {counts.lost} lost by it, {counts.slipped} still open after it"
