"""The waterfall over real versions: agrees with snapshots of the deals, keeps to scope and to what may be
seen.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forecasting.trends.scope import owners_over
from forecasting.waterfall.report import waterfall_report
from forecasting.waterfall.rules import Bucket
from otc.calendar.rules import parse_period
from otc.money.models import Rate
from otc.money.rules import convert
from otc.question import ask
from otc.tenancy.context import use
from otc.tenancy.lines import UnknownScope
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person
from otc.tenancy.services import line_set
from pipeline.process.models import Stage
from tests.forecasting.lives import change, deal_with, random_state, snapshot
from tests.forecasting.waterfall_oracle import account_for
from tests.pipeline.past_deals import past_deal

Q4 = parse_period("2026-Q4")
INSIDE, LATER = date(2026, 11, 30), date(2027, 2, 1)
RATES = {"USD": Decimal("0.9137"), "GBP": Decimal("1.1921")}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


def set_rates(
    rates: dict[str, Decimal], *, valid_from: date = date(2020, 1, 1), known_from: datetime = LONG_AGO
):
    for currency, rate in rates.items():
        Rate(currency=currency, valid_from=valid_from, known_from=known_from, rate=rate).save()


def report(house, since: datetime, **asked):
    asked = {"viewer": house.eve, "period": Q4, "as_of": now(), "now": now(), **asked}
    return waterfall_report(house.organization, since=since, **asked)


def buckets_of(result) -> dict[str, int]:
    return {
        str(bucket.name): bucket.amount_minor for bucket in result.waterfall.buckets if bucket.amount_minor
    }


def open_deal(house, amount_minor=100, **columns):
    columns = {"owner_id": house.ana.id, "close_date": INSIDE, "category": "commit", **columns}
    return deal_with(amount_minor=amount_minor, **columns)


def as_words(deal) -> dict:
    if deal is None:
        return {}
    rate = RATES.get(deal.currency, Decimal(1))
    amount = deal.amount_minor
    return {
        "deleted": deal.deleted_at is not None,
        "outcome": deal.outcome,
        "category": deal.category,
        "close_date": deal.close_date,
        "owner": deal.owner_id,
        "amount": amount,
        "currency": deal.currency,
        "rate": rate,
        "corporate": 0
        if amount is None
        else convert(amount, from_currency=deal.currency, to_currency="EUR", rate=rate),
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_report_agrees_with_snapshots_of_the_deals_for_every_scope(inside, seed):
    set_rates(RATES)
    random, currencies = Random(seed), ["EUR", "USD", "GBP"]
    owners = [inside.eve, inside.max, inside.ana, inside.jon, None]
    deals = [deal_with(**random_state(random, owners=owners, currencies=currencies)) for _ in range(60)]
    before, since = snapshot(), now()
    for deal in random.sample(deals, 45):
        change(deal, **random_state(random, owners=owners, currencies=currencies))
    for _ in range(15):
        deal_with(**random_state(random, owners=owners, currencies=currencies))
    after, as_of = snapshot(), now()
    scopes = {
        "everyone": {person and person.id for person in owners},
        "unassigned": {None},
        str(inside.max.id): {inside.max.id, inside.ana.id, inside.jon.id},
        str(inside.ana.id): {inside.ana.id},
    }
    for scope, ids in scopes.items():
        expected: dict[str, int] = {}
        for deal_id in after:
            account = account_for(
                as_words(before.get(deal_id)),
                as_words(after[deal_id]),
                owners_before=ids,
                owners_after=ids,
                first=Q4.first,
                last=Q4.last,
            )
            for name, amount in account.items():
                expected[name] = expected.get(name, 0) + amount
        found = report(inside, since, as_of=as_of, scope=scope)
        assert found.waterfall.opening.amount_minor == expected.pop("opening", 0)
        assert found.waterfall.closing.amount_minor == expected.pop("closing", 0)
        bookings = expected.pop("booked after", 0) - expected.pop("booked before", 0)
        assert found.waterfall.change_of_bookings_minor == bookings
        assert buckets_of(found) == {name: amount for name, amount in expected.items() if amount}


def test_a_pushed_deal_leaves_and_is_named(inside):
    deal, since = open_deal(inside, name="Kestrel Rail"), now()
    change(deal, close_date=LATER)
    found = report(inside, since)
    assert buckets_of(found) == {"pushed_out": -100}
    [line] = found.lines("pushed_out")
    assert (line.deal_id, line.name, line.owner_name) == (deal.id, "Kestrel Rail", "Ana Ruiz")
    assert (line.before_minor, line.after_minor, line.amount_minor) == (100, 100, -100)


def test_a_change_of_line_transfers_deals_without_an_edit(inside):
    open_deal(inside, owner_id=inside.jon.id)
    since = now()
    line_set(inside.jon, manager_id=inside.eve.id, since=now())
    scope = str(inside.max.id)
    assert buckets_of(report(inside, since, scope=scope)) == {"transferred_out": -100}
    todays = report(inside, since, scope=scope, org_chart="now")
    assert (todays.waterfall.opening.amount_minor, buckets_of(todays)) == (0, {})


@pytest.mark.parametrize(
    ("scope", "moved"), [("unassigned", {"transferred_in": 100}), ("eve", {"transferred_out": -100})]
)
def test_a_manager_who_leaves_hands_the_branch_over_in_both_modes(inside, scope, moved):
    """The seat is vacant from then on: what stands below it is unassigned (DEFINITIONS 5)."""
    since = now() - timedelta(days=3)
    state = {"owner_id": inside.ana.id, "amount_minor": 100, "category": "commit", "close_date": INSIDE}
    past_deal(inside, (since - timedelta(days=9), state))
    with use(inside.organization.id):
        Person.objects.filter(id=inside.max.id).update(left_on=(now() - timedelta(days=1)).date())
    asked = {"scope": scope if scope == "unassigned" else str(inside.eve.id)}
    for mode in ("endpoint", "path"):
        assert buckets_of(report(inside, since, mode=mode, **asked)) == moved
    question = ask(Tenant(inside.organization, inside.eve, now()), {"period": Q4.key, **asked})
    over = owners_over(question, [since, question.as_of])
    assert over[question.as_of] == question.owners
    assert over[since].contains(inside.ana.id) == (scope == "eve")


def test_a_new_rate_moves_currency_and_nothing_else(inside):
    set_rates({"USD": Decimal("0.90")})
    open_deal(inside, 1005, currency="USD")
    since = now()
    set_rates({"USD": Decimal("0.95")}, valid_from=date(2026, 10, 1), known_from=now())
    found = report(inside, since)
    assert buckets_of(found) == {"currency": 51}
    assert (found.waterfall.opening.amount_minor, found.waterfall.closing.amount_minor) == (904, 955)


def test_a_deal_without_a_rate_is_listed_beside(inside):
    deal, since = open_deal(inside, currency="NOK"), now()
    found = report(inside, since)
    [line] = found.unconvertible
    assert (line.deal_id, line.name) == (deal.id, "Kestrel Rail")
    assert found.waterfall.opening.count == found.waterfall.closing.amount_minor == 0
    assert [(one.currency, one.amount_minor) for one in found.unconvertible_sums] == [("NOK", 100)]


def test_groups_show_a_stage_change_as_moved(inside):
    first, second = Stage.objects.all()[:2]
    deal, since = open_deal(inside, stage_id=first.id), now()
    change(deal, stage_id=second.id)
    groups = report(inside, since, group_by="stage").groups
    assert groups[str(first.id)].bucket(Bucket.MOVED_OUT).amount_minor == -100
    assert groups[str(second.id)].bucket(Bucket.MOVED_IN).amount_minor == 100


def test_a_rep_sees_only_her_own(inside):
    open_deal(inside)
    open_deal(inside, 999, owner_id=inside.jon.id)
    since = now()
    assert report(inside, since, viewer=inside.ana).waterfall.opening.amount_minor == 100
    with pytest.raises(UnknownScope):
        report(inside, since, viewer=inside.ana, scope=str(inside.jon.id))
    with pytest.raises(UnknownScope):
        report(inside, since, viewer=inside.ana, scope="unassigned")


def test_a_deal_given_away_keeps_its_effect_and_loses_its_name(inside):
    deal, since = open_deal(inside, name="Secret"), now()
    change(deal, owner_id=inside.jon.id, amount_minor=777)
    found = report(inside, since, viewer=inside.ana)
    assert buckets_of(found) == {"transferred_out": -100}
    [line] = found.lines("transferred_out")
    assert (line.is_visible, line.name, line.before_minor, line.after_minor) == (False, "", 100, None)
    assert deal.id not in (report(inside, since, viewer=inside.ana, movers=3).names or {})


def test_todays_line_decides_what_is_seen_of_the_past(inside):
    open_deal(inside, owner_id=inside.jon.id)
    since = now()
    line_set(inside.jon, manager_id=inside.eve.id, since=now())
    assert report(inside, since, viewer=inside.max).waterfall.opening.amount_minor == 0


def test_another_organization_is_not_counted(inside, elsewhere):
    with use(elsewhere.organization.id):
        deal_with(
            amount_minor=5, close_date=INSIDE, category="commit", owner_id=elsewhere.zoe.id, currency="USD"
        )
    assert report(inside, LONG_AGO).waterfall.closing.amount_minor == 0


def test_a_waterfall_that_ends_before_it_starts_is_refused(inside):
    with pytest.raises(ValueError, match="starts before"):
        report(inside, now(), as_of=LONG_AGO)


def test_the_number_of_queries_does_not_grow_with_the_deals(inside):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            report(inside, LONG_AGO, group_by="stage")
        return len(captured)

    few = queries()
    for _ in range(20):
        open_deal(inside)
    assert queries() == few <= 6


def test_a_path_shows_a_round_trip_that_the_two_ends_hide(inside):
    deal, since = open_deal(inside), now()
    change(deal, close_date=LATER)
    change(deal, close_date=INSIDE)
    assert buckets_of(report(inside, since)) == {}
    there_and_back = report(inside, since, mode="path")
    assert buckets_of(there_and_back) == {"pulled_in": 100, "pushed_out": -100}
    assert [line.amount_minor for line in there_and_back.lines("pushed_out")] == [-100]


def test_the_deals_that_moved_it_most_are_named_and_the_rest_counted(inside):
    since = now()
    for amount_minor in (5, 900, 70):
        open_deal(inside, amount_minor, name=f"Deal {amount_minor}")
    for mode in ("endpoint", "path"):
        found = report(inside, since, movers=2, mode=mode)
        assert [(mover.bucket, mover.amount_minor) for mover in found.movers] == [("new", 900), ("new", 70)]
        assert sorted(found.names.values()) == ["Deal 70", "Deal 900"] and found.moved_count == 3


def test_a_team_bears_its_managers_name_and_a_change_of_team_moves_its_deals(inside):
    open_deal(inside, owner_id=inside.jon.id)
    since = now()
    line_set(inside.jon, manager_id=inside.eve.id, since=now())
    for mode in ("endpoint", "path"):
        groups = report(inside, since, group_by="team", mode=mode).groups
        assert groups[str(inside.max.id)].bucket(Bucket.MOVED_OUT).amount_minor == -100
        assert groups[str(inside.eve.id)].bucket(Bucket.MOVED_IN).amount_minor == 100
        [line] = report(inside, since, group_by="team", mode=mode).lines(
            "moved_in", group=str(inside.eve.id), is_of_group=True
        )
        assert line.amount_minor == 100


def test_a_page_of_lines_goes_on_where_the_last_one_ended(inside):
    since = now()
    for amount_minor in (5, 900, 70):
        open_deal(inside, amount_minor)
    found = report(inside, since)
    pages = [found.lines("new", offset=number, limit=1) for number in range(4)]
    assert [line.amount_minor for page in pages for line in page] == [900, 70, 5]
