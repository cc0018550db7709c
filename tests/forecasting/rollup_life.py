"""A random life of an organization, every step a real write, and beside it the world as the oracle sees it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any
from uuid import uuid4

from forecasting.types.services import forecast_type_create
from otc.calendar.rules import following, period_of, previous
from otc.money.models import Rate
from otc.money.services import rate_write
from otc.tenancy.services import line_set, person_create, person_leave, person_return
from pipeline.history.models import STATE_COLUMNS, HistoryRow
from pipeline.history.services import enter_history
from pipeline.opportunities.models import Opportunity
from pipeline.team.rules import Share
from pipeline.team.services import splits_set
from tests.conftest import BEGINNING, House
from tests.days import day_in_house
from tests.forecasting.lives import deal_with

HERE = period_of(day_in_house())
DAYS = [HERE.first, HERE.last, HERE.last, previous(HERE).last, following(HERE).first, None]
OPEN = ["omitted", "pipeline", "best_case", "most_likely", "commit", "commit", None]
SHARES = [(6_000, 4_000), (7_500, 2_500), (5_000, 3_333, 1_667), (9_999, 1)]
LONG_AGO = date(2020, 1, 1)
RENEWAL = "Renewal"


def now() -> datetime:
    return datetime.now(UTC)


class Life:
    """Deals, people and rates. States and steps are replaced, never changed, so that a moment is a shallow copy."""

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
        self.born = now()
        self.type = forecast_type_create(
            house.organization,
            author=house.ops,
            name="Renewals",
            conditions={"kind": [RENEWAL]},
            now=BEGINNING,
        )
        # When deals that were imported were edited first: the past before that may be corrected.
        self.edited: dict[Any, datetime] = {}
        self.imported: list[Any] = []
        self.moments: list[Moment] = []
        rates = {"USD": "0.9137", "JPY": "0.0061"}
        for currency, rate in rates.items():
            Rate(currency=currency, valid_from=LONG_AGO, known_from=BEGINNING, rate=Decimal(rate)).save()
        self.world: dict[str, Any] = {
            "days": (HERE.first, HERE.end),
            "left": {},
            "deals": {},
            "line": line,
            "rates": {currency: Fraction(rate) for currency, rate in rates.items()},
            "steps": {},
            "judgements": {},
            "calls": {},
        }

    def state(self) -> dict[str, Any]:
        return {
            "amount_minor": self.amount(),
            "currency": self.random.choice(["EUR", "EUR", "USD", "JPY"]),
            "close_date": self.random.choice(DAYS),
            "category": self.random.choice(OPEN),
            "outcome": None,
            "kind": self.random.choice([RENEWAL, "New business", ""]),
            "owner": self.random.choice([*self.people, None]),
        }

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

    def put(self, deal_id: Any, changes: dict[str, Any]) -> None:
        self.world["deals"][deal_id] = self.world["deals"][deal_id] | changes

    # Deals

    def create(self) -> None:
        state = self.state()
        deal = deal_with(**columns_of(state))
        self.deals[deal.id] = deal
        self.world["deals"][deal.id] = state | {"deleted": False, "split": {}, "is_live": True}

    def write(self, deal_id: Any, **changes: Any) -> None:
        if deal_id is None or all(self.world["deals"][deal_id][name] == to for name, to in changes.items()):
            return
        self.touch(deal_id)
        Opportunity.objects.filter(id=deal_id).update(**columns_of(changes))
        self.put(deal_id, changes)

    def touch(self, deal_id: Any) -> None:
        """From here on the deal is edited live."""
        self.edited.setdefault(deal_id, now())
        self.put(deal_id, {"is_live": True})

    def edit(self) -> None:
        deal = self.pick(deleted=False, outcome=None)
        if self.random.random() < 0.5:
            self.write(deal, amount_minor=self.amount())
        else:
            self.write(deal, category=self.random.choice(OPEN))

    def push(self) -> None:
        self.write(self.pick(deleted=False, outcome=None), close_date=self.random.choice(DAYS))

    def retype(self) -> None:
        self.write(self.pick(deleted=False), kind=self.random.choice([RENEWAL, "New business"]))

    def reown(self) -> None:
        self.write(self.pick(deleted=False, split={}), owner=self.random.choice([*self.people, None]))

    def split(self) -> None:
        deal = self.pick(deleted=False, outcome=None)
        present = sorted(self.people.keys() - self.world["left"].keys())
        chosen = self.random.choice(SHARES)
        people = self.random.sample(present, len(chosen))
        split = dict(zip(people, chosen, strict=True)) if self.random.random() < 0.7 else {}
        if deal is None or split == self.world["deals"][deal]["split"]:
            return
        self.touch(deal)
        splits_set(deal, shares=[Share(one, "revenue", bp) for one, bp in split.items()], now=now())
        self.put(deal, {"split": split})

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

    # History that enters

    def bring(self) -> None:
        """A deal comes in with its history: what was is known as it was, at every moment looked at before."""
        deal = Opportunity(id=uuid4(), name="Imported")
        chain = self.chain(until=now())
        self.enter(deal, chain)
        self.imported.append(deal.id)
        self.deals[deal.id], self.world["deals"][deal.id] = deal, chain[-1][1]
        for moment in self.moments:
            moment.enters(deal.id, chain, is_correction=False)

    def correct_late(self) -> None:
        """The past of such a deal was otherwise, as is found now: what was known then stays known as of then."""
        if not self.imported:
            return
        deal_id = self.random.choice(self.imported)
        until = self.edited.get(deal_id, now())
        chain = self.chain(until=until)
        if deal_id not in self.edited:  # it ends where the deal stands
            chain[-1] = (chain[-1][0], self.world["deals"][deal_id])
        self.enter(self.deals[deal_id], chain)
        for moment in self.moments:
            moment.enters(deal_id, chain, is_correction=True)

    def chain(self, *, until: datetime) -> list[tuple[datetime, dict[str, Any]]]:
        span = (until - self.born).total_seconds()
        instants = sorted({self.born + timedelta(seconds=span * self.random.random()) for _ in range(3)})
        states = [self.state() | {"deleted": False, "split": {}, "is_live": False} for _ in instants]
        return list(zip(instants, states, strict=True))

    def enter(self, deal: Opportunity, chain: list[tuple[datetime, dict[str, Any]]]) -> None:
        rows = []
        for at, state in chain:
            for name, value in columns_of(state).items():
                setattr(deal, name, value)
            facts = {column: getattr(deal, column) for column in STATE_COLUMNS}
            rows.append(HistoryRow(opportunity_id=deal.id, at=at, provenance="imported", **facts))
        if deal.id not in self.deals:  # made by the entry, from its last row
            rows[-1].created_at, rows[-1].name_folded = self.born, "imported"
        enter_history(rows)

    # People and rates

    def reparent(self) -> None:
        """Never below themselves; the top stays, and whoever had no line gets one."""
        line = self.world["line"]
        person = self.random.choice([one for one in self.people if line.get(one, "none") is not None])
        outside = [one for one in line if one not in branch(person, line)]
        manager = self.random.choice(outside)
        line_set(self.people[person], manager_id=manager, since=now())
        self.world["line"] = line | {person: manager}

    def leave(self) -> None:
        """Before the period or in it; never so many that nobody is left."""
        staying = [one for one in self.people if one not in self.world["left"] and one != self.house.ops.id]
        if len(self.world["left"]) > 2:
            return
        person = self.people[self.random.choice(staying)]
        person_leave(person, now=now(), today=self.random.choice([day_in_house(), HERE.first]))
        self.world["left"][person.id] = person.left_on

    def come_back(self) -> None:
        if self.world["left"]:
            person = self.random.choice(sorted(self.world["left"]))
            person_return(self.people[person])
            del self.world["left"][person]

    def rerate(self) -> None:
        """A rate of long ago is corrected: what was known before stays as it was known."""
        currency = self.random.choice(["USD", "JPY"])
        rate = Decimal(self.random.randrange(50, 20_000)) / 10_000
        rate_write(currency, valid_from=LONG_AGO, rate=rate, now=now(), is_confirmed=True)
        self.world["rates"] = self.world["rates"] | {currency: Fraction(rate)}


class Moment:
    """The world at an instant as it was known then, and beside it the deals as they are known today.

    Who left is dated by days, so it is the living dictionary: a day that is named later counts for the past too.
    """

    def __init__(self, at: datetime, world: dict[str, Any]) -> None:
        self.at = at
        copied = {name: dict(world[name]) for name in ("deals", "steps", "judgements", "calls")}
        self.world = world | copied
        self.deals_today = dict(world["deals"])

    def enters(
        self, deal_id: Any, chain: list[tuple[datetime, dict[str, Any]]], *, is_correction: bool
    ) -> None:
        known = [self.deals_today] if is_correction else [self.deals_today, self.world["deals"]]
        stood = [state for at, state in chain if at <= self.at]
        for deals in known:
            if deal_id in deals and deals[deal_id]["is_live"]:
                continue
            deals.pop(deal_id, None)
            if stood:
                deals[deal_id] = stood[-1]

    def as_known_today(self, rates: dict[str, Any]) -> dict[str, Any]:
        return self.world | {"deals": self.deals_today, "rates": rates}


def columns_of(state: dict[str, Any]) -> dict[str, Any]:
    """A deal's columns for what the oracle calls them."""
    own = ("owner", "deleted", "split", "is_live")
    columns = {name: value for name, value in state.items() if name not in own}
    if "owner" in state:
        columns["owner_id"] = state["owner"]
    if "deleted" in state:
        columns["deleted_at"] = now() if state["deleted"] else None
    if "outcome" in state:
        columns["closed_at"] = now() if state["outcome"] else None
    return columns


def branch(person: Any, line: dict[Any, Any]) -> set[Any]:
    found = {person}
    while more := {one for one, manager in line.items() if manager in found} - found:
        found |= more
    return found
