"""Everything of a simulated organization that isn't a deal: people, accounts, products, rates, quotas."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zlib import crc32
from zoneinfo import ZoneInfo

from otc.demo import market
from otc.demo.accounts import DemoAccount, build_accounts
from otc.demo.draw import stream
from otc.demo.organizations import OrganizationPlan
from otc.demo.people import DemoLine, DemoPerson, Slot, build_staff
from otc.demo.quotas import DemoQuota, build_quotas
from otc.demo.rates import DemoRate, build_rates
from otc.demo.workdays import Workdays, build_workdays


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """`price` is the list's, in whole units of the organization's currency, once, a month or a year (`charge`)."""

    external_id: str
    name: str
    family: str
    unit: str
    price: int
    charge: str


@dataclass(frozen=True, slots=True)
class DemoReason:
    """Why a deal ends; `outcomes` for which it is offered, `feeds` who learns from it."""

    name: str
    outcomes: tuple[str, ...]
    feeds: str


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """One simulated organization on the morning of a day; `deals` deals can be drawn from it."""

    plan: OrganizationPlan
    seed: int
    deals: int
    workdays: Workdays
    people: tuple[DemoPerson, ...]
    lines: tuple[DemoLine, ...]
    slots: tuple[Slot, ...]
    accounts: tuple[DemoAccount, ...]
    products: tuple[DemoProduct, ...]
    competitors: tuple[str, ...]
    reasons: tuple[DemoReason, ...]
    rates: tuple[DemoRate, ...]
    quotas: tuple[DemoQuota, ...]
    milestones_per_stage: tuple[int, ...]


def build_company(
    plan: OrganizationPlan,
    *,
    deals: int,
    seed: int,
    today: date,
    milestones_per_stage: tuple[int, ...] = market.MILESTONES_PER_STAGE,
) -> DemoCompany:
    """The organization as 24 months up to the morning of `today` left it; the same for the same arguments."""
    workdays = build_workdays(today, zone=ZoneInfo(plan.zone), fiscal_month=plan.fiscal_month)
    seed = stream(seed, salt=crc32(plan.slug.encode()))  # two organizations of one seed live different lives
    staff = build_staff(plan, deals=deals, workdays=workdays, seed=seed)
    foreign = {"EUR", *(territory.currency for territory in plan.territories)} - {plan.currency}
    rates = build_rates(tuple(foreign), corporate=plan.currency, first=workdays.first, today=today, seed=seed)
    products = (DemoProduct(f"PR-{n:02}", *product) for n, product in enumerate(plan.products, start=1))
    return DemoCompany(
        plan=plan,
        seed=seed,
        deals=deals,
        workdays=workdays,
        people=staff.people,
        lines=staff.lines,
        slots=staff.slots,
        accounts=build_accounts(staff.slots, deals=deals, seed=seed),
        products=tuple(products),
        competitors=plan.competitors,
        reasons=build_reasons(),
        rates=tuple(rates),
        quotas=tuple(build_quotas(plan, staff=staff, deals=deals, workdays=workdays)),
        milestones_per_stage=milestones_per_stage,
    )


def build_reasons() -> tuple[DemoReason, ...]:
    """The market's reasons, each once, with every outcome under which it is booked."""
    found: dict[str, DemoReason] = {}
    for outcome, rows in market.REASONS.items():
        for name, _, feeds in rows:
            before = found.get(name)
            outcomes = (*before.outcomes, outcome) if before else (outcome,)
            found[name] = DemoReason(name, outcomes, before.feeds if before else feeds)
    return tuple(found.values())
