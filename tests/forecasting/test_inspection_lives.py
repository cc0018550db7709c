"""Random lives of deals, inspected between random instants: every figure is the oracle's, difference 0."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest

from forecasting.inspection.report import Asked, all_deals, inspection_report
from otc.calendar.rules import parse_period
from otc.money.models import Rate
from otc.question import ask
from otc.tenancy.middleware import Tenant
from otc.tenancy.services import line_set
from pipeline.opportunities.models import Opportunity, Product
from pipeline.process.models import Stage
from pipeline.team.rules import Share
from pipeline.team.services import splits_set
from tests.days import day_in_house
from tests.forecasting import inspection_oracle as oracle
from tests.forecasting.lives import change, deal_with, random_state, snapshot
from tests.nightly import IS_NIGHTLY

Q4 = parse_period("2026-Q4")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CURRENCIES = ["EUR", "EUR", "USD", "GBP", "NOK"]
KEYS = {
    "category": lambda deal: deal.category,
    "stage": lambda deal: deal.stage_id,
    "owner": lambda deal: deal.owner_id,
    "product": lambda deal: deal.product_id,
    "none": lambda deal: "",
}


class Lives:
    """A house that lives on by random edits, with a snapshot of it after each stretch."""

    def __init__(self, house, seed: int, *, splits: bool = False) -> None:
        self.house, self.random, self.kinds = house, Random(seed), 4 + 2 * splits
        self.owners = [house.eve, house.max, house.ana, house.jon, None]
        self.stages = list(Stage.objects.all())
        self.products = [Product(name=name, name_folded=name) for name in ("atlas", "basalt")]
        for product in self.products:
            product.save()
        self.rates: dict[str, Decimal] = {}
        self.branch = {house.max.id, house.ana.id, house.jon.id}
        self.set_rate("USD", "0.9137", known_from=LONG_AGO)
        self.set_rate("GBP", "1.1921", known_from=LONG_AGO)
        self.moments: list[tuple[datetime, dict, dict, set]] = []

    def set_rate(self, currency: str, rate: str, *, known_from: datetime) -> None:
        Rate.objects.filter(currency=currency, known_to__gt=known_from).update(known_to=known_from)
        Rate(currency=currency, valid_from=LONG_AGO.date(), known_from=known_from, rate=Decimal(rate)).save()
        self.rates = {**self.rates, currency: Decimal(rate)}

    def state(self) -> dict:
        state = random_state(self.random, owners=self.owners, currencies=CURRENCIES)
        today = day_in_house()
        return state | {
            "stage_id": self.random.choice(self.stages).id,
            "product_id": self.random.choice([*(product.id for product in self.products), None]),
            "next_step": self.random.choice(["", "Call"]),
            "next_step_on": self.random.choice([None, today - timedelta(days=3), today + timedelta(days=3)]),
        }

    def live_on(self, edits: int) -> None:
        deals = list(Opportunity.objects.all())
        for deal in self.random.sample(deals, min(edits, len(deals))):
            kind = self.random.randrange(self.kinds)
            if kind == 0:
                change(deal, **self.state())
            elif kind == 1:
                change(deal, next_step="Mail")
            elif kind == 2:
                change(deal, amount_minor=self.random.randrange(1, 10**7))
            elif kind > 3:
                self.split(deal)
            else:
                change(deal, owner_id=getattr(self.random.choice(self.owners), "id", None), deleted_at=None)
        for _ in range(edits // 3):
            deal_with(**self.state())

    def split(self, deal) -> None:
        """Between some people, the owner among them or not; or it is the owner's again."""
        if deal.deleted_at is not None:
            return
        people = self.random.sample(self.owners[:-1], self.random.choice([0, 1, 2, 2, 3]))
        ends = [0, *sorted(self.random.sample(range(1, 10_000), max(len(people) - 1, 0))), 10_000]
        shares = [
            Share(person.id, "revenue", after - before)
            for person, (before, after) in zip(people, pairwise(ends), strict=False)
        ]
        splits_set(deal.id, shares=shares, now=datetime.now(UTC))

    def move(self) -> None:
        """Jon reports to eve from now on, and the dollar is worth something else."""
        line_set(self.house.jon, manager_id=self.house.eve.id, since=datetime.now(UTC))
        self.branch = {self.house.max.id, self.house.ana.id}
        self.set_rate("USD", "0.8721", known_from=datetime.now(UTC))

    def note(self) -> None:
        self.moments.append((datetime.now(UTC), snapshot(), self.rates, self.branch))

    def end(self, place: int, scope: str) -> oracle.End:
        at, deals, rates, branch = self.moments[place]
        owners = {
            "everyone": {owner and owner.id for owner in self.owners},
            "unassigned": {None},
            str(self.house.max.id): branch,
            str(self.house.ana.id): {self.house.ana.id},
        }[scope]
        return oracle.End(deals, rates=rates, owners=owners, day=at.date())

    def question(self, place: int, scope: str, **more: str):
        as_of = {"as_of": self.moments[place][0].isoformat()} if place < len(self.moments) - 1 else {}
        tenant = Tenant(self.house.organization, self.house.eve, datetime.now(UTC))
        return ask(tenant, {"period": "2026-Q4", "scope": scope, **as_of, **more})


def problems(lives: Lives, place: int, since_place: int, scope: str, group: str) -> list[str]:
    """Where the report says something else than the oracle."""
    now, before = lives.end(place, scope), lives.end(since_place, scope)
    since = lives.moments[since_place][0]
    question = lives.question(place, scope)
    asked = Asked(group=group)
    found = inspection_report(question, since=since, asked=asked)
    frame = {"first": Q4.first, "last_out": Q4.end}
    wrong = []
    for name, end, sums in (("now", now, found.summary.now), ("before", before, found.summary.before)):
        told = {key: value for key, value in asdict(sums).items() if value}
        meant = {key: value for key, value in oracle.figures(end, **frame).items() if value}
        wrong += [] if told == meant else [f"{name}: {told} instead of {meant}"]
    told = {
        one.group_key: (one.count, one.total_minor, one.was_minor, one.unconvertible_count)
        for one in found.groups
    }
    meant = oracle.groups(now, before, key=KEYS[group], **frame)
    wrong += [] if told == meant else [f"groups: {told} instead of {meant}"]
    rows = oracle.rows(now, before, **frame)
    told = {
        row.opportunity_id: (row.corporate_minor, row.was_corporate_minor, row.existed)
        for row in all_deals(question, since=since, asked=asked)
    }
    meant = {key: (row["minor"], row["was"], row["existed"]) for key, row in rows.items()}
    odd = sorted(told.items() ^ meant.items(), key=str)
    wrong += [f"rows: {odd}"] if odd else []
    changed = sum(row["changed"] for row in rows.values())
    wrong += [] if found.counts["changed"] == changed else [f"changed: {found.counts} not {changed}"]
    effects = oracle.effects(now, before, **frame)
    largest = sorted(effects.items(), key=lambda effect: (-abs(effect[1]), str(effect[0])))[:3]
    named = [(cause.deal_id, cause.amount_minor) for cause in found.causes if not cause.others]
    wrong += [] if named == largest else [f"causes: {named} instead of {largest}"]
    change_minor = found.summary.now.open_minor - found.summary.before.open_minor
    wrong += [] if found.change_minor == sum(effects.values()) == change_minor else ["causes don't add up"]
    return wrong


SCOPES = ("everyone", "unassigned", "max", "ana")


@pytest.mark.parametrize("seed", range(20 if IS_NIGHTLY else 2))
@pytest.mark.parametrize("splits", [False, True])
def test_every_figure_is_the_oracles(inside, seed, splits):
    lives = Lives(inside, seed, splits=splits)
    for stretch in range(4):
        lives.live_on(24)
        if stretch == 2:
            lives.move()
        lives.note()
    groups = list(KEYS)
    for turn, (place, since_place) in enumerate([(3, 2), (3, 0), (2, 1), (1, 1), (2, 0)]):
        for number, name in enumerate(SCOPES):
            scope = str(getattr(inside, name).id) if name in ("max", "ana") else name
            group = groups[(turn + number + seed) % len(groups)]
            assert problems(lives, place, since_place, scope, group) == [], (place, since_place, name, group)


def test_pages_follow_one_another(inside, monkeypatch):
    """Pages of four deals each, which begin and end in the midst of groups, come to the whole list."""
    monkeypatch.setattr("forecasting.inspection.queries.ROWS_A_PAGE", 4)
    lives = Lives(inside, 3)
    lives.live_on(120)
    lives.note()
    lives.live_on(40)
    lives.note()
    question, since = lives.question(1, "everyone"), lives.moments[0][0]
    for group, sort in (("category", "-amount"), ("owner", "close"), ("stage", "-change")):
        whole = [
            deal.opportunity_id
            for deal in all_deals(question, since=since, asked=Asked(group=group, sort=sort))
        ]
        paged = []
        for page in range(len(whole) // 4 + 2):
            asked = Asked(group=group, sort=sort, page=page)
            paged += [
                deal.opportunity_id for deal in inspection_report(question, since=since, asked=asked).deals
            ]
        assert len(whole) > 8
        assert paged == whole


def test_a_fault_in_the_oracles_data_is_noticed(inside):
    """Negative control: a deal that the oracle believes to be worth one unit more."""
    lives = Lives(inside, 1)
    lives.live_on(0)
    deal_with(owner_id=inside.ana.id, amount_minor=100, close_date=Q4.first, category="commit")
    lives.note()
    assert problems(lives, 0, 0, "everyone", "category") == []
    next(iter(lives.moments[0][1].values())).amount_minor += 1
    assert problems(lives, 0, 0, "everyone", "category") != []
