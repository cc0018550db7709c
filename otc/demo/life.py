"""A deal living through its moments: every edit with what it draws along, recorded as a state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import log10
from random import Random

from otc.demo import market, names
from otc.demo.deals import DemoState
from otc.demo.draw import Weighted, between
from otc.demo.moments import DAY, Moment
from otc.demo.people import Slot
from otc.demo.workdays import Workdays

REASON = {
    outcome: Weighted([(name, weight) for name, weight, _ in rows])
    for outcome, rows in market.REASONS.items()
}
APART_SECONDS = 2  # two edits of one second are this far apart


def round_amount(value: float, *, currency: str) -> int:
    """Three leading digits, as people offer, in minor units: 123456.7 EUR -> 123,000.00 EUR."""
    step = 10 ** max(int(log10(max(value, 1))) - 2, 0)
    return max(round(value / step), 1) * step * 10 ** market.MINOR_DIGITS[currency]


class Life:
    """The current state of one deal while it is simulated; `states` is what came of it."""

    __slots__ = (
        "amount",
        "category",
        "close_day",
        "closed_at",
        "competitor",
        "currency",
        "days",
        "hidden_competitor",
        "is_sloppy",
        "next_step",
        "next_step_day",
        "outcome",
        "owner",
        "pending_amount",
        "reason",
        "rng",
        "set_by_person",
        "slot",
        "stage",
        "states",
        "waits_until",
    )

    def __init__(
        self,
        rng: Random,
        *,
        days: Workdays,
        slot: Slot,
        owner: str | None,
        stage: int,
        amount: int,
        currency: str,
        close_day: int,
        competitor: str | None,
        is_sloppy: bool,
    ) -> None:
        self.rng, self.days, self.slot, self.owner, self.stage = rng, days, slot, owner, stage
        self.currency, self.close_day, self.is_sloppy = currency, close_day, is_sloppy
        self.category, self.set_by_person = market.STAGE_CATEGORY[stage], False
        self.hidden_competitor = competitor
        self.competitor: str | None = None
        self.outcome: str | None = None
        self.reason: str | None = None
        self.closed_at: datetime | None = None
        self.next_step = ""
        self.next_step_day: int | None = None
        # Whoever doesn't know the amount yet learns it in Validate, some only in Negotiate.
        which = rng.random()
        late = which < market.NO_AMOUNT_FOR_LONG
        self.waits_until = market.NEGOTIATE if late else market.VALIDATE
        unknown = which < market.NO_AMOUNT_AT_FIRST and stage < self.waits_until
        self.amount: int | None = None if unknown else amount
        self.pending_amount = amount if unknown else None
        self.states: list[DemoState] = []

    def live(self, start: int, moments: Sequence[Moment]) -> None:
        """Apply all moments up to today; `start` is the second of creation."""
        self.renew_next_step(start // DAY)
        if self.rng.random() < market.OMITTED:
            self.category, self.set_by_person = "omitted", True
        self.record(start)
        end, last = self.days.today * DAY, start
        for second, what, value in moments:
            if self.outcome is not None and what != "reopen":
                continue
            second = max(second, last + APART_SECONDS)
            if second >= end:
                break
            if APPLY[what](self, second // DAY, value):
                self.record(second)
                last = second

    def record(self, second: int) -> None:
        """Keep the state as it now stands; microseconds come from the second, so that no draw is spent."""
        days = self.days
        at = days.opens[second // DAY] + timedelta(0, second % DAY, second * 7919 % 1_000_000)
        if self.outcome is not None:
            self.closed_at = at
        actor = self.owner or self.slot.boss_on(second // DAY)
        step_day = self.next_step_day
        self.states.append(
            DemoState(
                at,
                self.stage,
                self.category,
                self.set_by_person,
                self.amount,
                self.currency,
                days.dates[self.close_day],
                self.owner,
                self.outcome,
                self.closed_at,
                self.reason,
                self.competitor,
                self.next_step,
                None if step_day is None else days.dates[step_day],
                actor,
            )
        )

    def renew_next_step(self, day: int) -> None:
        """Plan the next thing of this stage, or forget to."""
        forgotten = market.NO_NEXT_STEP_SLOPPY if self.is_sloppy else market.NO_NEXT_STEP
        if self.rng.random() < forgotten:
            self.next_step, self.next_step_day = "", None
            return
        choices = names.NEXT_STEPS[self.stage]
        self.next_step = choices[int(self.rng.random() * len(choices))]
        self.next_step_day = self.days.on_or_after[day + between(self.rng, market.NEXT_STEP_DUE_DAYS)]

    def set_category(self, category: str) -> None:
        self.category, self.set_by_person = category, True

    # -- what can happen: each returns whether anything changed ---------------------------------

    def enter_stage(self, day: int, stage: int) -> bool:
        if stage == self.stage:
            return False
        self.stage = stage
        if self.pending_amount is not None and stage >= self.waits_until:
            self.amount, self.pending_amount = self.pending_amount, None
        if stage == market.PROPOSE:
            self.rescope()
        if stage >= market.VALIDATE:
            self.competitor = self.hidden_competitor
        proposed = market.STAGE_CATEGORY[stage]
        if not self.set_by_person:
            self.category = proposed
            self.call_by_hand(stage)
        elif self.category != "omitted" and self.rng.random() < market.TAKES_UP_PROPOSAL:
            self.category = proposed
        self.renew_next_step(day)
        return True

    def call_by_hand(self, stage: int) -> None:
        """The rep's own view of the category, where it differs from the stage's."""
        which = self.rng.random()
        if stage == market.NEGOTIATE and which < market.DOUBTED_IN_NEGOTIATE:
            self.set_category("most_likely" if which < market.DOUBTED_IN_NEGOTIATE / 2 else "best_case")
        elif stage == market.PROPOSE and which < market.CALLED_COMMIT_IN_PROPOSE:
            self.set_category("commit")
        elif stage == market.PROPOSE and which > 1 - market.DOUBTED_IN_PROPOSE:
            self.set_category("best_case")
        elif stage == market.VALIDATE and which < market.DOUBTED_IN_VALIDATE:
            self.set_category("pipeline")

    def change_amount(
        self, *, chance: float, shrinks: float, shrink_to: tuple[float, float], grow_to: tuple[float, float]
    ) -> bool:
        if self.amount is None or self.rng.random() >= chance:
            return False
        low, high = shrink_to if self.rng.random() < shrinks else grow_to
        major = self.amount / 10 ** market.MINOR_DIGITS[self.currency]
        changed = round_amount(major * (low + (high - low) * self.rng.random()), currency=self.currency)
        is_new, self.amount = changed != self.amount, changed
        return is_new

    def rescope(self) -> bool:
        return self.change_amount(
            chance=market.SCOPING_CHANGES,
            shrinks=market.SCOPING_SHRINKS,
            shrink_to=market.SCOPING_SHRINK_TO,
            grow_to=market.SCOPING_GROW_TO,
        )

    def bargain(self, _day: int, _value: object) -> bool:
        return self.change_amount(
            chance=1,
            shrinks=market.BARGAIN_SHRINKS,
            shrink_to=market.BARGAIN_SHRINK_TO,
            grow_to=market.BARGAIN_GROW_TO,
        )

    def move_date(self, day: int, target: int) -> bool:
        if target == self.close_day:
            return False
        is_push, self.close_day = target > self.close_day, target
        if is_push and self.category in ("commit", "most_likely"):
            if self.rng.random() < market.PUSH_COSTS_COMMIT:
                self.set_category("best_case")
        elif is_push and self.category == "best_case" and self.rng.random() < market.PUSH_COSTS_BEST_CASE:
            self.set_category("pipeline")
        if not self.is_sloppy:
            self.renew_next_step(day)
        return True

    def doubt(self, _day: int, _value: object) -> bool:
        """A flip without another cause: up or down by one."""
        ladder = ("pipeline", "best_case", "most_likely", "commit")
        if self.category not in ladder or self.stage < market.VALIDATE:
            return False
        place = ladder.index(self.category) + (1 if self.rng.random() < 0.5 else -1)
        if not 0 <= place < len(ladder):
            return False
        self.set_category(ladder[place])
        return True

    def take_note(self, day: int, _value: object) -> bool:
        before = self.next_step, self.next_step_day
        self.renew_next_step(day)
        return before != (self.next_step, self.next_step_day)

    def hand_over(self, _day: int, who: str | None) -> bool:
        is_new, self.owner = who != self.owner, who
        return is_new

    def close(self, day: int, outcome: str) -> bool:
        """Closed today, with a reason; the stage stays where it was."""
        self.outcome, self.close_day = outcome, day
        self.reason = REASON[outcome].draw(self.rng)
        self.competitor = self.hidden_competitor
        self.next_step, self.next_step_day = "", None
        if self.pending_amount is not None and outcome == "won":
            self.amount, self.pending_amount = self.pending_amount, None
        self.category = market.CLOSED_CATEGORY[outcome]
        if outcome == "won":
            self.owner = self.owner or self.slot.boss_on(day)
        return True

    def reopen(self, day: int, value: tuple[int, int]) -> bool:
        self.stage, self.close_day = value
        self.outcome, self.reason, self.closed_at = None, None, None
        self.category, self.set_by_person = market.STAGE_CATEGORY[self.stage], False
        self.renew_next_step(day)
        return True


APPLY: dict[str, Callable[..., bool]] = {
    "stage": Life.enter_stage,
    "date": Life.move_date,
    "bargain": Life.bargain,
    "doubt": Life.doubt,
    "note": Life.take_note,
    "owner": Life.hand_over,
    "close": Life.close,
    "reopen": Life.reopen,
}
