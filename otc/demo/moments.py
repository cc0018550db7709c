"""The moments of a deal's life in order of time, before they are applied: (second, what, value).

A second counts working time: day number x WORKDAY_SECONDS + seconds since the day's opening.
"""

from __future__ import annotations

from math import log
from operator import itemgetter
from random import Random

from otc.demo import close_dates, market
from otc.demo.draw import between
from otc.demo.fate import Fate
from otc.demo.people import Slot
from otc.demo.workdays import Workdays

Moment = tuple[int, str, object]
DAY = market.WORKDAY_SECONDS
EDIT_SECONDS = DAY - 900  # leaves room to move simultaneous edits apart within the day
BY_TIME = itemgetter(0)


def second_on(rng: Random, day: int) -> int:
    return day * DAY + int(rng.random() * EDIT_SECONDS)


def stage_entries(rng: Random, fate: Fate, *, days: Workdays) -> list[tuple[int, int]]:
    """(day, stage) for every move of the first life, in order; some skip a stage, some fall back once."""
    length = fate.closing - fate.created
    reach = 1.0 if fate.outcome == "won" else 0.72
    scale = market.STAGE_ENTRY[max(fate.last_stage, 1) - 1] if fate.outcome != "won" else 1.0
    found: list[tuple[int, int]] = []
    for stage in range(1, fate.last_stage + 1):
        jitter = 1 + (rng.random() * 2 - 1) * market.STAGE_ENTRY_JITTER
        share = market.STAGE_ENTRY[stage - 1] / scale * reach * jitter
        share = (share - fate.start_share) / (1 - fate.start_share)
        if share <= 0 or rng.random() < market.SKIPS_A_STAGE:
            continue
        day = days.on_or_after[fate.created + int(length * min(share, 0.97))]
        if day < fate.closing:
            found.append((day, stage))
    found.sort()
    if len(found) >= 2 and rng.random() < market.MOVES_BACK:
        place = 1 + int(rng.random() * (len(found) - 1))
        (day, stage), before = found[place], found[place - 1][1]
        until = found[place + 1][0] if place + 1 < len(found) else fate.closing
        back, again = (days.on_or_after[day + (until - day) * part // 3] for part in (1, 2))
        if day < back < again < until:
            found[place + 1 : place + 1] = [(back, before), (again, stage)]
    return found


def starting_stage(fate: Fate) -> int:
    """The stage in which the deal is first seen: 0, or further on when it came from the former system."""
    passed = sum(1 for share in market.STAGE_ENTRY if share <= fate.start_share)
    return min(passed, fate.last_stage)


def life_moments(
    rng: Random,
    fate: Fate,
    *,
    slot: Slot,
    owned_by_slot: bool,
    entries: list[tuple[int, int]],
    days: Workdays,
) -> tuple[int, list[Moment]]:
    """(first close date, all moments after creation in order of time)."""
    size = log(fate.eur / market.MEDIAN_AMOUNT)
    shortened = market.GUESS_BACKLOG if fate.start_share else 1.0
    guess = close_dates.first_guess(rng, created=fate.created, size=size, shortened=shortened, days=days)
    found: list[Moment] = [(second_on(rng, day), "stage", stage) for day, stage in entries]
    pushes = close_dates.moves(
        rng,
        guess=guess,
        start=fate.created,
        closing=fate.closing,
        is_won=fate.outcome == "won",
        is_sloppy=fate.is_sloppy,
        days=days,
    )
    found += [(second_on(rng, day), "date", target) for day, target in pushes]
    found += edits_between(rng, fate, entries=entries, days=days)
    if owned_by_slot:
        found += handovers(rng, fate, slot=slot, days=days)
    found.append((second_on(rng, fate.closing), "close", fate.outcome))
    if fate.reopened is not None:
        found += second_life(rng, fate, days=days)
    found.sort(key=BY_TIME)
    return guess, found


def edits_between(rng: Random, fate: Fate, *, entries: list[tuple[int, int]], days: Workdays) -> list[Moment]:
    """Amounts bargained, categories thought over, next steps renewed between the stages' moves."""
    found: list[Moment] = []
    length = fate.closing - fate.created
    negotiating = next((day for day, stage in entries if stage == market.NEGOTIATE), None)
    if negotiating is not None and rng.random() < market.BARGAIN_CHANGES:
        day = days.on_or_after[negotiating + int((fate.closing - negotiating) * (0.3 + 0.6 * rng.random()))]
        found.append((second_on(rng, min(day, fate.closing)), "bargain", None))
    if length > 25 and rng.random() < market.SECOND_THOUGHT:
        day = days.on_or_after[fate.created + int(length * (0.5 + 0.45 * rng.random()))]
        found.append((second_on(rng, day), "doubt", None))
    if not fate.is_sloppy:
        for part in range(length // market.NOTE_EVERY_DAYS):
            day = days.on_or_after[fate.created + int((part + rng.random()) * market.NOTE_EVERY_DAYS) + 2]
            found.append((second_on(rng, day), "note", None))
    is_open_today = fate.created < days.today <= fate.closing
    reviewed = market.REVIEWED_LATELY_SLOPPY if fate.is_sloppy else market.REVIEWED_LATELY
    if is_open_today and rng.random() < reviewed:
        day = days.on_or_before[days.today - 1 - int(rng.random() * market.REVIEWED_WITHIN_DAYS)]
        found.append((second_on(rng, max(day, fate.created)), "note", None))
    return found


def handovers(rng: Random, fate: Fate, *, slot: Slot, days: Workdays) -> list[Moment]:
    """The owner's changes: a leaver's deals go to the manager, to a successor or stay without an owner."""
    found: list[Moment] = []
    for who, start, _ in slot.tenures[1:]:
        if fate.created < start < days.last and start <= fate.closing:
            if who is None and rng.random() < market.REASSIGNED_ON_LEAVING:
                found.append((second_on(rng, start), "owner", slot.boss_on(start)))
                break
            found.append((second_on(rng, start), "owner", who))
    return found


def second_life(rng: Random, fate: Fate, *, days: Workdays) -> list[Moment]:
    """Reopened, some stages on, and closed again."""
    assert fate.reopened is not None
    again, closing, outcome = fate.reopened
    closing = max(closing, days.on_or_after[again + 5])
    guess = close_dates.round_up(rng, day=again + between(rng, market.REOPENED_LASTS_DAYS), days=days)
    stage = min(fate.last_stage, 2)
    found: list[Moment] = [
        (second_on(rng, again), "reopen", (stage, guess)),
        (second_on(rng, closing), "close", outcome),
    ]
    steps = (market.PROPOSE, market.NEGOTIATE) if outcome == "won" else (market.PROPOSE,)
    for place, step in enumerate(steps, start=1):
        day = days.on_or_after[again + (closing - again) * place // 3]
        if again < day < closing:
            found.append((second_on(rng, day), "stage", step))
    pushes = close_dates.moves(
        rng, guess=guess, start=again, closing=closing, is_won=outcome == "won", is_sloppy=False, days=days
    )
    found += [(second_on(rng, day), "date", target) for day, target in pushes]
    return found
