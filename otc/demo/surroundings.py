"""What happened around a deal while it lived: contacts, milestones that were met, parts on the buyer's side."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from otc.demo import market, names
from otc.demo.accounts import DemoContact
from otc.demo.course import Log, Standing
from otc.demo.deals import DemoActivity, DemoBuyingRole, DemoMilestone, DemoState
from otc.demo.draw import Weighted
from otc.demo.moments import DAY
from otc.demo.workdays import Workdays

KIND = Weighted(market.ACTIVITY_KINDS)
LAST_TALK = len(names.SUBJECTS["mail"]) - 1
# Who of an account's contacts plays a part, by place; the second when the first has gone.
PEOPLE_OF = {"champion": (0, 3), "decision_maker": (2, 1)}
# (part, stage at whose entry it may be filled, the contact's place, how often)
BY_THE_WAY = (
    ("influencer", market.VALIDATE, 3, 0.45),
    ("economic_buyer", market.PROPOSE, 1, 0.60),
    ("user", market.VALIDATE, 4, 0.40),
    ("blocker", market.NEGOTIATE, 5, 0.35),
)
INFLUENCE = {
    "champion": "medium",
    "decision_maker": "high",
    "economic_buyer": "high",
    "influencer": "medium",
    "user": "low",
    "blocker": "medium",
}
STANCE = {
    "champion": Weighted([("supporter", 9), ("neutral", 1)]),
    "decision_maker": Weighted([("supporter", 4), ("neutral", 4), ("unknown", 2)]),
    "economic_buyer": Weighted([("supporter", 2), ("neutral", 5), ("unknown", 3)]),
    "influencer": Weighted([("supporter", 4), ("neutral", 4), ("opponent", 1)]),
    "user": Weighted([("supporter", 6), ("neutral", 3), ("opponent", 1)]),
    "blocker": Weighted([("opponent", 8), ("neutral", 2)]),
}


def instant(days: Workdays, second: int) -> datetime:
    return days.opens[second // DAY] + timedelta(0, second % DAY)


def activities(
    rng: Random, log: Log, *, states: list[DemoState], contacts: tuple[DemoContact, ...], days: Workdays
) -> tuple[DemoActivity, ...]:
    """The contacts of each week of the course, on its working days, in order; none from the closing on."""
    random, worked, nth = rng.random, days.worked, days.nth
    seconds = []
    for week, next_week, count in log.weeks:
        before = worked[week]
        working_days = worked[next_week] - before
        for _ in range(count if working_days else 0):
            seconds.append(nth[before + int(random() * working_days)] * DAY + int(random() * DAY))
    seconds.sort()
    # A few deals hang on one person; elsewhere the circle grows with the stage, and the champion talks most.
    is_single = random() < market.SINGLE_THREADED
    found = []
    place, following = 0, states[1].at if len(states) > 1 else None
    opening = states[0].at
    for second in seconds:
        if second >= days.today * DAY:
            break
        at = instant(days, second)
        if at <= opening:
            continue
        while following is not None and following <= at:
            place += 1
            following = states[place + 1].at if place + 1 < len(states) else None
        state = states[place]
        if state.outcome is not None:
            continue
        kind = KIND.draw(rng)
        talks = names.SUBJECTS[kind][min(state.stage, LAST_TALK)]
        width = 1 if is_single else min(len(contacts), 2 + state.stage // 2)
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
    rng: Random, *, states: list[DemoState], per_stage: tuple[int, ...], days: Workdays
) -> tuple[DemoMilestone, ...]:
    """Milestones met between entering a stage and leaving it, each once, in the order of stages."""
    morning = days.opens[days.today]
    found = []
    entered = states[0]
    seen = -1
    for place, state in enumerate(states):
        if place and state.stage == entered.stage:
            continue
        entered = state
        if state.stage <= seen:
            continue
        seen = state.stage
        later = next((after for after in states[place + 1 :] if after.stage != state.stage), None)
        until = later.at if later else min(states[-1].at, morning) if states[-1].outcome else morning
        goes_on = states[-1].outcome == "won" or (later is not None and later.stage > state.stage)
        chance = market.MILESTONE_MET_GOING_ON if goes_on else market.MILESTONE_MET_ENDING
        span = until - state.at
        for position in range(per_stage[state.stage]):
            if rng.random() >= chance:
                continue
            at = workday_instant(state.at + span * rng.random(), days=days)
            if state.at < at < min(until, morning):
                found.append(DemoMilestone(state.stage, position, at, state.owner))
    return tuple(found)


def buying_roles(
    rng: Random,
    log: Log,
    *,
    at_first: Standing,
    states: list[DemoState],
    contacts: tuple[DemoContact, ...],
    days: Workdays,
) -> tuple[DemoBuyingRole, ...]:
    """Champion and decision maker as the course has them; others, which move nothing, as stages are entered."""
    opening = states[0].at
    morning = days.opens[days.today]
    found: list[DemoBuyingRole] = []
    for part, is_there in (("champion", at_first.champion), ("decision_maker", at_first.decision_maker)):
        people = PEOPLE_OF[part]
        played, since = 0, opening if is_there else None
        for day, changed, begins in log.parts:
            if changed != part:
                continue
            at = instant(days, days.on_or_after[day] * DAY + int(rng.random() * DAY))
            if at >= morning or at <= opening:
                continue
            if begins:
                since = at
            elif since is not None and since < at:
                found.append(part_played(rng, part, contacts[people[played] % len(contacts)], since, at))
                played, since = (played + 1) % len(people), None
        if since is not None:
            found.append(part_played(rng, part, contacts[people[played] % len(contacts)], since, None))
    seen = states[0].stage
    for state in states:
        for part, stage, place, chance in BY_THE_WAY:
            if seen < stage <= state.stage and place < len(contacts) and rng.random() < chance:
                found.append(part_played(rng, part, contacts[place], state.at, None))
        seen = max(seen, state.stage)
    return tuple(found)


def part_played(
    rng: Random, part: str, contact: DemoContact, since: datetime, until: datetime | None
) -> DemoBuyingRole:
    return DemoBuyingRole(since, until, contact.external_id, part, INFLUENCE[part], STANCE[part].draw(rng))


def workday_instant(at: datetime, *, days: Workdays) -> datetime:
    """The same second of the working day on or after `at`, counted from that day's opening."""
    opening = days.opens[0]
    passed = at - opening
    day = min(max(passed.days, 0), days.last)
    return days.opens[days.on_or_after[day]] + timedelta(0, passed.seconds % DAY)
