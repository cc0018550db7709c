"""The truth of the simulated market: how likely is what, for a deal in a situation, on one working day?

On every working day of an open deal at most one thing happens. Each kind of event has a rate

    rate = BASE[stage] x one factor per covariate below x the deal's own factors (`own_factors`)

and with H the sum of the rates, something happens with probability 1 - exp(-H), and then it is of a kind with
probability rate / H. docs/demo.md prints these tables; a test holds the two equal.

>>> day_chances(NEGOTIATE, Situation(), (1.0,) * len(EVENTS))["won"] > 0
True
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import exp

# What can happen on a day, in the order of every tuple of rates.
EVENTS = ("advance", "back", "won", "lost", "no_decision", "push", "pull")
ADVANCE, BACK, WON, LOST, NO_DECISION, PUSH, PULL = range(len(EVENTS))
QUALIFY, DISCOVER, VALIDATE, PROPOSE, NEGOTIATE, SIGN = range(6)

Rates = tuple[float, ...]

# Per working day and stage: advance, back, won, lost, no decision, push, pull.
BASE: tuple[Rates, ...] = (
    (0.0800, 0.0000, 0.0000, 0.0110, 0.0040, 0.0180, 0.0000),  # Qualify
    (0.0700, 0.0006, 0.0000, 0.0120, 0.0055, 0.0180, 0.0000),  # Discover
    (0.0700, 0.0012, 0.0002, 0.0140, 0.0065, 0.0170, 0.0004),  # Validate
    (0.0650, 0.0015, 0.0005, 0.0180, 0.0070, 0.0160, 0.0008),  # Propose
    (0.0650, 0.0020, 0.0022, 0.0190, 0.0070, 0.0140, 0.0020),  # Negotiate
    (0.0000, 0.0015, 0.0110, 0.0190, 0.0060, 0.0120, 0.0030),  # Sign
)
# Factors: rows are the covariate's values, columns as above.
# Contacts logged in the deal's week before this one (weeks count from its creation): none, one, two or more.
ACTIVITY: tuple[Rates, ...] = (
    (0.60, 1.30, 0.60, 1.25, 1.80, 1.20, 0.60),
    (1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00),
    (1.20, 0.80, 1.25, 0.85, 0.50, 0.90, 1.20),
)
# A champion has a part in the deal: no, yes.
CHAMPION: tuple[Rates, ...] = (
    (1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00),
    (1.20, 0.80, 1.50, 0.70, 0.60, 0.95, 1.20),
)
# A decision maker has a part in the deal: no, yes.
DECISION_MAKER: tuple[Rates, ...] = (
    (1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00),
    (1.10, 0.80, 1.60, 0.85, 0.60, 0.80, 1.20),
)
# Pushes so far: 0, 1, 2, 3 or more.
PUSHES: tuple[Rates, ...] = (
    (1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00),
    (0.95, 1.00, 0.85, 1.05, 1.20, 1.15, 0.90),
    (0.90, 1.20, 0.65, 1.15, 1.50, 1.30, 0.80),
    (0.80, 1.40, 0.45, 1.30, 2.00, 1.40, 0.70),
)
# Age in weeks since creation: under 4, under 9, under 17, under 26, more.
AGE_WEEKS = (4, 9, 17, 26)
AGE: tuple[Rates, ...] = (
    (1.00, 0.50, 0.70, 0.90, 0.60, 0.80, 0.80),
    (1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00),
    (1.00, 1.00, 1.05, 1.00, 1.10, 1.00, 1.00),
    (0.90, 1.00, 0.85, 1.05, 1.60, 1.00, 1.00),
    (0.75, 1.00, 0.60, 1.20, 2.50, 1.00, 1.00),
)
# The calendar: any day, the last 3 working days of a month, the last 10 of a quarter, the first 10 of a quarter.
ANY_DAY, MONTH_END, QUARTER_END, QUARTER_START = range(4)
SEASON: tuple[Rates, ...] = (
    (1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00),
    (1.00, 1.00, 1.50, 1.00, 1.00, 1.10, 1.20),
    (1.15, 0.70, 2.10, 1.05, 0.80, 1.20, 1.60),
    (0.95, 1.10, 0.65, 1.25, 1.90, 1.00, 0.50),
)
# Calendar days to the close date: more than 28, 8 to 28, from 7 before to 3 after, later than that.
FAR, NEAR, AT_HAND, PASSED = range(4)
NEAR_DAYS, AT_HAND_DAYS, PASSED_DAYS = 28, 7, 4
CLOSENESS: tuple[Rates, ...] = (
    (1.00, 1.00, 0.30, 0.45, 0.40, 0.15, 1.00),
    (1.15, 1.00, 0.55, 0.75, 0.70, 0.90, 0.00),
    (1.30, 1.00, 5.80, 9.40, 8.20, 3.50, 0.00),
    (1.00, 1.20, 1.50, 3.00, 3.50, 6.00, 0.00),
)
# The deal's own factors: constant over its life.
# Kind of deal.
KIND: dict[str, Rates] = {
    "New business": (1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00),
    "Expansion": (1.10, 0.90, 1.30, 0.80, 0.95, 0.95, 1.00),
    "Renewal": (1.20, 0.80, 1.80, 0.60, 0.70, 0.80, 1.00),
}
# Competitor: nobody, the strongest of the four, another.
NOBODY, STRONGEST, ANOTHER = range(3)
COMPETITOR: tuple[Rates, ...] = (
    (1.00, 1.00, 1.00, 0.85, 1.25, 1.00, 1.00),
    (0.95, 1.10, 0.70, 1.40, 0.80, 1.05, 1.00),
    (1.00, 1.00, 0.95, 1.10, 0.85, 1.00, 1.00),
)
# Exponents of e: per unit of ln(first amount in EUR / median), and per unit of the rep's skill.
PER_SIZE: Rates = (-0.10, 0.00, -0.18, 0.06, 0.08, 0.05, 0.00)
PER_SKILL: Rates = (0.30, 0.00, 1.00, -0.50, -0.30, -0.20, 0.00)
# Deals kept badly (their close dates aren't looked after).
SLOPPY: Rates = (0.95, 1.00, 0.90, 1.05, 1.15, 0.55, 0.50)

# What moves the covariates themselves, drawn at the start of each of the deal's weeks.
CHAMPION_AT_FIRST = 0.22
CHAMPION_FOUND = (0.06, 0.18, 0.15, 0.10, 0.06, 0.02)  # by stage, while there is none
CHAMPION_LEAVES = 0.006
DECISION_MAKER_AT_FIRST = 0.05
DECISION_MAKER_FOUND = (0.015, 0.05, 0.11, 0.16, 0.16, 0.10)
DECISION_MAKER_LEAVES = 0.003
# A buyer is engaged or drifts; what is logged follows from it.
ENGAGED_AT_FIRST = 0.88
DRIFTS_OFF, DRIFTS_OFF_WITH_CHAMPION = 0.10, 0.05
COMES_BACK = 0.15
CONTACTS_ENGAGED = (0.75, 0.85, 1.00, 1.10, 1.30, 1.30)  # mean per week, by stage
CONTACTS_DRIFTING = 0.18
CONTACTS_SLOPPY = 0.55  # times as many: not everything is logged
# A lost or undecided deal comes back once, and lives by the same rates from Validate at most.
REOPENED = 0.045
REOPENED_AFTER_DAYS = (18, 85)
SKIPS_A_STAGE = 0.07  # of advances, up to Negotiate


@dataclass(frozen=True, slots=True)
class Situation:
    """A deal's covariates on one day, as positions in the tables above."""

    activity: int = 1
    champion: int = 0
    decision_maker: int = 0
    pushes: int = 0
    age: int = 1
    season: int = ANY_DAY
    closeness: int = NEAR


def own_factors(*, size: float, skill: float, kind: str, competitor: int, is_sloppy: bool) -> Rates:
    """What multiplies each rate of one deal all its life. `size` is ln(first amount in EUR / median)."""
    habit = SLOPPY if is_sloppy else (1.0,) * len(EVENTS)
    return tuple(
        of_kind * of_competitor * of_habit * exp(per_size * size + per_skill * skill)
        for of_kind, of_competitor, of_habit, per_size, per_skill in zip(
            KIND[kind], COMPETITOR[competitor], habit, PER_SIZE, PER_SKILL, strict=True
        )
    )


@cache
def rates(
    stage: int,
    activity: int,
    champion: int,
    decision_maker: int,
    pushes: int,
    age: int,
    season: int,
    closeness: int,
) -> Rates:
    """The rates of a working day in a situation, before the deal's own factors."""
    rows = (
        BASE[stage],
        ACTIVITY[activity],
        CHAMPION[champion],
        DECISION_MAKER[decision_maker],
        PUSHES[pushes],
        AGE[age],
        SEASON[season],
        CLOSENESS[closeness],
    )
    found = [1.0] * len(EVENTS)
    for row in rows:
        found = [before * factor for before, factor in zip(found, row, strict=True)]
    return tuple(found)


def day_chances(stage: int, at: Situation, own: Rates) -> dict[str, float]:
    """The true probability of each event on one working day, and of `nothing`; they sum to 1."""
    found = rates(
        stage, at.activity, at.champion, at.decision_maker, at.pushes, at.age, at.season, at.closeness
    )
    weighted = [rate * factor for rate, factor in zip(found, own, strict=True)]
    total = sum(weighted)
    happens = 1 - exp(-total)
    chances = {
        name: happens * rate / total if total else 0.0 for name, rate in zip(EVENTS, weighted, strict=True)
    }
    return chances | {"nothing": 1 - happens}
