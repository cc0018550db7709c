"""What stands against a quota (DEFINITIONS 7), what a new rep's ramp leaves of one, and how a year is shared out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

from otc.money.rules import allocate

MOST_PERCENT, MOST_MONTHS = 200, 24


class State(StrEnum):
    RATIO = "ratio"
    MET = "met"
    NO_QUOTA = "no_quota"


@dataclass(frozen=True, slots=True)
class Coverage:
    """`remaining` = open / (quota - won), None unless the state is ratio; `of_quota` = open / quota."""

    state: State
    remaining: Fraction | None
    of_quota: Fraction | None


def coverage(open_minor: int, *, won_minor: int, quota_minor: int | None) -> Coverage:
    """Open pipeline 300 against a quota of 200 with 100 won covers the rest 3 times and the quota 1.5
    times.
    """
    if not quota_minor:
        return Coverage(State.NO_QUOTA, None, None)
    of_quota = Fraction(open_minor, quota_minor)
    if won_minor >= quota_minor:
        return Coverage(State.MET, None, of_quota)
    return Coverage(State.RATIO, Fraction(open_minor, quota_minor - won_minor), of_quota)


@dataclass(frozen=True, slots=True)
class Ramp:
    """A new rep's way up: percent of the quota by month from `starts_on`, all of it afterwards, nothing before."""

    starts_on: date
    shares: tuple[int, ...]


def ramped(amount_minor: int, *, first: date, end: date, ramp: Ramp | None) -> int:
    """What a quota of the days [first, end) comes to for somebody on a ramp: each day its share, rounded half-even.

    A quota of 900 for 90 days of which the first 30 count half: 900 x (30 x 50 % + 60) / 90 = 750.
    """
    if ramp is None:
        return amount_minor
    days = (end - first).days
    percents = sum(percent_on(first + timedelta(days=day), ramp) for day in range(days))
    return round(Fraction(amount_minor * percents, 100 * days))


def percent_on(day: date, ramp: Ramp) -> int:
    """The share of a day, in percent."""
    if day < ramp.starts_on:
        return 0
    start = ramp.starts_on
    months = (day.year - start.year) * 12 + day.month - start.month - (day.day < start.day)
    return ramp.shares[months] if months < len(ramp.shares) else 100


def read_shares(text: str) -> tuple[int, ...]:
    """“25, 50, 75” as percents; raises ValueError with what to write instead. Nothing typed is no ramp."""
    shares = []
    for part in text.replace("%", " ").replace(",", " ").replace(";", " ").split():
        if not part.isdecimal() or not 0 <= int(part) <= MOST_PERCENT:
            raise ValueError(f"“{part[:10]}” is not a percentage of 0 to {MOST_PERCENT}; write 25, 50, 75")
        shares.append(int(part))
    if len(shares) > MOST_MONTHS:
        raise ValueError(f"A ramp has at most {MOST_MONTHS} months")
    return tuple(shares)


def read_weights(text: str, *, count: int) -> list[int]:
    """“20 22 24 34” as numbers, one for each period; nothing typed is alike. Raises ValueError with what to write."""
    parts = text.replace("%", " ").replace(",", " ").replace(";", " ").split()
    if not parts:
        return [1] * count
    if len(parts) != count or not all(part.isdecimal() and len(part) < 7 for part in parts):
        raise ValueError(f"Write {count} whole numbers as weights, one for each period: 20 22 24 34")
    return [int(part) for part in parts]


def shared_out(amount_minor: int, *, weights: Sequence[int]) -> list[int]:
    """A year's amount over its periods by their weights, to the minor unit: 100 by 1, 1, 2 is 25, 25, 50.

    Raises ValueError where no weight is above zero.
    """
    if not weights or min(weights) < 0 or not any(weights):
        raise ValueError("Weights are numbers of which one at least is above zero")
    return list(allocate(amount_minor, weights=list(weights)))


@dataclass(frozen=True, slots=True)
class Season:
    """How an organization spreads a year: weights of its twelve fiscal months or of its four quarters; none: alike."""

    kind: str
    weights: tuple[int, ...]


SEASON_LENGTHS = {"quarter": 4, "month": 12}


def season_weights(season: Season | None, *, kind: str) -> list[int]:
    """The weights of a year's quarters or months. A quarter weighs as its months do together, a month a third of its
    quarter: 1 1 2, 1 1 1, … by month is 4, 3, … by quarter.
    """
    if season is None or not season.weights:
        return [1] * SEASON_LENGTHS[kind]
    if season.kind == kind:
        return list(season.weights)
    if kind == "quarter":
        return [sum(season.weights[first : first + 3]) for first in range(0, 12, 3)]
    return [season.weights[month // 3] for month in range(12)]


def season_fault(season: Season) -> str:
    """What is wrong with the weights; nothing typed is alike."""
    count = SEASON_LENGTHS.get(season.kind)
    if count is None:
        return "Weights are by month or by quarter"
    if season.weights and len(season.weights) != count:
        return f"Write {count} whole numbers as weights, one for each {season.kind}"
    if season.weights and (min(season.weights) < 0 or not any(season.weights)):
        return "Weights are numbers of which one at least is above zero"
    return ""
