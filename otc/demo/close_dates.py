"""Which close date the rep believes in, and when it is moved: the first guess, pushes, pull-ins."""

from __future__ import annotations

from math import exp
from random import Random

from otc.demo import market
from otc.demo.draw import Weighted, between
from otc.demo.workdays import Workdays

NOTICED = Weighted(market.NOTICED)


def first_guess(rng: Random, *, created: int, size: float, shortened: float, days: Workdays) -> int:
    """The close date set when the deal is found: an optimist's cycle, often rounded to a period's end."""
    length = market.GUESS_MEDIAN * exp(rng.gauss(0, market.GUESS_SIGMA) + market.CYCLE_PER_SIZE * size)
    day = created + max(int(length * shortened), 7)
    return round_up(rng, day=day, days=days)


def round_up(rng: Random, *, day: int, days: Workdays) -> int:
    """`day`, or the end of its month or quarter: people think in those."""
    day = min(day, days.last)
    which = rng.random()
    if which < market.GUESS_AT_QUARTER_END:
        return days.quarter_end[day]
    if which < market.GUESS_AT_QUARTER_END + market.GUESS_AT_MONTH_END:
        return days.month_end[day]
    return days.on_or_after[day]


def moves(
    rng: Random, *, guess: int, start: int, closing: int, is_won: bool, is_sloppy: bool, days: Workdays
) -> list[tuple[int, int]]:
    """(day of the edit, new close date) from `start` to before `closing`, in order."""
    found: list[tuple[int, int]] = []
    last = start
    while guess < closing and len(found) < market.MAX_PUSHES:
        lag = NOTICED.draw(rng)
        if is_sloppy:
            lag += between(rng, market.SLOPPY_NOTICES_LATER)
        noticed = days.on_or_after[max(last + 1, guess + lag)]
        if noticed >= closing:
            break
        guess = push_target(rng, noticed=noticed, guess=guess, days=days)
        found.append((noticed, guess))
        last = noticed
    if is_won and guess > closing:
        change = market.PULLED_IN_WHEN_WON if guess - closing > 6 else market.DATE_CONFIRMED_WHEN_WON / 2
        day = days.on_or_after[max(last + 1, closing - 4 - int(rng.random() * 18))]
        if rng.random() < change and day < closing:
            found.append((day, days.on_or_after[closing + int(rng.random() * 5)]))
    return found


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
