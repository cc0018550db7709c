"""A house whose deals have a past: pushed, handed over, closed, reopened, deleted, in three currencies."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import uuid4

from django.utils import timezone

from forecasting.quotas.models import Quota
from otc.calendar.rules import period_of, previous
from otc.money.models import Rate
from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.tenancy.services import line_set, person_create
from pipeline.history.models import STATE_COLUMNS, HistoryRow
from pipeline.history.services import enter_history
from pipeline.opportunities.models import Opportunity, Product
from pipeline.process.models import CloseReason, Stage
from pipeline.risk.models import Risk
from tests.conftest import House, build_house, user_for
from tests.days import day_in_house

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CATEGORIES = ["omitted", "pipeline", "best_case", "most_likely", "commit", None]


def build_report_house(*, deals: int = 70, seed: int = 7) -> House:
    """Halden with rates, quotas, products and `deals` deals that lived through the last half year.

    jon moved from eve to max a month ago; kim has no line, and NOK no rate.
    """
    house = build_house()
    random = Random(seed)
    with use(house.organization.id, channel="import"):
        kim = person_create(name="Kim Sand", role="rep", user=user_for("kim"))
        house.people["kim"] = kim
        line_set(house.jon, manager_id=house.eve.id, since=LONG_AGO + timedelta(days=1))
        line_set(house.jon, manager_id=house.max.id, since=timezone.now() - timedelta(days=30))
        for currency, rate in (("USD", "0.9137"), ("JPY", "0.0061")):
            Rate(
                currency=currency, valid_from=date(2020, 1, 1), known_from=LONG_AGO, rate=Decimal(rate)
            ).save()
        quarter = period_of(day_in_house())
        for period in (quarter, previous(quarter)):
            for person in (house.max, house.ana):
                Quota(person=person, period=period.key, amount_minor=random.randrange(10**8)).save()
        products = [Product(name=name, name_folded=name.casefold()) for name in ("Atlas", "Basalt")]
        for product in products:
            product.save()
        enter_deals(house, count=deals, random=random, products=products)
    return house


def enter_deals(house: House, *, count: int, random: Random, products: list[Product]) -> None:
    owners = [house.eve, house.max, house.ana, house.ana, house.jon, house.people["kim"], None]
    stages, reasons = list(Stage.objects.all()), list(CloseReason.objects.all())
    rows: list[HistoryRow] = []
    for number in range(count):
        deal = Opportunity(id=uuid4(), name=f"Deal {number:03}", name_folded=f"deal {number:03}")
        instants = sorted(days_ago(random.randrange(2, 190)) for _ in range(random.randrange(1, 5)))
        deal.created_at = instants[0]
        deal.currency = random.choice(["EUR", "EUR", "USD", "JPY", "NOK"])
        deal.stage, deal.product = random.choice(stages), random.choice([*products, None])
        for index, at in enumerate(instants):
            is_last = index == len(instants) - 1
            live_on(deal, at=at, random=random, owners=owners, reasons=reasons, may_be_deleted=is_last)
            state = {column: getattr(deal, column) for column in STATE_COLUMNS}
            rows.append(HistoryRow(opportunity_id=deal.id, at=at, provenance="imported", **state))
        deal.save(force_insert=True)
        if deal.outcome is None and number % 2:
            p_slip = random.random()
            chances: dict[str, Any] = {"p_slip": p_slip, "p_won": 1 - p_slip, "p_lost": 0.0}
            Risk(opportunity=deal, model="test", computed_at=timezone.now(), **chances).save()
    enter_history(rows)


def live_on(
    deal: Opportunity,
    *,
    at: datetime,
    random: Random,
    owners: list[Person | None],
    reasons: list[CloseReason],
    may_be_deleted: bool,
) -> None:
    """Any next state that the database allows."""
    outcome = random.choice([None, None, None, "won", "lost", "no_decision"])
    owner = random.choice(owners)
    deal.owner_id = owner.id if owner else None
    deal.outcome = outcome
    deal.category = "closed" if outcome == "won" else random.choice(CATEGORIES)
    deal.amount_minor = None if random.random() < 0.1 else random.randrange(1, 10**8)
    deal.closed_at = at if outcome else None
    deal.reason = random.choice(reasons) if outcome else None
    coming = at.date() + timedelta(days=random.randrange(0, 150))
    deal.close_date = at.date() if outcome else random.choice([coming, coming, coming, None])
    deal.deleted_at = at if may_be_deleted and random.random() < 0.1 else None


def days_ago(days: int) -> datetime:
    """Some instant of that day, to the microsecond unlike all others."""
    day = day_in_house() - timedelta(days=days)
    return datetime.combine(day, time(), UTC) + timedelta(microseconds=uuid4().int % 86_400_000_000)
