"""What happened around a deal while it lived: calls, mails and meetings, and the milestones that were met."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import exp
from random import Random

from otc.demo import market, names
from otc.demo.accounts import DemoContact
from otc.demo.deals import DemoActivity, DemoMilestone, DemoState
from otc.demo.draw import Weighted
from otc.demo.fate import Fate
from otc.demo.moments import DAY
from otc.demo.workdays import Workdays

KIND = Weighted(market.ACTIVITY_KINDS)
LAST_TALK = len(names.SUBJECTS["mail"]) - 1


def instant(days: Workdays, second: int) -> datetime:
    return days.opens[second // DAY] + timedelta(0, second % DAY)


def activities(
    rng: Random, fate: Fate, *, states: list[DemoState], contacts: tuple[DemoContact, ...], days: Workdays
) -> tuple[DemoActivity, ...]:
    """Contacts from creation on, in order; they thin out where a deal dies, and end where the state ends."""
    silent = market.SLOPPY_SILENT_AFTER if fate.is_sloppy else market.SILENT_AFTER_SHARE[fate.outcome]
    length = max(int((fate.closing - fate.created) * silent), 2)
    rate = market.ACTIVITIES_PER_WEEK * exp(market.ACTIVITIES_PER_QUALITY * fate.quality)
    count = min(int(length / 7 * rate + rng.random()), market.MAX_ACTIVITIES)
    start, random, on_or_after = fate.created, rng.random, days.on_or_after
    last_second = min(days.today, fate.closing) * DAY
    seconds = sorted(
        on_or_after[start + int(random() * length)] * DAY + int(random() * DAY) for _ in range(count)
    )
    # Good deals talk to more people; the champion, first in the list, most.
    width = min(len(contacts), 2 + (fate.quality > -0.4) + (fate.quality > 0.5) + (fate.quality > 1.2))
    found = []
    place, following = 0, states[1].at if len(states) > 1 else None
    opening = states[0].at
    for second in seconds:
        if second >= last_second:
            break
        at = instant(days, second)
        if at <= opening:
            continue
        while following is not None and following <= at:
            place += 1
            following = states[place + 1].at if place + 1 < len(states) else None
        state = states[place]
        kind = KIND.draw(rng)
        talks = names.SUBJECTS[kind][min(state.stage, LAST_TALK)]
        found.append(
            DemoActivity(
                at,
                kind,
                "out" if random() < market.OUTBOUND_SHARE else "in",
                talks[int(random() * len(talks))],
                state.owner,
                contacts[int(random() * random() * width)].external_id,
            )
        )
    return tuple(found)


def milestones(
    rng: Random, fate: Fate, *, states: list[DemoState], per_stage: tuple[int, ...], days: Workdays
) -> tuple[DemoMilestone, ...]:
    """Milestones met between entering a stage and leaving it, each once, in the order of stages."""
    chance = market.MILESTONE_MET[fate.outcome] + market.MILESTONE_PER_QUALITY * fate.quality
    morning = days.opens[days.today]
    found = []
    entered, until = states[0], morning
    seen = -1
    for place, state in enumerate(states):
        if place and state.stage == entered.stage:
            continue
        entered = state
        if state.stage <= seen:
            continue
        seen = state.stage
        until = next((later.at for later in states[place + 1 :] if later.stage != state.stage), morning)
        if until is morning and states[-1].outcome is not None:
            until = states[-1].at
        span = until - state.at
        for position in range(per_stage[state.stage]):
            if rng.random() >= chance:
                continue
            at = workday_instant(state.at + span * rng.random(), days=days)
            if state.at < at < min(until, morning):
                found.append(DemoMilestone(state.stage, position, at, state.owner))
    return tuple(found)


def workday_instant(at: datetime, *, days: Workdays) -> datetime:
    """The same second of the working day on or after `at`, counted from that day's opening."""
    opening = days.opens[0]
    passed = at - opening
    day = min(max(passed.days, 0), days.last)
    return days.opens[days.on_or_after[day]] + timedelta(0, passed.seconds % DAY)
