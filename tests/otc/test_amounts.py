"""Typed amounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otc.ui.amounts import AmountNotUnderstood, parse_amount
from otc.ui.format import money_exact


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1.2m", 120_000_000),
        ("1,2 M", 120_000_000),
        ("386k", 38_600_000),
        ("386,000", 38_600_000),
        ("386.000", 38_600_000),
        ("386'000", 38_600_000),
        ("1 200,50", 120_050),
        ("1.200,50", 120_050),
        ("1,200.50", 120_050),
        ("1,200,000", 120_000_000),
        ("1.234m", 123_400_000),
        ("0.5", 50),
        ("€ 300", 30_000),
        ("300 EUR", 30_000),
        ("0", 0),
    ],
)
def test_an_amount_is_understood(text, minor):
    assert parse_amount(text, currency="EUR") == minor


def test_currencies_have_their_own_minor_units():
    assert parse_amount("386k", currency="JPY") == 386_000
    assert parse_amount("1.2345k", currency="KWD") == 1_234_500


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "No amount was typed. Try 386k, 1.2m or 386,000."),
        ("lots", "“lots” is not an amount. Try 386k, 1.2m or 386,000."),
        ("-5", "An amount can't be below zero. Try 386k, 1.2m or 386,000."),
        ("12,34,567", "The thousands in “12,34,567” are grouped oddly. Try 386k, 1.2m or 386,000."),
        ("0.125", "EUR has 2 decimals. Round it to those."),
        ("99999999b", "“99999999b” is larger than any deal can be. Try 386k, 1.2m or 386,000."),
    ],
)
def test_what_is_not_understood_says_why_and_what_to_type(text, sentence):
    with pytest.raises(AmountNotUnderstood) as refused:
        parse_amount(text, currency="EUR")
    assert str(refused.value) == sentence


def test_adjustments_may_be_negative_with_either_minus():
    assert parse_amount("-40k", currency="EUR", allow_negative=True) == -4_000_000
    assert parse_amount("−40k", currency="EUR", allow_negative=True) == -4_000_000


@given(st.integers(0, 10**12))
def test_what_is_written_is_read_back_to_the_cent(minor):
    assert parse_amount(money_exact(minor, currency="EUR"), currency="EUR") == minor


@given(st.text(max_size=30))
def test_no_text_gives_anything_but_an_amount_or_a_sentence(text):
    try:
        assert parse_amount(text, currency="EUR") >= 0
    except AmountNotUnderstood as refused:
        assert str(refused).endswith(".")
