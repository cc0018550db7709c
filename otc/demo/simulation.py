"""The simulated organization's deals, one after another, each drawn from a stream of its own.

>>> company = build_company(HALDEN, deals=400, seed=1, today=date(2026, 11, 22))
>>> for deal in simulate(company): ...
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random

from otc.demo import hazards, market
from otc.demo.accounts import DemoAccount
from otc.demo.company import DemoCompany
from otc.demo.course import Log, Standing, begin, run
from otc.demo.deals import DemoDeal, DemoState
from otc.demo.draw import Weighted, stream
from otc.demo.life import Life, round_amount
from otc.demo.loose_ends import left_loose
from otc.demo.moments import life_moments, second_on
from otc.demo.offers import OfferDrawer
from otc.demo.prospect import Prospect, draw_prospect
from otc.demo.rates import base_rate
from otc.demo.surroundings import activities, buying_roles, milestones
from otc.demo.talk import TalkDrawer
from otc.demo.team import TeamDrawer
from otc.demo.workdays import Workdays

DEALS_SALT = 1_000_003
SOURCE = Weighted(market.REGULAR_SOURCES)
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


def simulate(company: DemoCompany, *, numbers: range | None = None) -> Iterator[DemoDeal]:
    """Yield `company.deals` deals, or those of `numbers`, as they were found; memory doesn't grow."""
    drawers = Drawers(TeamDrawer(company), OfferDrawer(company), TalkDrawer(company))
    for life in lives(company, numbers=numbers):
        yield left_loose(company, told(company, life, drawers=drawers), number=life.number)


@dataclass(frozen=True, slots=True)
class Drawers:
    """What is drawn beside a deal's course, each from streams of its own."""

    teams: TeamDrawer
    offers: OfferDrawer
    talk: TalkDrawer


@dataclass(slots=True)
class Lived:
    """A deal's course until this morning: what it was found as, how it stood at first and stands, what happened.

    `rng` goes on to draw what moves nothing: people's edits, names, contacts.
    """

    number: int
    rng: Random
    account: DemoAccount
    prospect: Prospect
    at_first: Standing
    standing: Standing
    log: Log
    own: hazards.Rates


def lives(
    company: DemoCompany, *, numbers: range | None = None, keeps_standings: bool = False
) -> Iterator[Lived]:
    """The courses of the deals of `numbers` (default: all), each from a stream of its own."""
    days, bounds = arrival_days(company.workdays)
    total, last, count = bounds[-1], len(days) - 1, company.deals
    rng = Random()
    for number in range(count) if numbers is None else numbers:
        rng.seed(stream(company.seed, salt=DEALS_SALT + number))
        created = days[bisect(bounds, (number + rng.random()) / count * total, 0, last)]
        yield live(rng, company, number=number, created=created, keeps_standings=keeps_standings)


def live(rng: Random, company: DemoCompany, *, number: int, created: int, keeps_standings: bool) -> Lived:
    """Let one deal live from the day it was found to this morning."""
    days = company.workdays
    account = company.accounts[int(rng.random() ** FAVOURED * len(company.accounts))]
    is_backlog = created < market.BACKLOG_DAYS and rng.random() < 0.8
    prospect = draw_prospect(rng, created=created, is_backlog=is_backlog)
    own = prospect.own_factors(skill=company.slots[account.slot].skill)
    standing = begin(rng, prospect, days=days)
    log = Log([], [(created, standing.week_ends, standing.contacts)], [], [] if keeps_standings else None)
    at_first = replace(standing)
    run(rng, prospect, standing, own=own, until=days.today, days=days, log=log)
    return Lived(number, rng, account, prospect, at_first, standing, log, own)


def told(company: DemoCompany, lived: Lived, *, drawers: Drawers) -> DemoDeal:
    """The course as the deal's states, with what people did around it."""
    days, rng, prospect, account = company.workdays, lived.rng, lived.prospect, lived.account
    slot, created = company.slots[account.slot], prospect.created
    start = second_on(rng, created)
    by_boss = rng.random() < market.MANAGER_OWNED
    owner = slot.owner_on(created)
    covered = by_boss or owner is None
    moments = life_moments(
        rng,
        lived.log,
        slot=slot,
        owned_by_slot=not covered,
        created=created,
        is_sloppy=prospect.is_sloppy,
        days=days,
    )
    corporate = company.plan.currency
    currency = slot.territory.currency if rng.random() < market.FOREIGN_SHARE else corporate
    rival = prospect.competitor
    life = Life(
        rng,
        days=days,
        slot=slot,
        owner=slot.boss_on(created) if covered else owner,
        stage=prospect.stage,
        close_day=lived.at_first.close_day,
        competitor=None if rival is None else company.competitors[rival],
        is_sloppy=prospect.is_sloppy,
        amount=round_amount(prospect.eur * base_rate("EUR", corporate=currency), currency=currency),
        currency=currency,
    )
    life.live(start, moments)
    return surrounded(company, lived, states=life.states, drawers=drawers)


def surrounded(company: DemoCompany, lived: Lived, *, states: list[DemoState], drawers: Drawers) -> DemoDeal:
    """Name the deal and add what happened around it."""
    days, rng, account, log = company.workdays, lived.rng, lived.account, lived.log
    product = company.products[int(rng.random() * len(company.products))]
    units = 2 + int(rng.random() * UNITS)
    contacts = account.contacts
    slot = company.slots[account.slot]
    seats, splits = drawers.teams.draw(
        lived.number,
        slot=slot,
        created=lived.prospect.created,
        eur=lived.prospect.eur,
        states=states,
    )
    lines, follows = drawers.offers.draw(lived.number, product=product, states=states)
    comments, links = drawers.talk.draw(lived.number, slot=slot, account=account, states=states, seats=seats)
    return DemoDeal(
        external_id=f"D-{lived.number + 1:06}",
        name=f"{account.name}: {product.name}, {units} {product.unit}",
        account=account.external_id,
        created_at=states[0].at,
        source=SOURCE.draw(rng),
        kind=lived.prospect.kind,
        product=product.external_id,
        attributes={product.unit: units},
        states=tuple(states),
        activities=activities(rng, log, states=states, contacts=contacts, days=days),
        milestones=milestones(rng, states=states, per_stage=company.milestones_per_stage, days=days),
        buying_roles=buying_roles(
            rng, log, at_first=lived.at_first, states=states, contacts=contacts, days=days
        ),
        seats=seats,
        splits=splits,
        lines=lines,
        follows=follows,
        comments=comments,
        links=links,
    )
