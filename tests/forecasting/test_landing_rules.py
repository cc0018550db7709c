"""The landing's arithmetic (DEFINITIONS 9): examples, and what holds of every past and every pipeline."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.landing.rules import PRIOR_SWING, Open, Past, Rest, between, ended, landed, learned
from forecasting.trends.stages import StagePast

SIGN = {"sign": StagePast(open_count=30, open_minor=3_000, won_count=21, won_minor=2_100)}
ONE = Past("2026-Q3", SIGN, won_by_then_minor=1_000, won_minor=4_000)


def held(*amounts: int) -> Open:
    return Open(len(amounts), sum(amounts), sum(amount**2 for amount in amounts))


def test_won_and_each_stage_at_its_share_and_what_is_to_come_make_the_landing():
    lessons = learned([ONE])
    # 21 of 30, leaning as on 10 deals of the share of all: (21 + 10 * (21 + 2.5) / 40) / 40.
    assert lessons.rate_of("sign").share == Fraction(21 + 10 * Fraction(47, 80)) / 40
    # 4,000 won, of which 1,000 by then and 2,100 from what was open: 900 came later, 22.5 %.
    assert lessons.later_share == Fraction(9, 40)
    landing = landed(500, {"sign": held(100, 300)}, past_wins_minor=4_000, lessons=lessons)
    assert landing.stages[0].expected_minor == round(400 * lessons.rate_of("sign").share) == 269
    assert (landing.won_minor, landing.open_minor, landing.later_minor) == (500, 269, 900)
    assert landing.mean_minor == 1_669
    assert 500 < landing.p10_minor < landing.p50_minor < landing.p90_minor
    assert landing.chance_of(500) == 1 and 0 < landing.chance_of(2_500) < landing.chance_of(1_500) < 1


def test_without_a_past_every_stage_takes_the_published_share_and_the_range_is_wide():
    landing = landed(0, {"sign": held(1_000)}, past_wins_minor=None, lessons=learned([]))
    assert landing.mean_minor == 250 and landing.later_minor == 0 and landing.swing == PRIOR_SWING
    assert landing.p10_minor < 100 and landing.p90_minor > 400


def test_between_two_weeks_shares_go_over_into_each_other_and_end_at_nothing():
    here = learned([ONE])
    after = learned([Past("2026-Q3", {"sign": StagePast(30, 3_000, 9, 900)}, 3_100, 4_000)])
    half = between(here, after, share=Fraction(1, 2))
    both = (here.rate_of("sign").share, after.rate_of("sign").share)
    assert half.rate_of("sign").share == sum(both) / 2 and half.rate_of("sign").won == 21
    assert half.later_share == (here.later_share + after.later_share) / 2
    assert between(here, after, share=Fraction(0)).rates == here.rates
    end = between(here, None, share=Fraction(1))
    assert (end.rate_of("sign").share, end.rate_of("unseen").share, end.later_share) == (0, 0, 0)
    assert landed(500, {"sign": held(100)}, past_wins_minor=4_000, lessons=end).p90_minor == 500


def test_a_period_that_is_over_ends_at_what_it_won():
    landing = ended(700)
    assert [landing.mean_minor, landing.p10_minor, landing.p50_minor, landing.p90_minor] == [700] * 4
    assert (landing.chance_of(700), landing.chance_of(701)) == (1, 0)


def test_quiet_pasts_narrow_the_range_and_wild_ones_widen_it():
    same = [Past(str(n), SIGN, 1_000, 4_000) for n in range(8)]
    strays = learned([*same[:3], Past("odd", SIGN, 1_000, 2_500)]).strays
    # The others say 3,000 of it but for the prior's lean; it still won 1,500.
    assert strays["odd"] == pytest.approx(-0.5, abs=0.05) and abs(strays["0"]) < 0.2
    wild = [Past(str(n), SIGN, 1_000, 8_000 if n % 2 else 1_500) for n in range(8)]
    assert learned(same).swing < PRIOR_SWING < learned(wild).swing


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_quantile_and_chance_say_the_same(share):
    rest = Rest(mean=1_000.0, variance=90_000.0)
    assert rest.chance_of(rest.at(share)) == pytest.approx(1 - share, abs=1e-9)


def test_the_spread_is_that_of_a_gamma_distribution():
    """Against its quantiles of shape 4: 1.7448, 3.6721 and 6.6808 (of mean 4)."""
    rest = Rest(mean=4_000.0, variance=4_000_000.0)
    assert [rest.at(share) / 1_000 for share in (0.1, 0.5, 0.9)] == pytest.approx(
        [1.7448, 3.6721, 6.6808], rel=0.01
    )


amounts = st.lists(st.integers(1, 10**9), max_size=6)
stage_pasts = st.integers(0, 50).flatmap(
    lambda seen: st.builds(
        lambda won, each: StagePast(seen, seen * each, won, won * each),
        st.integers(0, seen),
        st.integers(1, 10**6),
    )
)
pasts = st.lists(
    st.builds(
        lambda stages, then, more: Past("p", stages, then, then + more),
        st.dictionaries(st.sampled_from("abc"), stage_pasts),
        st.integers(0, 10**8),
        st.integers(0, 10**8),
    ),
    max_size=5,
)


@given(pasts, st.dictionaries(st.sampled_from("abcd"), amounts), st.integers(0, 10**9), st.integers(0, 10**9))
def test_of_every_past_and_pipeline(pasts, stages, won, wins):
    lessons = learned(pasts)
    landing = landed(
        won, {stage: held(*some) for stage, some in stages.items()}, past_wins_minor=wins, lessons=lessons
    )
    assert all(0 <= one.rate.share <= 1 for one in landing.stages) and 0 <= lessons.later_share <= 1
    assert landing.mean_minor == won + sum(one.expected_minor for one in landing.stages) + landing.later_minor
    assert won <= landing.p10_minor <= landing.p50_minor <= landing.p90_minor
    assert landing.chance_of(won) == 1
    chances = [landing.chance_of(won + step) for step in (1, 10**3, 10**6, 10**9, 10**12)]
    assert chances == sorted(chances, reverse=True) and all(0 <= chance <= 1 for chance in chances)
    # A deal that is won moves the landing by what wasn't expected of it, to the rounding of a stage.
    for stage, some in stages.items():
        if some:
            less = {name: held(*(some[1:] if name == stage else amounts)) for name, amounts in stages.items()}
            after = landed(won + some[0], less, past_wins_minor=wins, lessons=lessons)
            gained = some[0] * (1 - lessons.rate_of(stage).share)
            assert abs(after.mean_minor - landing.mean_minor - gained) <= 1
