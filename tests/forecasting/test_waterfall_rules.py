"""The waterfall balances over every combination of states and agrees with an independent oracle."""

from datetime import date
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.waterfall.rules import (
    ABSENT,
    Booking,
    Bucket,
    Frame,
    Part,
    PartState,
    Scope,
    Total,
    Waterfall,
    WaterfallDoesNotBalance,
    movement,
    waterfall,
    waterfalls_by_group,
)
from otc.calendar.rules import parse_period
from otc.money.rules import convert
from tests.forecasting.waterfall_oracle import account_for
from tests.nightly import IS_NIGHTLY

Q4 = parse_period("2026-Q4")
EARLIER, INSIDE, LATER = date(2026, 9, 30), date(2026, 10, 1), date(2027, 1, 1)
BEFORE, AFTER = frozenset({"ana", "bob"}), frozenset({"ana", "max"})
FRAME = Frame(Q4, Scope(BEFORE), Scope(AFTER), "USD")


def state(amount=100, *, currency="USD", rate="1", **facts) -> PartState:
    corporate = None
    if amount is None:
        corporate = 0
    elif rate is not None:
        corporate = convert(amount, from_currency=currency, to_currency="USD", rate=Decimal(rate))
    return PartState(
        amount_minor=amount,
        currency=currency,
        rate=None if rate is None else Decimal(rate),
        corporate_minor=corporate,
        **({"owner": "ana", "close_date": INSIDE, "category": "commit"} | facts),
    )


def as_words(part_state: PartState) -> dict:
    if not part_state.exists:
        return {}
    return {
        "deleted": part_state.deleted,
        "outcome": part_state.outcome,
        "category": part_state.category,
        "close_date": part_state.close_date,
        "owner": part_state.owner,
        "amount": part_state.amount_minor,
        "currency": part_state.currency,
        "rate": part_state.rate,
        "corporate": part_state.corporate_minor,
    }


def accounted(before: PartState, after: PartState) -> dict[str, int]:
    return account_for(
        as_words(before),
        as_words(after),
        owners_before=set(BEFORE),
        owners_after=set(AFTER),
        first=Q4.first,
        last=Q4.last,
    )


def buckets_of(result: Waterfall) -> dict[str, int]:
    return {str(bucket.name): bucket.amount_minor for bucket in result.buckets if bucket.amount_minor}


def every_state(amount: int, rate: str) -> list[PartState]:
    facts = product(
        (False, True),
        (None, "won", "lost", "no_decision"),
        ("commit", "omitted", None),
        (EARLIER, INSIDE, Q4.last, LATER, None),
        ("ana", "bob", "max", "zed", None),
    )
    states = [
        state(
            amount, currency="EUR", rate=rate, deleted=d, outcome=o, category=c, close_date=day, owner=owner
        )
        for d, o, c, day, owner in facts
    ]
    return [ABSENT, *states]


def check_against_the_oracle(before: PartState, after: PartState) -> None:
    result = waterfall([Part("deal", before, after)], frame=FRAME)
    expected = accounted(before, after)
    opening, closing = expected.pop("opening", 0), expected.pop("closing", 0)
    bookings = expected.pop("booked after", 0) - expected.pop("booked before", 0)
    assert (result.opening.amount_minor, result.closing.amount_minor) == (opening, closing)
    assert buckets_of(result) == expected
    assert result.change_of_bookings_minor == bookings
    assert -result.bucket(Bucket.WON).amount_minor == result.bookings[0].amount_minor


def test_every_combination_of_states_balances_and_agrees_with_the_oracle():
    befores, afters = every_state(101, "1.10"), every_state(77, "1.25")
    # A day inside the period and an owner inside the scope need to be met once per end: that leaves some
    # 99,000 pairs. Each state before meets a third of those after, its neighbour the next third; OTC_NIGHTLY=1 all.
    befores = [s for s in befores if s.owner != "max" and s.close_date != Q4.last and s.category is not None]
    afters = [s for s in afters if s.owner != "bob" and s.close_date != INSIDE]
    every = 1 if IS_NIGHTLY else 3
    for turn, before in enumerate(befores):
        for after in afters[turn % every :: every]:
            check_against_the_oracle(before, after)


STATES = st.one_of(
    st.just(ABSENT),
    st.builds(
        state,
        st.one_of(st.none(), st.integers(0, 10**9)),
        currency=st.sampled_from(["EUR", "GBP"]),
        rate=st.sampled_from(["1.1", "0.9", "1.255", "0.333333"]),
        deleted=st.booleans(),
        outcome=st.sampled_from([None, None, "won", "lost", "no_decision"]),
        category=st.sampled_from(["pipeline", "commit", "omitted", None]),
        close_date=st.sampled_from([EARLIER, INSIDE, Q4.last, LATER, None]),
        owner=st.sampled_from(["ana", "bob", "max", "zed", None]),
        stage=st.sampled_from(["one", "two", None]),
    ),
)


@given(before=STATES, after=STATES)
def test_any_change_of_amount_currency_and_rate_agrees_with_the_oracle(before, after):
    check_against_the_oracle(before, after)


@given(ends=st.lists(st.tuples(STATES, STATES), max_size=12))
def test_lines_sum_to_their_buckets_and_groups_to_the_whole(ends):
    parts = [Part(number, a, b) for number, (a, b) in enumerate(ends)]
    whole = waterfall(parts, frame=FRAME)
    groups = waterfalls_by_group(parts, frame=FRAME, group_of=lambda s: s.stage).values()
    for name in Bucket:
        total = whole.bucket(name)
        assert total.amount_minor == sum(line.amount_minor for line in total.lines)
        if name not in (Bucket.MOVED_IN, Bucket.MOVED_OUT):
            assert sum(group.bucket(name).amount_minor for group in groups) == total.amount_minor
    moved = [sum(g.bucket(name).amount_minor for g in groups) for name in (Bucket.MOVED_IN, Bucket.MOVED_OUT)]
    assert sum(moved) == 0
    assert sum(group.opening.amount_minor for group in groups) == whole.opening.amount_minor
    assert sum(group.closing.amount_minor for group in groups) == whole.closing.amount_minor
    assert sum(g.change_of_bookings_minor for g in groups) == whole.change_of_bookings_minor


IN = state()


@pytest.mark.parametrize(
    ("before", "bucket"),
    [
        (ABSENT, Bucket.NEW),
        (state(outcome="lost", owner="zed"), Bucket.REOPENED),
        (state(deleted=True), Bucket.REOPENED),
        (state(owner="zed", close_date=LATER), Bucket.TRANSFERRED_IN),
        (state(owner=None), Bucket.TRANSFERRED_IN),
        (state(close_date=LATER, category="omitted"), Bucket.PULLED_IN),
        (state(close_date=None), Bucket.PULLED_IN),
        (state(close_date=EARLIER), Bucket.PUSHED_IN),
        (state(category="omitted"), Bucket.INCLUDED),
    ],
)
def test_a_deal_enters_for_the_first_reason_that_applies(before, bucket):
    assert movement(Part("deal", before, state(70)), frame=FRAME).effects == ((bucket, 70),)


@pytest.mark.parametrize(
    ("after", "bucket"),
    [
        (ABSENT, Bucket.DELETED),
        (state(70, deleted=True, outcome="won"), Bucket.DELETED),
        (state(70, outcome="lost", owner="zed"), Bucket.LOST),
        (state(70, outcome="no_decision", close_date=LATER), Bucket.NO_DECISION),
        (state(70, owner="bob", close_date=LATER), Bucket.TRANSFERRED_OUT),
        (state(70, outcome="won", owner="zed"), Bucket.TRANSFERRED_OUT),
        (state(70, close_date=LATER, category="omitted"), Bucket.PUSHED_OUT),
        (state(70, outcome="won", close_date=LATER), Bucket.PUSHED_OUT),
        (state(70, close_date=None), Bucket.PUSHED_OUT),
        (state(70, close_date=EARLIER), Bucket.PULLED_OUT),
        (state(70, category="omitted"), Bucket.OMITTED),
    ],
)
def test_a_deal_leaves_at_the_amount_before_for_the_first_reason_that_applies(after, bucket):
    assert movement(Part("deal", IN, after), frame=FRAME).effects == ((bucket, -100),)


def test_a_pushed_deal_leaves_this_period_once():
    assert movement(Part("deal", IN, state(close_date=LATER)), frame=FRAME).effects == (
        (Bucket.PUSHED_OUT, -100),
    )


def test_a_won_deal_is_revalued_and_leaves_at_the_amount_after():
    found = movement(Part("deal", IN, state(130, outcome="won")), frame=FRAME)
    assert found.effects == ((Bucket.INCREASED, 30), (Bucket.WON, -130))
    assert found.booking == (Booking.WON, 130)


def test_a_deal_that_enters_and_wins_shows_in_both_buckets_and_is_not_revalued():
    found = movement(Part("deal", state(close_date=LATER), state(130, outcome="won")), frame=FRAME)
    assert found.effects == ((Bucket.PULLED_IN, 130), (Bucket.WON, -130))


def test_a_deal_won_before_neither_enters_nor_wins_again():
    found = movement(Part("deal", state(outcome="won", owner="zed"), state(130, outcome="won")), frame=FRAME)
    assert (found.effects, found.booking) == ((), (Booking.CORRECTED, 130))


def test_a_reopened_win_enters_and_reverses_its_booking():
    found = movement(Part("deal", state(outcome="won"), state(90)), frame=FRAME)
    assert found.effects == ((Bucket.REOPENED, 90),)
    assert found.booking == (Booking.REVERSED, -100)


def test_a_rate_that_changes_moves_only_currency():
    before, after = state(125, currency="EUR", rate="1.10"), state(125, currency="EUR", rate="1.20")
    assert movement(Part("deal", before, after), frame=FRAME).effects == ((Bucket.CURRENCY, 12),)


def test_a_rate_and_an_amount_that_change_are_told_apart():
    before, after = state(100, currency="EUR", rate="1.10"), state(200, currency="EUR", rate="1.20")
    effects = movement(Part("deal", before, after), frame=FRAME).effects
    assert effects == ((Bucket.INCREASED, 120), (Bucket.CURRENCY, 10))


def test_another_currency_is_an_increase_without_a_currency_effect():
    before, after = state(100, currency="EUR", rate="1.10"), state(100, currency="GBP", rate="1.30")
    assert movement(Part("deal", before, after), frame=FRAME).effects == ((Bucket.INCREASED, 20),)


def test_a_deal_that_lost_its_rate_is_named_beside_the_sums():
    parts = [Part("a", IN, IN), Part("b", IN, state(currency="EUR", rate=None))]
    result = waterfall(parts, frame=FRAME)
    assert result.unconvertible == ("b",)
    assert (result.opening.amount_minor, result.closing.amount_minor) == (100, 100)


def test_a_missing_rate_at_an_end_that_does_not_count_is_no_matter():
    gone = state(currency="EUR", rate=None, close_date=LATER)
    assert waterfall([Part("a", IN, gone)], frame=FRAME).bucket(Bucket.PUSHED_OUT).amount_minor == -100


def test_a_deal_without_an_amount_counts_as_a_deal_of_zero():
    result = waterfall([Part("a", ABSENT, state(None))], frame=FRAME)
    assert [line.part for line in result.bucket(Bucket.NEW).lines] == ["a"]
    assert result.closing.amount_minor == 0


def test_a_stage_change_moves_a_deal_out_and_in_and_revalues_it_in_the_new_stage():
    parts = [Part("a", state(stage="one"), state(150, stage="two"))]
    groups = waterfalls_by_group(parts, frame=FRAME, group_of=lambda s: s.stage)
    assert buckets_of(groups["one"]) == {"moved_out": -100}
    assert buckets_of(groups["two"]) == {"moved_in": 100, "increased": 50}


def test_the_example_of_the_definitions_balances():
    parts = [
        Part(1, state(35), state(40)),
        Part(2, state(30), state(30, outcome="won")),
        Part(3, state(20), state(20, outcome="lost")),
        Part(4, state(15), state(15, close_date=LATER)),
        Part(5, ABSENT, state(40)),
        Part(6, state(10, close_date=None), state(10)),
    ]
    result = waterfall(parts, frame=FRAME)
    assert (result.opening.amount_minor, result.closing.amount_minor) == (100, 90)
    assert buckets_of(result) == {
        "new": 40,
        "pulled_in": 10,
        "increased": 5,
        "won": -30,
        "lost": -20,
        "pushed_out": -15,
    }


def test_a_waterfall_that_does_not_balance_cannot_exist():
    with pytest.raises(WaterfallDoesNotBalance):
        Waterfall(opening=Total("opening", 1, ()), buckets=(), closing=Total("closing", 2, ()))
