"""What a plan pays: whole minor units, cut at the tiers, whatever the order of the deals."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.pay.forms import TiersNotUnderstood, read_tiers
from forecasting.pay.rules import Tier, deal_parts, pay_minor, tiers_fault

PLAN = [Tier(0, 500), Tier(10_000, 800), Tier(12_000, 1_200)]


@st.composite
def plans(draw: st.DrawFn) -> list[Tier]:
    froms = draw(st.lists(st.integers(1, 30_000), max_size=4, unique=True))
    rates = st.integers(0, 10_000)
    return [Tier(from_bp, draw(rates)) for from_bp in [0, *sorted(froms)]]


def unit_by_unit(won_minor: int, *, quota_minor: int, tiers: list[Tier]) -> int:
    """The oracle: each minor unit by itself at the rate of the attainment that it completes, rounded at the end."""
    total = Decimal(0)
    for unit in range(won_minor):
        reached = [tier for tier in tiers if unit * 10_000 >= quota_minor * tier.from_bp]
        total += Decimal(reached[-1].rate_bp) / 10_000
    return int(total.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


@given(plans(), st.integers(1, 200), st.integers(0, 500))
def test_each_minor_unit_is_paid_at_the_rate_of_its_tier(tiers, quota, won):
    assert pay_minor(won, quota_minor=quota, tiers=tiers) == unit_by_unit(won, quota_minor=quota, tiers=tiers)


@given(plans(), st.integers(1, 10**12), st.lists(st.integers(0, 10**11), max_size=12), st.randoms())
def test_deals_paid_one_by_one_come_to_what_they_pay_together(tiers, quota, deals, random):
    together = pay_minor(sum(deals), quota_minor=quota, tiers=tiers)
    random.shuffle(deals)
    paid = won = 0
    for amount in deals:
        parts = deal_parts(amount, before_minor=won, quota_minor=quota, tiers=tiers)
        assert parts is not None
        assert sum(part.amount_minor for part in parts) == amount
        assert [part.tier for part in parts] == sorted({part.tier for part in parts})
        paid += sum(part.pay_minor for part in parts)
        won += amount
    assert paid == together


def test_half_a_unit_goes_to_the_even_one():
    assert [pay_minor(won, quota_minor=1, tiers=[Tier(0, 5_000)]) for won in (1, 3, 5)] == [0, 2, 2]


def test_a_deal_that_crosses_two_tiers_is_paid_in_three_parts():
    parts = deal_parts(500_00, before_minor=900_00, quota_minor=1_000_00, tiers=PLAN)
    assert [(part.amount_minor, part.pay_minor) for part in parts or ()] == [
        (100_00, 5_00),
        (200_00, 16_00),
        (200_00, 24_00),
    ]


def test_without_a_quota_only_a_plan_without_tiers_pays():
    assert pay_minor(100, quota_minor=None, tiers=PLAN) is None
    assert deal_parts(100, before_minor=0, quota_minor=0, tiers=PLAN) is None
    parts = deal_parts(1_000, before_minor=5, quota_minor=None, tiers=[Tier(0, 500)])
    assert [part.pay_minor for part in parts or ()] == [50]


@pytest.mark.parametrize(
    "tiers",
    [
        [],
        [Tier(1, 500)],
        [Tier(0, 1), Tier(0, 2)],
        [Tier(0, 10_001)],
        [Tier(0, -1)],
        [Tier(0, 1), Tier(10**7, 1)],
        [Tier(place, 1) for place in range(21)],
    ],
)
def test_what_can_be_no_plan_is_said_in_words(tiers):
    assert tiers_fault(tiers)


def test_tiers_are_read_as_people_write_them():
    assert read_tiers("0: 5\n100 %: 8,25 %\n\n120;12.5\n") == (
        Tier(0, 500),
        Tier(10_000, 825),
        Tier(12_000, 1_250),
    )
    with pytest.raises(TiersNotUnderstood, match="much"):
        read_tiers("0: much")
