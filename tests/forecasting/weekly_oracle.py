"""A period at an instant, from the definitions alone: every version looked at, one deal after the other."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from otc.money.models import Rate
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from tests.forecasting.waterfall_oracle import half_even, share_of

DECIMALS = {"JPY": 0}
OPEN = ("pipeline", "best_case", "most_likely", "commit", None)


class Past:
    """Everything that was ever written, read once."""

    def __init__(self, own: str) -> None:
        self.own = own
        self.rates = list(Rate.objects.all())
        self.created = dict(Opportunity.objects.values_list("id", "created_at"))
        self.versions = defaultdict(list)
        for version in OpportunityVersion.objects.all():
            self.versions[version.opportunity_id].append(version)

    def worth(self, version, *, known: datetime) -> int | None:
        if version.currency == self.own:
            return version.amount_minor
        fitting = [
            rate
            for rate in self.rates
            if rate.currency == version.currency
            and rate.known_from <= known < rate.known_to
            and (version.close_date is None or rate.valid_from <= version.close_date)
        ]
        if not fitting or version.amount_minor is None:
            return None
        rate = max(fitting, key=lambda rate: rate.valid_from).rate
        shift = Decimal(10) ** (2 - DECIMALS.get(version.currency, 2))
        return half_even(Fraction(version.amount_minor) * Fraction(rate) * Fraction(shift))

    def at(self, first, end, instant: datetime, *, zone: ZoneInfo, known: datetime, owners) -> dict[str, int]:
        begin = datetime(first.year, first.month, first.day, tzinfo=zone)
        sums: dict[str, int] = defaultdict(int)
        for deal, versions in self.versions.items():
            there = [
                v
                for v in versions
                if v.valid_from <= instant < v.valid_to and v.known_from <= known < v.known_to
            ]
            assert len(there) <= 1
            if not there or there[0].deleted_at is not None:
                continue
            state = there[0]
            people = state.split_people or [state.owner_id]
            if not any(owners(person) for person in people):
                continue
            worth, counts = self.worth(state, known=known), int(owners(people[0]))
            if worth is not None and state.split_people:
                shares = list(zip(people, state.split_shares, strict=True))
                worth = sum(share_of(worth, shares=shares, person=who) for who in people if owners(who))
            in_period = state.close_date is not None and first <= state.close_date < end
            if state.outcome is None and state.category == "omitted":
                continue
            if in_period and state.outcome in (None, "won"):
                name = "won" if state.outcome else state.category or "no_category"
                sums[f"{name}_minor"] += worth or 0
                sums["won_count" if state.outcome else "open_count"] += counts
                sums["unconvertible_count"] += counts * (worth is None and state.amount_minor is not None)
            if begin <= self.created[deal] < instant:
                sums["created_minor"] += worth or 0
                sums["created_count"] += counts
        return {name: amount for name, amount in sums.items() if amount}


def week_ends(first, end, *, zone: ZoneInfo) -> list[datetime]:
    """The instants at which a period begins, at which each of its whole weeks ends, and at which it ends."""
    days = [first + timedelta(days=7 * week) for week in range((end - first).days // 7)] + [end]
    return [datetime(day.year, day.month, day.day, tzinfo=zone) for day in days]
