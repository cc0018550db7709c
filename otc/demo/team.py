"""Who works on a deal beside its owner, and who shares it. Drawn from a stream of its own: it moves nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random

from otc.demo import market
from otc.demo.company import DemoCompany
from otc.demo.deals import DemoSeat, DemoSplit, DemoState
from otc.demo.draw import Weighted, stream
from otc.demo.hazards import DISCOVER, NEGOTIATE, PROPOSE
from otc.demo.people import Slot

TEAM_SALT = 7_000_000_019
COLLEAGUE, SPONSOR, DESK = "Account manager", "Executive sponsor", "Deal desk"
OWNERS_SHARE_BP = Weighted(market.OWNERS_SHARES_BP)
OVERLAY_BP = Weighted(market.OVERLAYS_BP)
WHOLE_BP = 10_000


class TeamDrawer:
    """Draws the teams of one company's deals."""

    def __init__(self, company: DemoCompany) -> None:
        self.seed, self.slots, self.today = company.seed, company.slots, company.workdays.today
        self.sponsor = next(person.key for person in company.people if person.role == "executive")
        self.desk = next(person.key for person in company.people if person.role == "operations")
        self.rng = Random()

    def draw(
        self, number: int, *, slot: Slot, created: int, eur: float, states: Sequence[DemoState]
    ) -> tuple[tuple[DemoSeat, ...], tuple[DemoSplit, ...]]:
        """The seats and splits of the deal of that number; `created` is a day number, `eur` its first worth."""
        self.rng.seed(stream(self.seed, salt=TEAM_SALT + number))
        seats = tuple(self.seats(slot, created=created, eur=eur, states=states))
        colleague = next((seat for seat in seats if seat.part == COLLEAGUE and seat.until is None), None)
        return seats, self.splits(colleague, slot=slot, states=states) if colleague else ()

    def seats(
        self, slot: Slot, *, created: int, eur: float, states: Sequence[DemoState]
    ) -> Iterator[DemoSeat]:
        owners = {state.owner for state in states}
        wanted = (
            (COLLEAGUE, self.colleague(slot, created=created), DISCOVER, market.COLLEAGUE_JOINS),
            (SPONSOR, self.sponsor, PROPOSE, market.SPONSOR_JOINS if eur >= market.SPONSORED_FROM else 0.0),
            (DESK, self.desk, NEGOTIATE, market.DESK_JOINS),
        )
        for part, person, stage, chance in wanted:
            joins, leaves = self.rng.random() < chance, self.rng.random() < market.SEAT_GIVEN_UP
            place = entered(states, stage)
            if joins and person and person not in owners and place is not None:
                later = states[place + 1 :]
                until = later[0].at if leaves and later else None
                yield DemoSeat(states[place].at, until, person, part, states[place].owner)

    def colleague(self, slot: Slot, *, created: int) -> str | None:
        """Somebody who works another territory, from before the deal was found until today."""
        step = 1 + int(self.rng.random() * (len(self.slots) - 1))
        other = self.slots[(slot.number + step) % len(self.slots)]
        tenures = (who for who, start, end in other.tenures if start <= created and end > self.today)
        return next(tenures, None)

    def splits(
        self, colleague: DemoSeat, *, slot: Slot, states: Sequence[DemoState]
    ) -> tuple[DemoSplit, ...]:
        """Some colleagues share the amount with whoever owns the deal now, others are paid beside it."""
        drawn = self.rng.random()
        place, owner = entered(states, PROPOSE), states[-1].owner
        if place is None or owner is None:
            return ()
        at = max(states[place].at, colleague.at, owned_since(states))
        boss = slot.boss_on(self.today)
        if drawn < market.COLLEAGUE_SHARES:
            own = OWNERS_SHARE_BP.draw(self.rng)
            return (
                DemoSplit(at, owner, "revenue", own, boss),
                DemoSplit(at, colleague.person, "revenue", WHOLE_BP - own, boss),
            )
        if drawn < market.COLLEAGUE_SHARES + market.COLLEAGUE_OVERLAYS:
            return (DemoSplit(at, colleague.person, "overlay", OVERLAY_BP.draw(self.rng), boss),)
        return ()


def owned_since(states: Sequence[DemoState]) -> datetime:
    """Since when whoever owns the deal now has owned it."""
    since = states[-1].at
    for state in reversed(states):
        if state.owner != states[-1].owner:
            break
        since = state.at
    return since


def entered(states: Sequence[DemoState], stage: int) -> int | None:
    """Where the stage, or a later one, was first entered."""
    return next((place for place, state in enumerate(states) if state.stage >= stage), None)
