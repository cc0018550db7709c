"""What an inspection must say, from snapshots of all deals: slow, in plain loops, by DEFINITIONS 3, 5 and 7."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from otc.money.rules import convert
from pipeline.opportunities.models import Opportunity
from tests.forecasting.waterfall_oracle import share_of

Deals = Mapping[UUID, Opportunity]
FOLLOWED = (
    *("stage_id", "category", "amount_minor", "currency", "close_date", "owner_id"),
    *("split_people", "split_shares"),
)


class End:
    """All deals at one instant, with the rates known then and the owners whom the scope meant then."""

    def __init__(
        self, deals: Deals, *, rates: Mapping[str, Decimal], owners: set[UUID | None], day: date
    ) -> None:
        self.deals, self.rates, self.owners, self.day = deals, rates, owners, day

    def money(self, deal: Opportunity) -> int | None:
        """Corporate minor units of what the owners have of it; None without an amount or without a rate."""
        whole = self.whole(deal)
        if whole is None or deal.split_people is None:
            return whole
        shares = list(zip(deal.split_people, deal.split_shares or (), strict=True))
        return sum(
            share_of(whole, shares=shares, person=person) for person, _ in shares if person in self.owners
        )

    def owns(self, deal: Opportunity) -> bool:
        return any(person in self.owners for person in deal.split_people or [deal.owner_id])

    def was(self, was: Opportunity, *, now: Opportunity, owners: set[UUID | None]) -> int | None:
        """What it was worth to those who have it now: whole, unless it is or was split."""
        if was.split_people is None and now.split_people is None:
            return self.whole(was)
        there = End(self.deals, rates=self.rates, owners=owners, day=self.day)
        if was.split_people is None and was.owner_id not in owners:
            return 0
        return there.money(was)

    def whole(self, deal: Opportunity) -> int | None:
        if deal.amount_minor is None:
            return None
        rate = Decimal(1) if deal.currency == "EUR" else self.rates.get(deal.currency)
        if rate is None:
            return None
        return convert(deal.amount_minor, from_currency=deal.currency, to_currency="EUR", rate=rate)

    def inside(self, first: date, end: date) -> list[Opportunity]:
        return [
            deal
            for deal in self.deals.values()
            if deal.deleted_at is None
            and deal.close_date is not None
            and first <= deal.close_date < end
            and self.owns(deal)
        ]


def is_open(deal: Opportunity) -> bool:
    return deal.outcome is None and deal.category != "omitted"


def figures(end: End, *, first: date, last_out: date) -> dict[str, int]:
    """The fields of EndSums."""
    found: dict[str, int] = {}

    def add(name: str, deal: Opportunity, *, counted: bool = True) -> None:
        found[f"{name}_minor"] = found.get(f"{name}_minor", 0) + (end.money(deal) or 0)
        if counted:
            found[f"{name}_count"] = found.get(f"{name}_count", 0) + 1

    for deal in end.inside(first, last_out):
        if deal.outcome == "won":
            add("won", deal)
        elif deal.outcome in ("lost", "no_decision"):
            add("not_won", deal)
        elif is_open(deal):
            add("open", deal)
            if deal.category in ("commit", "most_likely", "best_case"):
                add(str(deal.category), deal, counted=False)
            late = deal.close_date is not None and deal.close_date < end.day
            step_late = deal.next_step_on is not None and deal.next_step_on < end.day
            if late:
                add("overdue", deal)
            if late or step_late or not deal.next_step or deal.amount_minor is None or deal.owner_id is None:
                add("gaps", deal)
    return found


def rows(now: End, before: End, *, first: date, last_out: date) -> dict[UUID, dict[str, Any]]:
    """The open deals, with what each was."""
    found = {}
    for deal in now.inside(first, last_out):
        if is_open(deal):
            was = before.deals.get(deal.id)
            found[deal.id] = {
                "minor": now.money(deal),
                "was": None if was is None else before.was(was, now=deal, owners=now.owners),
                "existed": was is not None,
                "changed": was is None or any(getattr(was, name) != getattr(deal, name) for name in FOLLOWED),
            }
    return found


def groups(
    now: End, before: End, *, key: Callable[[Opportunity], Any], first: date, last_out: date
) -> dict[str, tuple[int, int, int, int]]:
    """Per group: how many, what they come to, what the same deals came to, how many have no rate."""
    told: dict[str, tuple[int, int, int, int]] = {}
    for deal_id, row in rows(now, before, first=first, last_out=last_out).items():
        deal = now.deals[deal_id]
        name = str(key(deal) or "")
        count, minor, was, lost = told.get(name, (0, 0, 0, 0))
        has_no_rate = deal.amount_minor is not None and row["minor"] is None
        told[name] = (count + 1, minor + (row["minor"] or 0), was + (row["was"] or 0), lost + has_no_rate)
    return told


def effects(now: End, before: End, *, first: date, last_out: date) -> dict[UUID, int]:
    """What each deal adds to the change of the open pipeline, zeros left out."""
    found: dict[UUID, int] = {}
    for end, sign in ((now, 1), (before, -1)):
        for deal in end.inside(first, last_out):
            if is_open(deal):
                found[deal.id] = found.get(deal.id, 0) + sign * (end.money(deal) or 0)
    return {deal_id: minor for deal_id, minor in found.items() if minor}
