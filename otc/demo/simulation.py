"""The simulated organization's deals, one after another, each drawn from a stream of its own.

>>> company = build_company(HALDEN, deals=400, seed=1, today=date(2026, 11, 22))
>>> for deal in simulate(company): ...
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate
from random import Random

from otc.demo import market
from otc.demo.accounts import DemoAccount
from otc.demo.company import DemoCompany
from otc.demo.deals import DemoDeal
from otc.demo.draw import Weighted, stream
from otc.demo.fate import Fate, draw_fate
from otc.demo.life import Life, round_amount
from otc.demo.moments import life_moments, second_on, stage_entries, starting_stage
from otc.demo.rates import base_rate
from otc.demo.surroundings import activities, milestones
from otc.demo.workdays import Workdays

DEALS_SALT = 1_000_003
SOURCE = Weighted(market.REGULAR_SOURCES)
KIND = Weighted(market.KINDS)
UNITS = 14  # sites, lines or assets in a deal's name: up to so many
FAVOURED = 1.35  # exponent that gives some accounts many deals


def arrival_days(days: Workdays) -> tuple[list[int], list[float]]:
    """(working days before today, cumulative weight of a deal being found on or before each)."""
    found = [day for day in range(days.today) if days.on_or_after[day] == day]
    weights = [
        market.MONTH_WEIGHT[days.dates[day].month - 1] * (1 + market.GROWTH_PER_YEAR * day / 365)
        for day in found
    ]
    backlog = [place for place, day in enumerate(found) if day < market.BACKLOG_DAYS]
    extra = sum(weights) * market.BACKLOG_SHARE / len(backlog)
    for place in backlog:
        weights[place] += extra
    return found, list(accumulate(weights))


def simulate(company: DemoCompany) -> Iterator[DemoDeal]:
    """Yield `company.deals` deals in the order in which they were found; memory doesn't grow."""
    days, bounds = arrival_days(company.workdays)
    total, last, count = bounds[-1], len(days) - 1, company.deals
    rng = Random()
    for number in range(count):
        rng.seed(stream(company.seed, salt=DEALS_SALT + number))
        created = days[bisect(bounds, (number + rng.random()) / count * total, 0, last)]
        yield simulate_deal(rng, company, number=number, created=created)


def simulate_deal(rng: Random, company: DemoCompany, *, number: int, created: int) -> DemoDeal:
    """One deal found on day `created`, with everything that happened until today."""
    days = company.workdays
    accounts = company.accounts
    account = accounts[int(rng.random() ** FAVOURED * len(accounts))]
    slot = company.slots[account.slot]
    is_backlog = created < market.BACKLOG_DAYS and rng.random() < 0.8
    fate = draw_fate(rng, created=created, skill=slot.skill, is_backlog=is_backlog, days=days)
    start = second_on(rng, created)
    entries = stage_entries(rng, fate, days=days)
    by_boss = rng.random() < market.MANAGER_OWNED
    owner = slot.owner_on(created)
    covered = by_boss or owner is None
    guess, moments = life_moments(rng, fate, slot=slot, owned_by_slot=not covered, entries=entries, days=days)
    corporate = company.plan.currency
    currency = slot.territory.currency if rng.random() < market.FOREIGN_SHARE else corporate
    life = Life(
        rng,
        days=days,
        slot=slot,
        owner=slot.boss_on(created) if covered else owner,
        stage=starting_stage(fate),
        close_day=guess,
        competitor=None if fate.competitor is None else company.competitors[fate.competitor],
        is_sloppy=fate.is_sloppy,
        amount=round_amount(fate.eur * base_rate("EUR", corporate=currency), currency=currency),
        currency=currency,
    )
    life.live(start, moments)
    return finish(rng, company, number=number, account=account, fate=fate, life=life)


def finish(
    rng: Random, company: DemoCompany, *, number: int, account: DemoAccount, fate: Fate, life: Life
) -> DemoDeal:
    """Name the deal and add what happened around it."""
    days = company.workdays
    product = company.products[int(rng.random() * len(company.products))]
    units = 2 + int(rng.random() * UNITS)
    states = life.states
    return DemoDeal(
        external_id=f"D-{number + 1:06}",
        name=f"{account.name}: {product.name}, {units} {product.unit}",
        account=account.external_id,
        created_at=states[0].at,
        source=SOURCE.draw(rng),
        kind=KIND.draw(rng),
        product=product.external_id,
        attributes={product.unit: units},
        states=tuple(states),
        activities=activities(rng, fate, states=states, contacts=account.contacts, days=days),
        milestones=milestones(rng, fate, states=states, per_stage=company.milestones_per_stage, days=days),
    )
