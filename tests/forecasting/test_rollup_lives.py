"""A random life of an organization, every step a real write; the grid agrees with the oracle now and at past instants,
difference 0 minor units.
"""

from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from forecasting.adjustments.rules import Cell
from forecasting.adjustments.services import adjustment_set, adjustment_withdraw
from forecasting.calls.services import call_submit
from forecasting.locks.models import LockedRow
from forecasting.locks.services import period_lock, period_unlock
from forecasting.rollup.report import rollup_report
from forecasting.rollup.rules import ADJUSTABLE
from otc.calendar.rules import following, period_of, previous
from otc.money.models import Rate
from otc.money.services import rate_write
from otc.tenancy.models import Role
from otc.tenancy.services import line_set, person_create
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.team.rules import Share
from pipeline.team.services import splits_set
from tests.conftest import BEGINNING, House
from tests.days import day_in_house
from tests.forecasting.lives import change, deal_with
from tests.forecasting.rollup_oracle import grid
from tests.nightly import IS_NIGHTLY

HERE = period_of(day_in_house())
DAYS = [HERE.first, HERE.last, HERE.last, previous(HERE).last, following(HERE).first, None]
OPEN = ["omitted", "pipeline", "best_case", "most_likely", "commit", "commit", None]
SHARES = [(6_000, 4_000), (7_500, 2_500), (5_000, 3_333, 1_667), (9_999, 1)]
COLUMNS = sorted(ADJUSTABLE)[:3]
EACH, LONG_AGO = 25, date(2020, 1, 1)


def now() -> datetime:
    return datetime.now(UTC)


class Life:
    """The organization, and beside it the world as the oracle sees it: deals, line, rates and steps in force."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.random = house, Random(seed)
        more = {
            name: person_create(name=name.title(), manager=house.people[above], since=BEGINNING)
            for name, above in (("lea", "eve"), ("kim", "max"))
        }
        people = {name: house.people[name] for name in ("eve", "max", "ana", "jon", "ops")} | more
        more = {"noa": person_create(name="Noa", manager=people["lea"], since=BEGINNING)}
        self.people = {person.id: person for person in (people | more).values()}
        line: dict[Any, Any] = {people[one].id: people["max"].id for one in ("ana", "jon", "kim")}
        line |= {people[one].id: people["eve"].id for one in ("max", "lea")}
        line |= {more["noa"].id: people["lea"].id, people["eve"].id: None}
        self.deals: dict[Any, Opportunity] = {}
        self.lock: Any = None
        self.snapshots: list[tuple[datetime, dict[str, Any]]] = []
        rates = {"USD": "0.9137", "JPY": "0.0061"}
        for currency, rate in rates.items():
            Rate(currency=currency, valid_from=LONG_AGO, known_from=BEGINNING, rate=Decimal(rate)).save()
        self.world: dict[str, Any] = {
            "deals": {},
            "line": line,
            "rates": {currency: Fraction(rate) for currency, rate in rates.items()},
            "steps": {},
            "latest": {},
            "days": (HERE.first, HERE.end),
        }

    def step(self) -> None:
        acts = [
            *[self.create] * 3,
            *[self.edit] * 4,
            *[self.push] * 3,
            *[self.reown] * 2,
            *[self.split] * 2,
            self.close,
            self.reopen,
            self.delete,
            self.restore,
            self.reparent,
            *[self.adjust] * 3,
            self.withdraw,
            self.rerate,
            self.call,
            self.lock_or_unlock,
        ]
        self.random.choice(acts)()

    def create(self) -> None:
        state = {
            "amount_minor": self.amount(),
            "currency": self.random.choice(["EUR", "EUR", "USD", "JPY"]),
            "close_date": self.random.choice(DAYS),
            "category": self.random.choice(OPEN),
            "outcome": None,
        }
        owner = self.random.choice([*self.people, None])
        deal = deal_with(owner_id=owner, **state)
        self.deals[deal.id] = deal
        self.world["deals"][deal.id] = state | {"owner": owner, "deleted": False, "split": {}}

    def amount(self) -> int | None:
        return None if self.random.random() < 0.1 else self.random.randrange(1, 10**8)

    def pick(self, **wanted: Any) -> Any:
        """A deal that is as wanted; None where none is."""
        fit = [
            one
            for one, state in self.world["deals"].items()
            if all(state[name] == value for name, value in wanted.items())
        ]
        return self.random.choice(fit) if fit else None

    def write(self, deal_id: Any, **changes: Any) -> None:
        if deal_id is None:
            return
        state = self.world["deals"][deal_id]
        columns = {name: value for name, value in changes.items() if name not in ("owner", "deleted")}
        if "owner" in changes:
            columns["owner_id"] = changes["owner"]
        if "deleted" in changes:
            columns["deleted_at"] = now() if changes["deleted"] else None
        if "outcome" in changes:
            columns["closed_at"] = now() if changes["outcome"] else None
        change(self.deals[deal_id], **columns)
        state |= changes

    def edit(self) -> None:
        deal = self.pick(deleted=False, outcome=None)
        if self.random.random() < 0.5:
            self.write(deal, amount_minor=self.amount())
        else:
            self.write(deal, category=self.random.choice(OPEN))

    def push(self) -> None:
        self.write(self.pick(deleted=False, outcome=None), close_date=self.random.choice(DAYS))

    def reown(self) -> None:
        self.write(self.pick(deleted=False, split={}), owner=self.random.choice([*self.people, None]))

    def split(self) -> None:
        deal = self.pick(deleted=False, outcome=None)
        if deal is None:
            return
        chosen = self.random.choice(SHARES)
        people = self.random.sample(sorted(self.people), len(chosen))
        split = dict(zip(people, chosen, strict=True)) if self.random.random() < 0.7 else {}
        splits_set(deal, shares=[Share(one, "revenue", bp) for one, bp in split.items()], now=now())
        self.world["deals"][deal]["split"] = split

    def close(self) -> None:
        deal, outcome = self.pick(deleted=False, outcome=None), self.random.choice(["won", "won", "lost"])
        self.write(deal, outcome=outcome, category="closed" if outcome == "won" else "pipeline")

    def reopen(self) -> None:
        deal = self.pick(deleted=False, outcome="won") or self.pick(deleted=False, outcome="lost")
        self.write(deal, outcome=None, category=self.random.choice(OPEN))

    def delete(self) -> None:
        self.write(self.pick(deleted=False), deleted=True)

    def restore(self) -> None:
        self.write(self.pick(deleted=True), deleted=False)

    def reparent(self) -> None:
        """Never below themselves; the top stays, and whoever had no line gets one."""
        line = self.world["line"]
        person = self.random.choice([one for one in self.people if line.get(one, "none") is not None])
        outside = [one for one in line if one not in below(person, line)]
        manager = self.random.choice(outside)
        line_set(self.people[person], manager_id=manager, since=now())
        line[person] = manager

    def adjust(self) -> None:
        person, column = self.random.choice([*self.people]), self.random.choice(COLUMNS)
        manager = self.world["line"].get(person)
        author = self.random.choice([person, person, manager, manager, self.random.choice([*self.people])])
        if author is None:
            return
        is_own, place = author == person, (person, column, author == person)
        kind = self.random.choice(["absolute", "delta", "delta"])
        given: dict[str, Any] = {
            "kind": kind,
            "amount_minor": self.random.randrange(0, 10**7),
            "reason": "A hunch",
            "expires_on": self.random.choice([None, day_in_house(), day_in_house() + timedelta(7)]),
            "expected_step_id": self.world["latest"].get(place),
        }
        may = self.lock is None and (is_own or self.world["line"].get(person) == author)
        base = grid(self.world)["rows"].get((person, column), (0,) * 5)[2 if is_own else 3]
        try:
            made = adjustment_set(self.house.organization, **self.said(author, person, column), **given)
        except Refused:
            assert not may
            return
        assert may
        assert made.step.base_minor == base
        step = {"id": made.step.id, "kind": kind, "amount": given["amount_minor"], "base": base}
        self.world["steps"][place], self.world["latest"][place] = step, made.step.id

    def withdraw(self) -> None:
        places = [place for place, step in self.world["steps"].items() if step]
        if not places:
            return
        place = self.random.choice(places)
        person, column, is_own = place
        author = person if is_own else self.world["line"].get(person)
        if author is None:
            return
        given = self.said(author, person, column) | {"expected_step_id": self.world["latest"][place]}
        try:
            made = adjustment_withdraw(self.house.organization, **given)
        except Refused:
            assert self.lock is not None
            return
        self.world["steps"][place], self.world["latest"][place] = None, made.step.id

    def said(self, author: Any, person: Any, column: str) -> dict[str, Any]:
        cell = Cell(HERE, person, column)
        return {"author": self.people[author], "cell": cell, "now": now(), "today": day_in_house()}

    def rerate(self) -> None:
        """A rate of long ago is corrected: what was known before stays as it was known."""
        currency = self.random.choice(["USD", "JPY"])
        rate = Decimal(self.random.randrange(50, 20_000)) / 10_000
        rate_write(currency, valid_from=LONG_AGO, rate=rate, now=now(), is_confirmed=True)
        self.world["rates"][currency] = Fraction(rate)

    def call(self) -> None:
        given: dict[str, Any] = {"period": HERE, "amount_minor": 1, "now": now(), "today": day_in_house()}
        try:
            call_submit(self.house.organization, author=self.house.ana, **given)
        except Refused:
            assert self.lock is not None

    def lock_or_unlock(self) -> None:
        if self.lock is not None:
            period_unlock(self.lock, reason="A late order", now=now())
            self.lock = None
            return
        self.lock = period_lock(self.house.organization, period=HERE)
        stored = {
            row.person_id: row.amounts for row in LockedRow.objects.filter(lock=self.lock, kind="person")
        }
        for (person, column), five in grid(self.world)["rows"].items():
            assert tuple(stored[person][column]) == five

    def look(self) -> None:
        """The grid of now, and that of an instant looked at before, against the oracle's world of then."""
        self.snapshots.append((now(), deepcopy(self.world)))
        for at, world in (self.snapshots[-1], self.random.choice(self.snapshots)):
            self.agree(at, world)

    def agree(self, at: datetime, world: dict[str, Any]) -> None:
        viewer = self.house.people["ria"]
        assert viewer.role == Role.OPERATIONS
        asked: dict[str, Any] = {"viewer": viewer, "period": HERE, "as_of": at, "now": now()}
        found, wanted = rollup_report(self.house.organization, **asked), grid(world)
        shown = {
            (row.person_id, column): five(amounts)
            for row in found.rows
            for column, amounts in row.amounts.items()
        }
        assert shown == wanted["rows"]
        for name, row in (("unassigned", found.unassigned), ("total", found.total)):
            ends = {column: (one.rolled_up, one.final) for column, one in row.amounts.items()}
            assert ends == wanted[name]
        assert {one.step_id for one in found.effects if one.is_stale} == wanted["stale"]
        for column, one in found.total.amounts.items():
            effects = sum(effect.effect_minor for effect in found.effects if effect.column == column)
            assert one.final == one.rolled_up + effects


def five(one: Any) -> tuple[int, int, int, int, int]:
    return one.own, one.rolled_up, one.with_reports_adjustments, one.seen, one.final


def below(person: Any, line: dict[Any, Any]) -> set[Any]:
    found = {person}
    while more := {one for one, manager in line.items() if manager in found} - found:
        found |= more
    return found


def live(house: House, *, seed: int, operations: int) -> None:
    life = Life(house, seed)
    for number in range(operations):
        life.step()
        if number % EACH == EACH - 1:
            life.look()


@pytest.mark.parametrize("seed", range(4))
def test_a_life_of_500_operations_agrees_with_the_oracle_to_the_minor_unit(inside, seed):
    live(inside, seed=seed, operations=500)


@pytest.mark.nightly
@pytest.mark.skipif(not IS_NIGHTLY, reason="100,000 operations take their time")
@pytest.mark.parametrize("seed", range(100, 200))
def test_a_hundred_lives_of_1000_operations_agree_with_the_oracle(inside, seed):
    live(inside, seed=seed, operations=1_000)
