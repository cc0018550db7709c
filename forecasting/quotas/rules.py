"""How much open pipeline stands against what is still missing to a quota (DEFINITIONS 7)."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


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
