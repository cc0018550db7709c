"""Which close date the rep believes in: the first guess, and where it moves."""

from __future__ import annotations

from math import exp
from random import Random

from otc.demo import market
from otc.demo.draw import between
from otc.demo.workdays import Workdays


def first_guess(rng: Random, *, created: int, size: float, stage: int, days: Workdays) -> int:
    """The close date set when the deal is found: an optimist's cycle, often rounded to a period's end."""
    length = market.GUESS_MEDIAN * exp(rng.gauss(0, market.GUESS_SIGMA) + market.CYCLE_PER_SIZE * size)
    ahead = market.GUESS_LEFT_BY_STAGE[stage]
    return round_up(rng, day=created + max(int(length * ahead), 7), days=days)


def reopened_guess(rng: Random, *, day: int, days: Workdays) -> int:
    """The close date of a deal that was opened again on `day`."""
    return round_up(rng, day=day + between(rng, market.REOPENED_LASTS_DAYS), days=days)


def round_up(rng: Random, *, day: int, days: Workdays) -> int:
    """`day`, or the end of its month or quarter: people think in those."""
    day = min(day, days.last)
    which = rng.random()
    if which < market.GUESS_AT_QUARTER_END:
        return days.quarter_end[day]
    if which < market.GUESS_AT_QUARTER_END + market.GUESS_AT_MONTH_END:
        return days.month_end[day]
    return days.on_or_after[day]


def push_target(rng: Random, *, noticed: int, guess: int, days: Workdays) -> int:
    """Where a date goes that won't hold: the next month's or quarter's end, or some weeks on."""
    after = min(max(guess, noticed), days.last - 100)
    which = rng.random()
    if which < market.PUSH_TO_MONTH_END:
        target = days.month_end[after + 5 + int(rng.random() * 25)]
    elif which < market.PUSH_TO_MONTH_END + market.PUSH_TO_QUARTER_END:
        target = days.quarter_end[after + 8]
    else:
        target = days.on_or_after[after + market.PUSH_DAYS[int(rng.random() * len(market.PUSH_DAYS))]]
    return max(target, days.on_or_after[after + 1])


def pull_target(rng: Random, *, day: int, days: Workdays) -> int:
    """Where a date goes that can be earlier: one to two weeks from `day`."""
    return days.on_or_after[min(day + 7 + int(rng.random() * 8), days.last)]
