"""Amounts are whole, conversions are exact and rounded once, shares sum to their total."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otc.money.rules import (
    DECIMALS,
    LARGEST_MINOR,
    MoneyError,
    NotAnAmount,
    TooManyDecimals,
    UnknownCurrency,
    allocate,
    convert,
    decimal_text,
    decimals_of,
    parse_amount,
)

CURRENCIES = st.sampled_from(sorted(DECIMALS))
AMOUNTS = st.integers(-LARGEST_MINOR, LARGEST_MINOR)
RATES = st.decimals("0.000001", "100000", places=10).filter(lambda rate: rate > 0)


@pytest.mark.parametrize(
    ("currency", "decimals"), [("JPY", 0), ("USD", 2), ("EUR", 2), ("KWD", 3), ("CLF", 4)]
)
def test_a_currency_has_the_decimals_of_iso_4217(currency, decimals):
    assert decimals_of(currency) == decimals


@pytest.mark.parametrize("currency", ["usd", "", "US", "ABC", "DOLLAR"])
def test_an_unknown_currency_is_refused_by_name(currency):
    with pytest.raises(UnknownCurrency, match=f"“{currency}”"):
        decimals_of(currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1250.5", "USD", 125050),
        (" 1250 ", "USD", 125000),
        ("-0.01", "EUR", -1),
        ("+3", "EUR", 300),
        ("100.00", "JPY", 100),
        ("1.2345", "CLF", 12345),
        ("1.500", "KWD", 1500),
        ("1 250 000.50", "USD", 125000050),
        ("1'250'000", "CHF", 125000000),
        ("0", "USD", 0),
    ],
)
def test_a_decimal_text_becomes_minor_units(text, currency, minor):
    assert parse_amount(text, currency=currency) == minor


@pytest.mark.parametrize(("text", "currency"), [("1.005", "USD"), ("0.5", "JPY"), ("1.2345", "KWD")])
def test_more_decimals_than_the_currency_has_are_refused(text, currency):
    with pytest.raises(TooManyDecimals, match=currency):
        parse_amount(text, currency=currency)


@pytest.mark.parametrize(
    "text",
    ["", "abc", "1,250", "1.2.3", "1e5", "NaN", "Infinity", "--1", ".5", "5.", "١٢", "12 34", "$5", "0x10"],
)
def test_what_is_no_plain_number_is_refused(text):
    with pytest.raises(NotAnAmount):
        parse_amount(text, currency="USD")


def test_an_amount_that_no_column_holds_is_refused():
    with pytest.raises(NotAnAmount, match="larger"):
        parse_amount(str(LARGEST_MINOR + 1), currency="JPY")


@given(amount=AMOUNTS, currency=CURRENCIES)
def test_an_amount_survives_its_own_text(amount, currency):
    assert parse_amount(decimal_text(amount, currency=currency), currency=currency) == amount


@pytest.mark.parametrize(
    ("amount", "source", "target", "rate", "expected"),
    [
        (10000, "EUR", "USD", "1.10", 11000),
        (100, "JPY", "USD", "0.0067", 67),
        (1250, "KWD", "JPY", "2.4", 3),
        (1000, "USD", "JPY", "150.25", 1502),
        (5, "EUR", "USD", "0.5", 2),
        (15, "EUR", "USD", "0.5", 8),
        (-5, "EUR", "USD", "0.5", -2),
        (123, "USD", "USD", "7", 123),
    ],
)
def test_a_conversion_rounds_half_to_even(amount, source, target, rate, expected):
    assert convert(amount, from_currency=source, to_currency=target, rate=Decimal(rate)) == expected


@given(amount=AMOUNTS, source=CURRENCIES, target=CURRENCIES, rate=RATES)
def test_a_conversion_is_never_off_by_more_than_half_a_unit(amount, source, target, rate):
    exact = amount * Fraction(rate) * Fraction(10) ** (DECIMALS[target] - DECIMALS[source])
    converted = convert(amount, from_currency=source, to_currency=target, rate=rate)
    assert converted == amount if source == target else abs(converted - exact) <= Fraction(1, 2)


@given(amount=AMOUNTS, rate=RATES)
def test_a_conversion_mirrors_a_negative_amount(amount, rate):
    there = {"from_currency": "EUR", "to_currency": "USD", "rate": rate}
    assert convert(-amount, **there) == -convert(amount, **there)


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity"])
def test_a_rate_that_is_no_positive_number_is_refused(rate):
    with pytest.raises(MoneyError, match="EUR to USD"):
        convert(1, from_currency="EUR", to_currency="USD", rate=Decimal(rate))


def test_the_largest_remainder_gets_the_odd_cent():
    assert allocate(100, weights=[1, 1, 1]) == (34, 33, 33)
    assert allocate(10, weights=[1, 2, 4]) == (1, 3, 6)
    assert allocate(-100, weights=[1, 1, 1]) == (-34, -33, -33)


@given(total=AMOUNTS, weights=st.lists(st.integers(0, 10_000), min_size=1, max_size=8).filter(any))
def test_shares_sum_to_the_total_and_stay_within_one_unit(total, weights):
    shares = allocate(total, weights=weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - Fraction(total * weight, sum(weights))) < 1
        assert share == 0 or weight > 0


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [2, -1]])
def test_weights_that_share_nothing_are_refused(weights):
    with pytest.raises(MoneyError):
        allocate(100, weights=weights)
