"""Win rates count no decisions, intervals hold their share, groups add up."""

from fractions import Fraction
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem.winloss.rules import Closed, median_days, row, total, wilson, win_rate, win_rate_by_amount

COUNTS = st.integers(0, 10**6)
GROUPS = st.builds(Closed, *[COUNTS] * 6)


def test_a_win_rate_counts_deals_that_ended_without_a_decision():
    assert win_rate(Closed(won=2, lost=1, no_decision=1)) == Fraction(1, 2)


def test_the_win_rate_by_amount_weighs_deals():
    closed = Closed(1, 1, 1, won_minor=300, lost_minor=50, no_decision_minor=50)
    assert win_rate_by_amount(closed) == Fraction(3, 4)


def test_nothing_closed_has_no_rate():
    empty = row("x", closed=Closed(), cycle_days=None)
    assert (empty.win_rate, empty.interval, empty.win_rate_by_amount) == (None, None, None)


def test_amounts_that_are_negative_have_no_share():
    assert win_rate_by_amount(Closed(won=1, lost=1, won_minor=-5, lost_minor=10)) is None


@pytest.mark.parametrize(
    ("won", "count", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_wilsons_interval_agrees_with_published_values(won, count, low, high):
    assert wilson(won, count=count) == pytest.approx((low, high), abs=5e-5)


@given(count=st.integers(1, 10**6), share=st.integers(0, 100))
def test_an_interval_holds_its_share_and_mirrors(count, share):
    won = count * share // 100
    low, high = wilson(won, count=count)
    assert 0 <= low <= won / count <= high <= 1
    assert wilson(count - won, count=count) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("won", "count"), [(1, 0), (-1, 5), (6, 5)])
def test_an_impossible_count_is_refused(won, count):
    with pytest.raises(ValueError, match="impossible"):
        wilson(won, count=count)


@given(days=st.lists(st.integers(0, 5000), min_size=1))
def test_the_median_is_the_median(days):
    assert median_days(days) == median(days)


def test_no_wins_have_no_cycle_time():
    assert median_days([]) is None


@given(groups=st.lists(GROUPS))
def test_groups_add_up_to_the_total(groups):
    rows = [row(number, closed=closed, cycle_days=None) for number, closed in enumerate(groups)]
    whole = total(rows, cycle_days=None).closed
    assert whole.won == sum(group.won for group in groups)
    assert whole.count == sum(group.count for group in groups)
    assert whole.amount_minor == sum(group.amount_minor for group in groups)
