"""What must not change a forecast, what it never shows: relations between grids, and reading while others write."""

from datetime import UTC, datetime
from random import Random
from threading import Event, Thread
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from forecasting.rollup.report import RollupReport, rollup_report
from forecasting.rollup.rules import COLUMNS, Adjustment, Kind, Tree, rollup
from otc.calendar.rules import period_of
from otc.money.models import Rate
from otc.tenancy.context import use
from otc.tenancy.models import Organization, Person
from otc.tenancy.services import line_set
from pipeline.opportunities.models import Opportunity
from tests.conftest import BEGINNING, House
from tests.days import day_in_house
from tests.forecasting.lives import change, deal_with
from tests.forecasting.own_amounts import by_person

HERE = period_of(day_in_house())
PEOPLE = ["eve", "max", "ana", "bob", "cyd"]
LINE = {"eve": None, "max": "eve", "ana": "max", "bob": "max", "cyd": "eve"}
OWN = st.dictionaries(
    st.tuples(st.sampled_from([*PEOPLE, None]), st.sampled_from(["commit", "best_case", "closed", None])),
    st.integers(0, 10**12),
)
STEPS = st.lists(
    st.builds(
        Adjustment,
        person=st.sampled_from(PEOPLE),
        author=st.sampled_from(PEOPLE),
        column=st.sampled_from(["commit", "commit_cumulative"]),
        kind=st.sampled_from(list(Kind)),
        amount_minor=st.integers(0, 10**9),
    ),
    max_size=6,
)


def now() -> datetime:
    return datetime.now(UTC)


def grid(organization: Organization, viewer: Person) -> RollupReport:
    return rollup_report(organization, viewer=viewer, period=HERE, as_of=now(), now=now())


def shown(house: House) -> dict[UUID | None, dict[str, Any]]:
    report = grid(house.organization, house.ria)
    rows = {row.person_id: dict(row.amounts) for row in report.rows}
    return rows | {None: dict(report.total.amounts)}


def deal(owner: Person | None, amount_minor: int, **more: Any) -> Opportunity:
    columns = {"category": "commit", "close_date": HERE.last, **more}
    return deal_with(owner_id=owner.id if owner else None, amount_minor=amount_minor, **columns)


def test_a_deal_and_its_two_halves_are_the_same_forecast(inside):
    whole = deal(inside.ana, 100_01)
    before = shown(inside)
    change(whole, amount_minor=33_34)
    deal(inside.ana, 66_67)
    assert shown(inside) == before


def test_a_currency_at_rate_1_is_the_organizations_own(inside):
    Rate(currency="USD", valid_from=BEGINNING.date(), known_from=BEGINNING, rate="1").save()
    deals = [deal(owner, 10_01, category=None) for owner in (inside.ana, inside.max, None)]
    before = shown(inside)
    for one in deals:
        change(one, currency="USD")
    assert shown(inside) == before


def test_a_branch_that_moves_takes_its_money_along_and_the_total_stays(inside):
    for owner, amount_minor in ((inside.ana, 1_00), (inside.jon, 20_00), (inside.max, 300_00)):
        deal(owner, amount_minor)
    before = shown(inside)
    line_set(inside.ana, manager_id=inside.eve.id, since=now())
    after = shown(inside)
    for column in COLUMNS:
        assert after[None][column] == before[None][column]
        assert after[inside.eve.id][column].rolled_up == before[inside.eve.id][column].rolled_up
    moved = before[inside.max.id]["commit"].rolled_up - after[inside.max.id]["commit"].rolled_up
    assert moved == 1_00


@given(own=OWN, steps=STEPS, names=st.permutations(PEOPLE))
def test_who_is_called_what_changes_nobodys_amounts(own, steps, names):
    to = dict(zip(PEOPLE, names, strict=True)) | {None: None}
    plain = rollup(by_person(own), tree=Tree(LINE), adjustments=steps)
    renamed = rollup(
        by_person({(to[person], category): minor for (person, category), minor in own.items()}),
        tree=Tree({to[person]: to[manager] for person, manager in LINE.items()}),
        adjustments=[
            Adjustment(to[one.person], one.column, to[one.author], one.kind, one.amount_minor)
            for one in steps
        ],
    )
    assert {to[row.person]: row.amounts for row in plain.rows} == {
        row.person: row.amounts for row in renamed.rows
    }
    assert (plain.total.amounts, plain.unassigned.amounts) == (
        renamed.total.amounts,
        renamed.unassigned.amounts,
    )


@pytest.mark.django_db(transaction=True)
def test_who_reads_while_others_hand_deals_over_never_sees_a_torn_total(house):
    """Each hand-over takes two deals from one person to another in one transaction: the sum of all stays."""
    organization = house.organization
    with use(organization.id, channel="ui"):
        deals = [deal(owner, 1_00) for owner in (house.ana, house.jon) for _ in range(6)]
    stop, seen, problems = Event(), [], []

    def write(seed: int) -> None:
        random = Random(seed)
        try:
            while not stop.is_set():
                first, second = sorted(random.sample(range(len(deals)), 2))
                owner = random.choice([house.ana, house.jon, house.max, None])
                with use(organization.id, channel="ui"):
                    rows = Opportunity.objects.select_for_update().order_by("id")
                    pair = list(rows.filter(id__in=[deals[first].id, deals[second].id]))
                    pair[0].amount_minor, pair[1].amount_minor = (
                        pair[0].amount_minor - 7,
                        pair[1].amount_minor + 7,
                    )
                    for one in pair:
                        change(one, owner_id=owner.id if owner else None)
        except Exception as problem:  # told by the test, whatever it is
            problems.append(problem)
        finally:
            connection.close()

    writers = [Thread(target=write, args=(seed,)) for seed in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(25):
            with use(organization.id, repeatable_read=True):
                report = grid(organization, house.ria)
            tops = [row for row in report.rows if row.depth == 0 and not row.is_unassigned]
            parts = sum(row.amounts["commit"].rolled_up for row in tops)
            seen.append(report.total.amounts["commit"].final)
            assert parts + report.unassigned.amounts["commit"].rolled_up == seen[-1]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert problems == []
    assert set(seen) == {12_00}
