"""A deal's course through the market, drawn day by day from the rates of hazards.py.

The same course serves the simulation (its history) and the truth (its futures).
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, replace
from itertools import accumulate
from math import exp, factorial, log
from operator import mul
from random import Random

from otc.demo import hazards
from otc.demo.close_dates import first_guess, pull_target, push_target, reopened_guess
from otc.demo.draw import between
from otc.demo.prospect import Prospect
from otc.demo.workdays import Workdays

WEEK = 7
NEVER = 10**6  # a day beyond every calendar
MOST_CONTACTS = 6  # in a week


def poisson_bounds(mean: float) -> list[float]:
    """Cumulative probabilities of 0, 1, ... contacts in a week of `mean`; a seventh isn't drawn."""
    return list(accumulate(exp(-mean) * mean**n / factorial(n) for n in range(MOST_CONTACTS)))


CONTACT_BOUNDS = {
    (is_engaged, is_sloppy): tuple(
        poisson_bounds(
            (mean if is_engaged else hazards.CONTACTS_DRIFTING)
            * (hazards.CONTACTS_SLOPPY if is_sloppy else 1)
        )
        for mean in hazards.CONTACTS_ENGAGED
    )
    for is_engaged in (True, False)
    for is_sloppy in (True, False)
}


@dataclass(slots=True)
class Standing:
    """All that decides about a deal's future at the start of `day`. Days are day numbers.

    `week_ends` is the first day of its next week; `contacts` of its present one, drawn ahead; `activity` 0, 1 or
    2 from the week before. `outcome` None is open; `again` the day on which a closed deal comes back, if it does.
    """

    day: int
    stage: int
    close_day: int
    week_ends: int
    age_weeks: int = 0
    pushes: int = 0
    contacts: int = 1
    activity: int = 1
    is_engaged: bool = True
    champion: int = 0
    decision_maker: int = 0
    outcome: str | None = None
    again: int | None = None
    is_second_life: bool = False


@dataclass(slots=True)
class Log:
    """What a course left behind: (day, what, value) events, (first day, next week's, contacts) of weeks, and
    (day, part, is there).

    `standings`, where asked for, are copies taken whenever something may have changed.
    """

    events: list[tuple[int, str, object]]
    weeks: list[tuple[int, int, int]]
    parts: list[tuple[int, str, bool]]
    standings: list[Standing] | None = None


def begin(rng: Random, prospect: Prospect, *, days: Workdays) -> Standing:
    """A deal on the day after it was found."""
    guess = first_guess(rng, created=prospect.created, size=prospect.size, stage=prospect.stage, days=days)
    found = prospect.stage / hazards.SIGN
    return Standing(
        day=prospect.created + 1,
        stage=prospect.stage,
        close_day=guess,
        week_ends=prospect.created + WEEK,
        is_engaged=rng.random() < hazards.ENGAGED_AT_FIRST,
        champion=int(rng.random() < hazards.CHAMPION_AT_FIRST + 0.6 * found),
        decision_maker=int(rng.random() < hazards.DECISION_MAKER_AT_FIRST + 0.7 * found),
    )


def run(
    rng: Random,
    prospect: Prospect,
    at: Standing,
    *,
    own: hazards.Rates,
    until: int,
    days: Workdays,
    log: Log | None,
) -> None:
    """Let the deal live from `at.day` to before `until`; `at` is changed, `log` written where there is one.

    While nothing changes, one draw serves all working days up to the next change: the rates are the same on each.
    """
    worked, season, random = days.worked, days.season, rng.random
    while at.day < until:
        if log is not None and log.standings is not None:
            log.standings.append(replace(at))
        if at.outcome is not None:
            if at.again is None or at.again >= until:
                return
            reopen(rng, at, days=days, log=log)
            continue
        if at.day >= at.week_ends:
            begin_week(rng, prospect, at, log=log)
        day = at.day
        closeness, changes = closeness_of(at)
        end = min(at.week_ends, days.season_ends[day], changes, until)
        working_days = worked[end] - worked[day]
        if not working_days:
            at.day = end
            continue
        found = hazards.rates(
            at.stage,
            at.activity,
            at.champion,
            at.decision_maker,
            at.pushes if at.pushes < 3 else 3,
            bisect(hazards.AGE_WEEKS, at.age_weeks),
            season[day],
            closeness,
        )
        weights = list(map(mul, found, own))
        total = sum(weights)
        waits = -log_of(random()) / total
        if waits >= working_days:
            at.day = end
            continue
        today = days.nth[worked[day] + int(waits)]
        at.day = today + 1
        which = bisect(list(accumulate(weights)), random() * total, 0, hazards.PULL)
        happen(rng, at, which, today=today, days=days, log=log)


def closeness_of(at: Standing) -> tuple[int, int]:
    """How near the close date is, and the day on which that changes."""
    ahead = at.close_day - at.day
    if ahead > hazards.NEAR_DAYS:
        return hazards.FAR, at.close_day - hazards.NEAR_DAYS
    if ahead > hazards.AT_HAND_DAYS:
        return hazards.NEAR, at.close_day - hazards.AT_HAND_DAYS
    if ahead > -hazards.PASSED_DAYS:
        return hazards.AT_HAND, at.close_day + hazards.PASSED_DAYS
    return hazards.PASSED, NEVER


def happen(rng: Random, at: Standing, which: int, *, today: int, days: Workdays, log: Log | None) -> None:
    """Let the event at position `which` of EVENTS happen today."""
    if which == hazards.ADVANCE:
        advance_stage(rng, at, today, log=log)
    elif which == hazards.BACK:
        at.stage -= 1
        note(log, today, "stage", at.stage)
    elif which == hazards.PUSH:
        at.pushes += 1
        move_date(at, today, push_target(rng, noticed=today, guess=at.close_day, days=days), log=log)
    elif which == hazards.PULL:
        move_date(at, today, pull_target(rng, day=today, days=days), log=log)
    else:
        close(rng, at, today, hazards.EVENTS[which], log=log)


def log_of(share: float) -> float:
    """ln of a uniform number; 0 is drawn once in 2^53 and stands for the smallest."""
    return log(share or 2**-53)


def note(log: Log | None, day: int, what: str, value: object) -> None:
    if log is not None:
        log.events.append((day, what, value))


def begin_week(rng: Random, prospect: Prospect, at: Standing, *, log: Log | None) -> None:
    """What the week before showed becomes the covariate; contacts, champion and decision maker are drawn anew."""
    random, week = rng.random, at.week_ends
    at.activity = min(at.contacts, 2)
    at.age_weeks += 1
    at.week_ends += WEEK
    which = random()
    if at.is_engaged:
        off = hazards.DRIFTS_OFF_WITH_CHAMPION if at.champion else hazards.DRIFTS_OFF
        at.is_engaged = which >= off
    else:
        at.is_engaged = which < hazards.COMES_BACK
    at.contacts = bisect(CONTACT_BOUNDS[at.is_engaged, prospect.is_sloppy][at.stage], random())
    change = hazards.CHAMPION_LEAVES if at.champion else hazards.CHAMPION_FOUND[at.stage]
    if random() < change:
        at.champion = 1 - at.champion
        if log is not None:
            log.parts.append((week, "champion", bool(at.champion)))
    found = hazards.DECISION_MAKER_FOUND[at.stage]
    change = hazards.DECISION_MAKER_LEAVES if at.decision_maker else found
    if random() < change:
        at.decision_maker = 1 - at.decision_maker
        if log is not None:
            log.parts.append((week, "decision_maker", bool(at.decision_maker)))
    if log is not None and at.contacts:
        log.weeks.append((week, at.week_ends, at.contacts))


def advance_stage(rng: Random, at: Standing, today: int, *, log: Log | None) -> None:
    """One stage on; now and then one is skipped, the last never."""
    skips = at.stage < hazards.PROPOSE and rng.random() < hazards.SKIPS_A_STAGE
    at.stage += 2 if skips else 1
    note(log, today, "stage", at.stage)


def move_date(at: Standing, today: int, target: int, *, log: Log | None) -> None:
    at.close_day = target
    note(log, today, "date", target)


def close(rng: Random, at: Standing, today: int, outcome: str, *, log: Log | None) -> None:
    """Closed today; who wasn't won may come back once."""
    at.outcome = outcome
    note(log, today, "close", outcome)
    if outcome != "won" and not at.is_second_life and rng.random() < hazards.REOPENED:
        at.again = today + between(rng, hazards.REOPENED_AFTER_DAYS)


def reopen(rng: Random, at: Standing, *, days: Workdays, log: Log | None) -> None:
    """Open again on the working day on or after `again`, from Validate at most, with a new close date."""
    assert at.again is not None
    today = days.on_or_after[at.again]
    weeks = max(today - at.week_ends, 0) // WEEK + 1
    at.week_ends, at.age_weeks = at.week_ends + weeks * WEEK, at.age_weeks + weeks
    at.day, at.outcome, at.again, at.is_second_life = today + 1, None, None, True
    at.stage, at.contacts, at.activity, at.is_engaged = min(at.stage, hazards.VALIDATE), 1, 1, True
    at.close_day = reopened_guess(rng, day=today, days=days)
    note(log, today, "reopen", (at.stage, at.close_day))
    if log is not None:
        log.weeks.append((today, at.week_ends, at.contacts))
