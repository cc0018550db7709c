"""The moments of a deal's life in order of time, before they are applied: (second, what, value).

A second counts working time: day number x WORKDAY_SECONDS + seconds since the day's opening.
"""

from __future__ import annotations

from operator import itemgetter
from random import Random

from otc.demo import market
from otc.demo.course import Log
from otc.demo.people import Slot
from otc.demo.workdays import Workdays

Moment = tuple[int, str, object]
DAY = market.WORKDAY_SECONDS
EDIT_SECONDS = DAY - 900  # leaves room to move simultaneous edits apart within the day
BY_TIME = itemgetter(0)


def second_on(rng: Random, day: int) -> int:
    return day * DAY + int(rng.random() * EDIT_SECONDS)


def life_moments(
    rng: Random, log: Log, *, slot: Slot, owned_by_slot: bool, created: int, is_sloppy: bool, days: Workdays
) -> list[Moment]:
    """The course's events with what people edit around them, all moments after creation in order of time."""
    found: list[Moment] = [(second_on(rng, day), what, value) for day, what, value in log.events]
    closing = next((day for day, what, _ in log.events if what == "close"), None)
    end = days.today if closing is None else closing
    found += edits_between(rng, log, created=created, end=end, is_sloppy=is_sloppy, days=days)
    if closing is None:
        found += reviewed_lately(rng, created=created, is_sloppy=is_sloppy, days=days)
    if owned_by_slot:
        found += handovers(rng, slot=slot, created=created, end=end, days=days)
    found.sort(key=BY_TIME)
    return found


def edits_between(
    rng: Random, log: Log, *, created: int, end: int, is_sloppy: bool, days: Workdays
) -> list[Moment]:
    """Amounts bargained, categories thought over, next steps renewed between the course's events."""
    found: list[Moment] = []
    length = end - created
    entered = (day for day, what, stage in log.events if what == "stage" and stage == market.NEGOTIATE)
    negotiating = next(entered, None)
    if negotiating is not None and rng.random() < market.BARGAIN_CHANGES:
        day = days.on_or_after[negotiating + int((end - negotiating) * (0.3 + 0.6 * rng.random()))]
        found.append((second_on(rng, min(day, end)), "bargain", None))
    if length > 25 and rng.random() < market.SECOND_THOUGHT:
        day = days.on_or_after[created + int(length * (0.5 + 0.45 * rng.random()))]
        found.append((second_on(rng, day), "doubt", None))
    if not is_sloppy:
        for part in range(length // market.NOTE_EVERY_DAYS):
            day = days.on_or_after[created + int((part + rng.random()) * market.NOTE_EVERY_DAYS) + 2]
            found.append((second_on(rng, day), "note", None))
    return found


def reviewed_lately(rng: Random, *, created: int, is_sloppy: bool, days: Workdays) -> list[Moment]:
    """Most open deals had their next step renewed in the last days."""
    reviewed = market.REVIEWED_LATELY_SLOPPY if is_sloppy else market.REVIEWED_LATELY
    if rng.random() >= reviewed:
        return []
    day = days.on_or_before[max(days.today - 1 - int(rng.random() * market.REVIEWED_WITHIN_DAYS), 0)]
    return [(second_on(rng, max(day, created)), "note", None)]


def handovers(rng: Random, *, slot: Slot, created: int, end: int, days: Workdays) -> list[Moment]:
    """The owner's changes: a leaver's deals go to the manager, to a successor or stay without an owner."""
    found: list[Moment] = []
    for who, start, _ in slot.tenures[1:]:
        if created < start < days.last and start <= end:
            if who is None and rng.random() < market.REASSIGNED_ON_LEAVING:
                found.append((second_on(rng, start), "owner", slot.boss_on(start)))
                break
            found.append((second_on(rng, start), "owner", who))
    return found
