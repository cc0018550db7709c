"""A random life of an organization, every step a real write; the grid agrees with the oracle now and at past instants,
as known then and as known today, of all deals and of a type: difference 0 minor units.
"""

from datetime import timedelta
from typing import Any

import pytest

from forecasting.adjustments.rules import Cell
from forecasting.adjustments.services import adjustment_set, adjustment_withdraw
from forecasting.calls.queries import latest_calls
from forecasting.calls.services import call_submit
from forecasting.judgements.services import judgement_set, judgement_withdraw
from forecasting.locks.models import LockedRow
from forecasting.locks.services import period_lock, period_unlock
from forecasting.rollup.report import rollup_report
from forecasting.rollup.rules import ADJUSTABLE
from otc.tenancy.models import Role
from pipeline.opportunities.rules import Refused
from tests.conftest import House
from tests.days import day_in_house
from tests.forecasting.rollup_life import DAYS, HERE, RENEWAL, Life, Moment, now
from tests.forecasting.rollup_oracle import Grid, adjuster, parts
from tests.nightly import IS_NIGHTLY

COLUMNS = sorted(ADJUSTABLE)[:3]
EACH = 50


class Forecast(Life):
    """What people say of the deals, and what is shown of all of it."""

    def __init__(self, house: House, seed: int) -> None:
        super().__init__(house, seed)
        # The last step of a place, a withdrawn one too.
        self.latest: dict[Any, Any] = {}
        self.lock: Any = None
        self.acts = [
            *[self.create] * 3,
            *[self.edit] * 4,
            *[self.push] * 3,
            *[self.reown] * 2,
            *[self.split] * 2,
            *[self.adjust] * 3,
            *[self.judge] * 3,
            *(self.close, self.reopen, self.delete, self.restore, self.retype),
            *(self.bring, self.correct_late, self.reparent, self.leave, self.come_back, self.rerate),
            *(self.withdraw, self.unjudge, self.call, self.lock_or_unlock),
        ]

    def step(self) -> None:
        self.random.choice(self.acts)()

    def type_id(self, kind: str | None) -> Any:
        return self.type.id if kind else None

    def adjust(self) -> None:
        random, world = self.random, self.world
        person, column, kind = (
            random.choice([*self.people]),
            random.choice(COLUMNS),
            random.choice([None, None, RENEWAL]),
        )
        above = adjuster(world, person)
        author = random.choice([person, person, above, above, random.choice([*self.people])])
        if author is None:
            return
        is_own, place = author == person, (person, column, author == person, kind)
        how = random.choice(["absolute", "delta", "delta"])
        given: dict[str, Any] = {
            "kind": how,
            "amount_minor": random.randrange(0 if how == "absolute" else -(10**6), 10**7),
            "reason": "A hunch",
            "expires_on": random.choice([None, day_in_house(), day_in_house() + timedelta(7)]),
            "expected_step_id": self.latest.get(place),
        }
        base = Grid(world, kind).base(person, column, is_own=is_own)
        may = self.lock is None and person not in world["left"] and (is_own or above == author)
        if how == "delta" and base + given["amount_minor"] < min(0, base):
            may = False
        try:
            made = adjustment_set(self.house.organization, **self.said(author, person, column, kind), **given)
        except Refused:
            assert not may
            return
        assert may
        assert made.step.base_minor == base
        step = {"id": made.step.id, "kind": how, "amount": given["amount_minor"], "base": base}
        world["steps"][place], self.latest[place] = step | {"author": author}, made.step.id

    def withdraw(self) -> None:
        places = [place for place, step in self.world["steps"].items() if step]
        if not places:
            return
        place = self.random.choice(places)
        person, column, is_own, kind = place
        author = person if is_own else adjuster(self.world, person)
        if author is None:
            return
        given = self.said(author, person, column, kind) | {"expected_step_id": self.latest[place]}
        try:
            made = adjustment_withdraw(self.house.organization, **given)
        except Refused:
            assert self.lock is not None or person in self.world["left"]
            return
        self.world["steps"][place], self.latest[place] = None, made.step.id

    def judge(self) -> None:
        """Mostly a deal of the person, in any state; now and then somebody else's, or by somebody else."""
        random, world = self.random, self.world
        deal = self.pick()
        if deal is None:
            return
        state, column = world["deals"][deal], random.choice(COLUMNS)
        owners = [person for person, _ in parts(state, 0) if person]
        person = random.choice([*owners * 4, random.choice([*self.people])])
        above = adjuster(world, person)
        author = random.choice([above] * 5 + [random.choice([*self.people])])
        if author is None:
            return
        verdict, place = random.choice(["in", "out", "amount", "date"]), (person, column, deal)
        said: dict[str, Any] = {
            "amount": random.randrange(0, 10**7) if verdict == "amount" else None,
            "close_date": random.choice(DAYS[:-1]) if verdict == "date" else None,
        }
        is_theirs = person in owners and not state["deleted"] and not state["outcome"]
        may = self.lock is None and person not in world["left"] and above == author and is_theirs
        try:
            made = judgement_set(
                self.house.organization,
                **self.said(author, person, column),
                opportunity_id=deal,
                verdict=verdict,
                amount_minor=said["amount"],
                close_date=said["close_date"],
                reason="I met them",
                expected_step_id=self.latest.get(place),
            )
        except Refused:
            assert not may
            return
        assert may
        world["judgements"][place] = said | {"id": made.step.id, "verdict": verdict}
        self.latest[place] = made.step.id

    def unjudge(self) -> None:
        places = [place for place, step in self.world["judgements"].items() if step]
        if not places:
            return
        place = self.random.choice(places)
        person, column, deal = place
        author = adjuster(self.world, person)
        if author is None:
            return
        given = self.said(author, person, column) | {"expected_step_id": self.latest[place]}
        try:
            made = judgement_withdraw(self.house.organization, opportunity_id=deal, **given)
        except Refused:
            assert self.lock is not None or person in self.world["left"]
            return
        self.world["judgements"][place], self.latest[place] = None, made.step.id

    def said(self, author: Any, person: Any, column: str, kind: str | None = None) -> dict[str, Any]:
        cell = Cell(HERE, person, column, self.type_id(kind))
        return {"author": self.people[author], "cell": cell, "now": now(), "today": day_in_house()}

    def call(self) -> None:
        amount, person = self.random.randrange(10**7), self.people[self.random.choice([*self.people])]
        given: dict[str, Any] = {"period": HERE, "now": now(), "today": day_in_house()}
        try:
            call_submit(self.house.organization, author=person, amount_minor=amount, **given)
        except Refused:
            assert self.lock is not None
            return
        assert self.lock is None
        self.world["calls"][person.id] = amount

    def lock_or_unlock(self) -> None:
        if self.lock is not None:
            period_unlock(self.lock, reason="A late order", now=now())
            self.lock = None
            return
        if self.random.random() < 0.6:  # mostly open: while it is locked nobody says anything
            return
        self.lock = period_lock(self.house.organization, period=HERE)
        rows = LockedRow.objects.filter(lock=self.lock, kind="person")
        for kind in (None, RENEWAL):
            stored = {row.person_id: row for row in rows if row.type_id == self.type_id(kind)}
            for (person, column), five in Grid(self.world, kind).whole()["rows"].items():
                assert tuple(stored[person].amounts[column]) == five

    def look(self) -> None:
        """The grid of now; those of moments looked at before, as known then and as known today; and a type's."""
        self.moments.append(Moment(now(), self.world))
        then, type_then, corrected = self.random.choices(self.moments, k=3)
        self.agree(self.moments[-1].at, self.moments[-1].world)
        self.agree(then.at, then.world)
        self.agree(type_then.at, type_then.world, kind=RENEWAL)
        self.agree(corrected.at, corrected.as_known_today(self.world["rates"]), knowledge="now")
        calls = {person: call.amount_minor for person, call in latest_calls(HERE.key, as_of=then.at).items()}
        assert calls == then.world["calls"]

    def agree(self, at: Any, world: dict[str, Any], *, kind: str | None = None, **asked: Any) -> None:
        viewer = self.house.people["ria"]
        assert viewer.role == Role.OPERATIONS
        asked |= {"viewer": viewer, "period": HERE, "as_of": at, "now": now(), "type_id": self.type_id(kind)}
        found, oracle = rollup_report(self.house.organization, **asked), Grid(world, kind)
        wanted = oracle.whole()
        shown = {
            (row.person_id, column): tuple(amounts)
            for row in found.rows
            for column, amounts in row.amounts.items()
        }
        assert shown == wanted["rows"]
        for name, row in (("unassigned", found.unassigned), ("total", found.total)):
            ends = {column: (one.rolled_up, one.final) for column, one in row.amounts.items()}
            assert ends == wanted[name]
        assert {one.step_id for one in found.effects if one.is_stale} == wanted["stale"]
        whole = [one for one in found.effects if not one.deals]
        assert {one.step_id for one in whole if one.is_from_former_manager} == set(oracle.former())
        judged = {
            one.step_id: (one.effect_minor, one.ended) for effect in found.effects for one in effect.deals
        }
        assert judged == oracle.judged
        for column, one in found.total.amounts.items():
            effects = sum(effect.effect_minor for effect in found.effects if effect.column == column)
            assert one.final == one.rolled_up + effects


def live(house: House, *, seed: int, operations: int) -> None:
    life = Forecast(house, seed)
    for number in range(operations):
        life.step()
        if number % EACH == EACH - 1:
            life.look()


@pytest.mark.parametrize("seed", range(4 if IS_NIGHTLY else 2))
def test_a_life_of_500_operations_agrees_with_the_oracle_to_the_minor_unit(inside, seed):
    live(inside, seed=seed, operations=500)


@pytest.mark.nightly
@pytest.mark.skipif(not IS_NIGHTLY, reason="100,000 operations take their time")
@pytest.mark.parametrize("seed", range(100, 200))
def test_a_hundred_lives_of_1000_operations_agree_with_the_oracle(inside, seed):
    live(inside, seed=seed, operations=1_000)
