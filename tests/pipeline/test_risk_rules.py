"""The three chances sum to exactly one, follow what past deals came to, and say how many there were."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.risk.rules import BANDS, Counts, band_of, risk

TODAY = date(2026, 11, 22)
SOON = TODAY + timedelta(days=12)
COUNTS = st.builds(Counts, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))


def assess(counts=None, *, close_date=SOON):
    return risk(today=TODAY, close_date=close_date, stage="Proposal", counts=counts or {})


@given(
    counts=st.dictionaries(st.sampled_from([key for key, _, _ in BANDS]), COUNTS),
    days=st.integers(0, 1000),
)
def test_the_three_chances_sum_to_exactly_one(counts, days):
    found = assess(counts, close_date=TODAY + timedelta(days=days))
    chances = (found.p_won, found.p_lost, found.p_slip)
    assert sum(chances) == 1 and all(0 <= p <= 1 for p in chances)


@pytest.mark.parametrize("close_date", [None, TODAY - timedelta(days=1)])
def test_a_close_date_that_passed_or_is_missing_has_no_chances(close_date):
    found = assess(close_date=close_date)
    assert (found.p_won, found.p_lost, found.p_slip) == (None, None, None) and len(found.reasons) == 1


def test_a_deal_that_closes_today_still_has_chances():
    assert assess(close_date=TODAY).p_won is not None


def test_without_history_the_published_prior_holds():
    found = assess()
    assert (str(found.p_won), str(found.p_lost), str(found.p_slip)) == ("0.3", "0.3", "0.4")
    assert "30 % won" in found.reasons[0]


def test_much_history_outweighs_the_prior():
    found = assess({"8-30": Counts(won=6000, lost=1000, slipped=3000)})
    assert abs(float(found.p_won) - 0.6) < 0.001
    assert found.reasons == (
        "10000 past deals stood in Proposal with 8 to 30 days to the close date:"
        " 6000 won by it, 1000 lost by it, 3000 still open after it.",
    )


def test_little_history_leans_on_the_stage_and_says_so():
    few = assess({"8-30": Counts(won=1), "91+": Counts(lost=100)})
    assert few.p_won < few.p_lost and "few" in few.reasons[1] and "101 past deals" in few.reasons[1]


def test_one_deal_never_makes_a_certainty():
    found = assess({"8-30": Counts(won=1)})
    assert found.p_lost > 0 and found.p_won < 1
    assert found.reasons[0].startswith("1 past deal stood in Proposal")


@given(won=st.integers(0, 500), lost=st.integers(0, 500), slipped=st.integers(0, 500))
def test_one_more_win_never_lowers_the_chance_to_win(won, lost, slipped):
    before = assess({"8-30": Counts(won, lost, slipped)})
    after = assess({"8-30": Counts(won + 1, lost, slipped)})
    assert after.p_won >= before.p_won


@pytest.mark.parametrize(
    ("days", "band"),
    [(0, "0-7"), (7, "0-7"), (8, "8-30"), (60, "31-60"), (61, "61-90"), (91, "91+"), (9999, "91+")],
)
def test_every_number_of_days_has_one_band(days, band):
    assert band_of(days) == band


def test_a_day_that_passed_has_no_band():
    with pytest.raises(ValueError, match="3 days ago"):
        band_of(-3)
