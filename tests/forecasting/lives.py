"""Deals with random states, as they stood at an instant: what a report over versions must agree with."""

from datetime import UTC, date, datetime
from random import Random
from uuid import UUID, uuid4

from otc.tenancy.models import Person
from pipeline.opportunities.models import Opportunity

CLOSE_DATES = [date(2026, 9, 30), date(2026, 10, 1), date(2026, 12, 31), date(2027, 1, 1), None]
CREATED = datetime(2026, 6, 1, tzinfo=UTC)


def random_state(random: Random, *, owners: list[Person | None], currencies: list[str]) -> dict:
    """Columns of a deal: any mix that the database's constraints allow, most of them open."""
    outcome = random.choice([None, None, None, "won", "lost", "no_decision"])
    open_category = random.choice(["omitted", "pipeline", "best_case", "most_likely", "commit", None])
    owner = random.choice(owners)
    return {
        "owner_id": owner.id if owner else None,
        "category": "closed" if outcome == "won" else open_category,
        "amount_minor": None if random.random() < 0.15 else random.randrange(1, 10**8),
        "currency": random.choice(currencies),
        "close_date": random.choice([*CLOSE_DATES, CLOSE_DATES[1], CLOSE_DATES[2]]),
        "outcome": outcome,
        "closed_at": datetime.now(UTC) if outcome else None,
        "deleted_at": datetime.now(UTC) if random.random() < 0.1 else None,
    }


def deal_with(**columns: object) -> Opportunity:
    """A deal put straight into the table, for states that no page would write at once."""
    columns = {"currency": "EUR", "created_at": CREATED} | columns
    name = str(columns.pop("name", "Kestrel Rail"))
    deal = Opportunity(id=uuid4(), name=name, name_folded=name.casefold(), **columns)
    deal.save(force_insert=True)
    return deal


def change(deal: Opportunity, **columns: object) -> None:
    for column, value in columns.items():
        setattr(deal, column, value)
    deal.save(force_update=True)


def snapshot() -> dict[UUID, Opportunity]:
    """Every deal as it stands now."""
    return {deal.id: deal for deal in Opportunity.objects.all()}
