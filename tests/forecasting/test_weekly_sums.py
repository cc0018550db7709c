"""Kept weekly sums are what the deals were, whatever is done to the past: after every kind of edit, pages that read
them, the slow way from versions and an oracle agree to the minor unit.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.utils import timezone

from forecasting.trends.models import SumsStale
from forecasting.trends.report import Trends, trends_report
from forecasting.trends.services import sums_refresh
from otc.money.models import Rate
from otc.question import ask
from otc.tenancy.context import use
from otc.tenancy.lines import chart_at
from otc.tenancy.middleware import Tenant
from otc.tenancy.services import line_set
from pipeline.history.models import STATE_COLUMNS, HistoryRow, OpportunityVersion
from pipeline.history.services import enter_history
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import CloseReason
from pipeline.team.rules import Share
from pipeline.team.services import splits_set
from tests.conftest import House
from tests.days import day_in_house
from tests.forecasting.lives import change, deal_with
from tests.forecasting.weekly_oracle import Past, week_ends
from tests.guards.report_house import build_report_house, days_ago, live_on

BERLIN = ZoneInfo("Europe/Berlin")
# Seen from here, what is edited live lies weeks back: sums of after the edit are kept when it comes.
AHEAD = timedelta(days=40)


def refresh(house: House, *, now: datetime) -> int:
    return sums_refresh(lambda: use(house.organization.id), now=now)


def asked(house: House, *, now: datetime, **parameters: str) -> Trends:
    knowledge = parameters.get("knowledge", "then")
    person = getattr(house, parameters.pop("viewer", "eve"))
    question = ask(Tenant(house.organization, person, now), parameters)
    return trends_report(question, knowledge=knowledge)


def owners_in(house: House, scope: str, chart_instant: datetime) -> Callable:
    """Who is meant by a scope, from the lines of an instant."""
    manager_of = chart_at(chart_instant).manager_of

    def is_below(person, top) -> bool:
        while person is not None and person != top:
            person = manager_of.get(person)
        return person == top

    if scope == "everyone":
        return lambda owner: True
    if scope == "unassigned":
        return lambda owner: (
            owner is None
            or not any(is_below(owner, top) for top, manager in manager_of.items() if manager is None)
        )
    return lambda owner: owner is not None and is_below(owner, getattr(house, scope).id)


def assert_true(house: House, *, now: datetime, scope: str, **parameters: str) -> Trends:
    scope_key = scope if scope in ("everyone", "unassigned") else str(getattr(house, scope).id)
    found = asked(house, now=now, scope=scope_key, **parameters)
    past = Past("EUR")
    as_of, knowledge = found.question.as_of, parameters.get("knowledge", "then")
    for trend in (found.current, *found.pasts):
        first, end = trend.period.first, trend.period.end
        instants = [instant for instant in week_ends(first, end, zone=BERLIN) if instant <= as_of]
        points = [point for point in trend.points if not point.is_present]
        assert [point.sample.at for point in points] == instants
        for point in trend.points:
            at = point.sample.at
            expected = past.at(
                first,
                end,
                at,
                zone=BERLIN,
                known=now if knowledge == "now" else at,
                owners=owners_in(house, scope, now if found.question.org_chart == "now" else at),
            )
            assert {name: n for name, n in point.sums.by_column.items() if n} == expected, (scope, at)
    return found


class Hand:
    """Does something to the past or the present of a house, one of each kind."""

    def __init__(self, house: House, random: Random) -> None:
        self.house, self.random = house, random
        self.owners = [house.eve, house.max, house.ana, house.jon, house.people["kim"], None]
        self.reasons = list(CloseReason.objects.all())

    def some(self) -> Opportunity:
        return self.random.choice(list(Opportunity.objects.order_by("id")))

    def create(self) -> None:
        deal_with(
            owner_id=self.house.ana.id,
            amount_minor=self.random.randrange(10**7),
            category="commit",
            close_date=day_in_house() + timedelta(days=9),
            created_at=timezone.now(),
        )

    def edit(self) -> None:
        deal = self.some()
        live_on(
            deal,
            at=timezone.now(),
            random=self.random,
            owners=self.owners,
            reasons=self.reasons,
            may_be_deleted=False,
        )
        deal.save(force_update=True)

    def reprice_many(self) -> None:
        Opportunity.objects.filter(outcome=None).update(amount_minor=self.random.randrange(10**6))

    def delete(self) -> None:
        change(self.some(), deleted_at=timezone.now())

    def restore(self) -> None:
        Opportunity.objects.exclude(deleted_at=None).update(deleted_at=None)

    def win(self) -> None:
        deal, now = self.some(), timezone.now()
        change(deal, outcome="won", category="closed", closed_at=now, close_date=now.date(), deleted_at=None)

    def reopen(self) -> None:
        deal = Opportunity.objects.filter(outcome="won").first()
        if deal:
            change(deal, outcome=None, category="best_case", closed_at=None)

    def bring_in(self) -> None:
        """A deal whose history lies half a year back."""
        deal = Opportunity(id=uuid4(), name="Late", name_folded="late", currency="USD")
        self._enter(deal, [days_ago(170), days_ago(60)], is_new=True)

    def correct(self) -> None:
        """A late correction: the whole past of a deal that was imported is another."""
        live = OpportunityVersion.objects.filter(provenance="live").values("opportunity_id")
        deal = Opportunity.objects.exclude(id__in=live).order_by("id").first()
        if deal:
            now = {column: getattr(deal, column) for column in STATE_COLUMNS}
            before = HistoryRow(
                opportunity_id=deal.id,
                at=days_ago(150),
                provenance="imported",
                **now | {"amount_minor": self.random.randrange(10**8), "outcome": None, "closed_at": None}
                | {"category": "pipeline"},
            )  # fmt: skip
            last = HistoryRow(opportunity_id=deal.id, at=days_ago(3), provenance="imported", **now)
            enter_history([before, last])

    def split(self) -> None:
        """Between some people, or the owner's again."""
        for deal in self.random.sample(list(Opportunity.objects.filter(deleted_at=None).order_by("id")), 5):
            people = self.random.sample(self.owners[:4], self.random.choice([0, 1, 2, 3]))
            ends = [0, *sorted(self.random.sample(range(1, 10_000), max(len(people) - 1, 0))), 10_000]
            shares = [
                Share(person.id, "revenue", after - before)
                for person, (before, after) in zip(people, pairwise(ends), strict=False)
            ]
            splits_set(deal.id, shares=shares, now=timezone.now())

    def rate_late(self) -> None:
        """A rate that is entered as known since half a year: what it converts was converted then."""
        Rate.objects.filter(currency="NOK").delete()
        Rate(
            currency="NOK", valid_from=date(2020, 1, 1), known_from=days_ago(80), rate=Decimal("0.09")
        ).save()

    def rate_again(self) -> None:
        now = timezone.now()
        Rate.objects.filter(currency="USD", known_to__gt=now).update(known_to=now)
        rate = Decimal(self.random.randrange(80, 99)) / 100
        Rate(currency="USD", valid_from=date(2020, 1, 1), known_from=now, rate=rate).save()

    def move_line(self) -> None:
        since = days_ago(self.random.randrange(1, 25))
        line_set(
            self.house.jon, manager_id=self.random.choice([self.house.eve.id, self.house.max.id]), since=since
        )

    def created_before(self) -> None:
        deal = self.some()
        Opportunity.objects.filter(id=deal.id).update(created_at=deal.created_at - timedelta(days=20))

    def _enter(self, deal: Opportunity, instants: list[datetime], *, is_new: bool) -> None:
        deal.created_at = instants[0]
        rows = []
        for at in instants:
            live_on(
                deal,
                at=at,
                random=self.random,
                owners=self.owners,
                reasons=self.reasons,
                may_be_deleted=False,
            )
            state = {column: getattr(deal, column) for column in STATE_COLUMNS}
            rows.append(HistoryRow(opportunity_id=deal.id, at=at, provenance="imported", **state))
        with use(self.house.organization.id, channel="import"):
            deal.save(force_insert=is_new)
        enter_history(rows)


KINDS = (
    *("create", "edit", "reprice_many", "delete", "restore", "win", "reopen", "bring_in", "correct"),
    *("rate_late", "rate_again", "move_line", "created_before"),
    *("split", "edit", "split", "move_line", "split", "correct"),
)
SCOPES = ("everyone", "unassigned", "max", "ana")


def live_through(house: House, random: Random, *, kinds: list[str]) -> None:
    """After every edit the pages tell the truth, before the sums are brought up to date and after."""
    hand, now = Hand(house, random), timezone.now() + AHEAD
    refresh(house, now=now)
    for number, kind in enumerate(kinds):
        getattr(hand, kind)()
        scope = SCOPES[number % len(SCOPES)]
        assert_true(house, now=now, scope=scope)
        if random.random() < 0.6:
            refresh(house, now=now)
            found = assert_true(house, now=now, scope=random.choice(SCOPES))
            assert found.from_sums == sum(
                not point.is_present for trend in (found.current, *found.pasts) for point in trend.points
            )


@pytest.fixture
def lived(db: None) -> House:
    return build_report_house(deals=14)


def test_a_change_without_its_mark_would_be_seen(lived: House) -> None:
    """Negative control: what the triggers write is what keeps the pages true."""
    with use(lived.organization.id, channel="ui"):
        now = timezone.now() + AHEAD
        refresh(lived, now=now)
        Hand(lived, Random(3)).reprice_many()
        assert_true(lived, now=now, scope="everyone")
        SumsStale.objects.all().delete()
        with pytest.raises(AssertionError):
            assert_true(lived, now=now, scope="everyone")
        assert sums_refresh(lambda: use(lived.organization.id), now=now) == 0
        call_command("rebuild_weekly_sums", lived.organization.slug)
        assert_true(lived, now=timezone.now(), scope="everyone")


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(12))
def test_sums_are_true_whatever_the_order(lived: House, seed: int) -> None:
    random = Random(seed)
    with use(lived.organization.id, channel="ui"):
        live_through(lived, random, kinds=random.choices(KINDS, k=40))


def test_sums_are_true_after_every_kind_of_edit(lived: House) -> None:
    with use(lived.organization.id, channel="ui"):
        live_through(lived, Random(1), kinds=list(KINDS))
        now = timezone.now() + AHEAD
        refresh(lived, now=now)
        year = assert_true(lived, now=now, scope="max", period=str(days_ago(40).year))
        assert year.from_sums > 53
        for parameters in (
            {"knowledge": "now"},
            {"org_chart": "now"},
            {"period": "2026-10"},
            {"as_of": days_ago(20).isoformat()},
            {"as_of": days_ago(20).isoformat(), "knowledge": "now", "org_chart": "now"},
        ):
            assert_true(lived, now=now, scope="max", **parameters)
