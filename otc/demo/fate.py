"""What is decided about a deal before anybody knows it: its worth, its quality, and how and when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from random import Random

from otc.demo import market
from otc.demo.draw import Weighted, between
from otc.demo.workdays import Workdays

CHOICE_OF_COMPETITOR = Weighted(list(enumerate(market.COMPETITOR_WEIGHTS)))
LAST_STAGE = {
    "lost": Weighted(list(enumerate(market.LAST_STAGE_LOST))),
    "no_decision": Weighted(list(enumerate(market.LAST_STAGE_NO_DECISION))),
}


@dataclass(slots=True)
class Fate:
    """`eur` its worth at first; `quality` about -2..2; days are day numbers.

    `reopened` is (day, closing day, outcome).
    """

    eur: float
    quality: float
    is_sloppy: bool
    competitor: int | None
    outcome: str
    created: int
    closing: int
    last_stage: int
    start_share: float
    reopened: tuple[int, int, str] | None = None


def draw_fate(rng: Random, *, created: int, skill: float, is_backlog: bool, days: Workdays) -> Fate:
    """Draw a deal found on day `created` by a rep of `skill` (effect on the logit of winning)."""
    eur = min(market.MEDIAN_AMOUNT * exp(rng.gauss(0, market.AMOUNT_SIGMA)), market.MAX_AMOUNT)
    size = log(eur / market.MEDIAN_AMOUNT)
    quality = rng.gauss(0, 1)
    competitor = CHOICE_OF_COMPETITOR.draw(rng) if rng.random() < market.COMPETITOR_KNOWN else None
    logit = market.WIN_INTERCEPT + market.WIN_QUALITY * quality + market.WIN_SIZE * size + skill
    if competitor == 0:
        logit += market.WIN_STRONGEST_COMPETITOR
    if rng.random() * (1 + exp(-logit)) < 1:
        outcome, last_stage = "won", market.SIGN
    else:
        outcome = "no_decision" if rng.random() < market.NO_DECISION_SHARE else "lost"
        last_stage = LAST_STAGE[outcome].draw(rng)
    median, sigma = market.CYCLE[outcome]
    cycle = median * exp(rng.gauss(0, sigma) + market.CYCLE_PER_SIZE * size)
    start_share = rng.random() * 0.8 if is_backlog else 0.0
    cycle = min(max(cycle * (1 - start_share), market.MIN_CYCLE), market.MAX_CYCLE)
    closing = closing_day(rng, day=created + int(cycle), outcome=outcome, days=days)
    closing = max(closing, days.on_or_after[created + market.MIN_CYCLE])
    is_sloppy = rng.random() < market.SLOPPY
    fate = Fate(eur, quality, is_sloppy, competitor, outcome, created, closing, last_stage, start_share)
    if outcome != "won" and rng.random() < market.REOPENED:
        fate.reopened = second_life(rng, closing=closing, days=days)
    return fate


def second_life(rng: Random, *, closing: int, days: Workdays) -> tuple[int, int, str] | None:
    """(day reopened, day closed again, outcome); None when that lies beyond the calendar."""
    again = closing + between(rng, market.REOPENED_AFTER_DAYS)
    end = again + between(rng, market.REOPENED_LASTS_DAYS)
    if end + 100 > days.last:
        return None
    outcome = "won" if rng.random() < market.REOPENED_WINS else "lost"
    return days.on_or_after[again], closing_day(rng, day=end, outcome=outcome, days=days), outcome


def closing_day(rng: Random, *, day: int, outcome: str, days: Workdays) -> int:
    """The working day on which it ends, when nature says `day` but people have quarters to make."""
    day = min(day, days.last - 100)
    if outcome == "won":
        return signing_day(rng, day=day, days=days)
    if outcome == "no_decision" and rng.random() < market.CLEAN_UP_PULL:
        after = days.quarter_end[day] + 1 + int(rng.random() * market.CLEAN_UP_DAYS)
        return days.on_or_after[min(after, days.last - 100)]
    return days.on_or_after[day]


def signing_day(rng: Random, *, day: int, days: Workdays) -> int:
    """The hockey stick: late deals sign at the quarter's end, others before it or at a month's."""
    end, start = days.quarter_end[day], days.quarter_start[day]
    left = int(rng.expovariate(1 / market.QUARTER_END_MEAN_DAYS_LEFT))
    if start > 0 and day - start <= market.PULL_IN_REACH and rng.random() < market.PULL_IN:
        return days.on_or_before[max(start - 1 - left, 0)]
    if end - day <= market.QUARTER_END_REACH and rng.random() < market.QUARTER_END_PULL:
        return days.on_or_before[max(end - left, day - 5, 0)]
    if rng.random() < market.MONTH_END_PULL:
        return days.month_end[day]
    return days.on_or_after[day]
