"""Shares of an amount: whole minor units that add up to it again, in Python and in the database alike."""

import itertools
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from otc.tenancy.context import use
from otc.tenancy.models import FOREVER
from pipeline.history.changes import changes
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_edit
from pipeline.parts.rules import WHOLE_BP, shared
from pipeline.team.models import Split
from pipeline.team.rules import Share
from pipeline.team.services import splits_set

AMOUNTS = st.integers(min_value=-(10**17), max_value=10**17)


@st.composite
def shares(draw: st.DrawFn) -> list[int]:
    """Up to eight shares that sum to the whole, the largest first."""
    cuts = draw(st.sets(st.integers(min_value=1, max_value=WHOLE_BP - 1), max_size=7))
    ends = [0, *sorted(cuts), WHOLE_BP]
    return sorted((after - before for before, after in itertools.pairwise(ends)), reverse=True)


def now() -> datetime:
    return datetime.now(UTC)


def split(deal: Opportunity, **people: int) -> None:
    """Split a deal between people given by the hex of their ids, in basis points."""
    found = [Share(UUID(person), "revenue", share) for person, share in people.items()]
    splits_set(deal.id, shares=found, now=now())


@given(amount=AMOUNTS, shares_bp=shares())
def test_shares_add_up_to_the_amount_and_none_is_a_unit_off(amount: int, shares_bp: list[int]) -> None:
    parts = shared(amount, shares_bp)
    assert sum(parts) == amount
    assert all(
        abs(part * WHOLE_BP - amount * bp) < WHOLE_BP for part, bp in zip(parts, shares_bp, strict=True)
    )


def test_of_equal_remainders_whoever_stands_first_gets_the_unit() -> None:
    assert shared(101, [5_000, 5_000]) == [51, 50]
    assert shared(-101, [5_000, 5_000]) == [-51, -50]
    assert shared(100, [3_334, 3_333, 3_333]) == [34, 33, 33]
    assert shared(2, [3_400, 3_300, 3_300]) == [1, 1, 0]


def test_the_database_shares_as_the_rules_do(db: None) -> None:
    random = Random(7)
    cases = []
    for _ in range(300):
        cuts = sorted(random.sample(range(1, WHOLE_BP), random.randrange(8)))
        ends = [0, *cuts, WHOLE_BP]
        shares_bp = sorted((b - a for a, b in itertools.pairwise(ends)), reverse=True)
        cases.append((random.choice([1, -1]) * random.randrange(10 ** random.randrange(1, 18)), shares_bp))
    with connection.cursor() as cursor:
        for amount, shares_bp in [*cases, (101, [5_000, 5_000]), (2, [3_400, 3_300, 3_300])]:
            cursor.execute(
                "SELECT pipeline_part(%s, %s, place) FROM generate_series(1, %s) AS place",
                [amount, shares_bp, len(shares_bp)],
            )
            assert [row[0] for row in cursor.fetchall()] == shared(amount, shares_bp), (amount, shares_bp)


def test_a_split_writes_one_version_of_the_deal(inside, make_deal) -> None:
    deal = make_deal(owner=inside.ana, amount_minor=1_000)
    before = OpportunityVersion.objects.count()
    stood = OpportunityVersion.objects.get(opportunity=deal)
    split(deal, **{inside.max.id.hex: 7_500, inside.ana.id.hex: 2_500})
    split(deal, **{inside.max.id.hex: 7_500, inside.ana.id.hex: 2_500})
    assert OpportunityVersion.objects.count() == before + 1
    version = OpportunityVersion.objects.get(opportunity=deal, valid_to=FOREVER)
    assert version.split_people == [inside.max.id, inside.ana.id]
    assert version.split_shares == [7_500, 2_500]
    told = changes(stood, version, today=now().date())
    assert [change.sentence for change in told] == ["Split between nobody else to 75 % / 25 %"]
    split(deal)
    assert OpportunityVersion.objects.get(opportunity=deal, valid_to=FOREVER).split_people is None


def test_saving_a_deal_that_was_read_before_its_split_keeps_the_split(inside, make_deal) -> None:
    deal = make_deal(owner=inside.ana, amount_minor=1_000)
    stale = Opportunity.objects.get(id=deal.id)
    split(deal, **{inside.max.id.hex: WHOLE_BP})
    stale.name = "Another name"
    stale.save()
    opportunity_edit(deal.id, changes={"amount_minor": 2_000})
    versions = OpportunityVersion.objects.filter(opportunity=deal).order_by("valid_from")
    assert [version.split_shares for version in versions] == [None, [WHOLE_BP], [WHOLE_BP], [WHOLE_BP]]


@pytest.mark.django_db(transaction=True)
def test_a_split_that_no_service_wrote_is_taken_over_at_commit(house, make_deal) -> None:
    with use(house.organization.id):
        deal = make_deal(owner=house.ana, amount_minor=1_000)
        Split(opportunity=deal, person=house.max, kind="revenue", share_bp=WHOLE_BP, valid_from=now()).save()
    with use(house.organization.id):
        assert Opportunity.objects.get(id=deal.id).split_people == [house.max.id]
