"""Sums by bucket become waterfalls that balance, alone and in a row."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.waterfall.rules import (
    ENTERING,
    LEAVING,
    Bucket,
    Total,
    Waterfall,
    WaterfallDoesNotBalance,
    chained,
    waterfall_of,
)


def test_the_example_of_the_definitions_balances():
    sums = [("opening", 4, 100), ("new", 1, 40), ("pulled_in", 1, 10), ("increased", 1, 5)]
    sums += [("won", 1, -30), ("lost", 1, -20), ("pushed_out", 1, -15), ("closing", 3, 90)]
    found = waterfall_of(sums)
    assert (found.opening.amount_minor, found.change_minor, found.closing.amount_minor) == (100, -10, 90)
    assert list(found.steps) == [name for name, _, _ in sums]


def test_a_waterfall_that_does_not_balance_cannot_exist():
    with pytest.raises(WaterfallDoesNotBalance):
        Waterfall(opening=Total("opening", 1), buckets=(), closing=Total("closing", 2))
    with pytest.raises(WaterfallDoesNotBalance):
        waterfall_of([("opening", 1, 100), ("lost", 1, -99)])


def test_a_step_that_comes_twice_is_added_up():
    found = waterfall_of([("won", 1, -30), ("new", 1, 30), ("won", 2, -70), ("new", 2, 70)])
    assert found.bucket(Bucket.WON) == Total(Bucket.WON, -100, 3)


MOVES = st.tuples(
    st.integers(0, 6), st.sampled_from([str(one) for one in (*ENTERING, *LEAVING)]), st.integers(1, 10**9)
)


@given(st.lists(MOVES, max_size=30), st.integers(0, 10**9))
def test_waterfalls_in_a_row_begin_where_the_one_before_ended(moves, opening):
    steps = [(week, name, 1, amount * (1 if name in ENTERING else -1)) for week, name, amount in moves]
    found = list(chained([(0, "opening", 1, opening), *steps]).values())
    assert found[0].opening.amount_minor == opening
    for before, after in itertools.pairwise(found):
        assert before.closing == Total("closing", after.opening.amount_minor, after.opening.count)
    assert found[-1].closing.amount_minor == opening + sum(amount for *_, amount in steps)
