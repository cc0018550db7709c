"""The database converts amounts exactly as Python does."""

from decimal import Decimal
from fractions import Fraction
from random import Random

from django.db import connection

from otc.money.rules import DECIMALS, convert


def test_the_database_has_the_same_decimals(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, otc_decimals(code) FROM unnest(%s::text[]) AS code", [list(DECIMALS)])
        assert dict(cursor.fetchall()) == DECIMALS


def test_the_database_rounds_half_to_even_as_python_does(db):
    random, codes = Random(7), sorted(DECIMALS)
    rates = ["0.5", "0.25", "1.5", "2.5", "0.0061", "1.1921", "150.25", "0.0000012345", "99999.9999999999"]
    cases = [
        (
            random.randrange(-(10**9), 10**9) if n % 2 else random.randrange(-99, 99),
            *random.sample(codes, 2),
            rate,
        )
        for n in range(200)
        for rate in rates
    ]
    columns = [list(column) for column in zip(*cases, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT otc_convert(amount, source, target, rate, 1) FROM unnest(%s::bigint[], %s::text[], %s::text[],"
            " %s::numeric[]) WITH ORDINALITY AS c (amount, source, target, rate, place) ORDER BY place",
            columns,
        )
        found = [row[0] for row in cursor.fetchall()]
    assert found == [
        convert(amount, from_currency=source, to_currency=target, rate=Decimal(rate))
        for amount, source, target, rate in cases
    ]


def test_the_database_converts_between_two_currencies_without_rounding_between(db):
    """From one foreign currency to another the quotient of two rates has no end; the exact remainder decides."""
    random, codes = Random(11), sorted(DECIMALS)
    rates = ["0.5", "3", "0.92", "0.0061", "1.1921", "7", "0.0000012345"]
    cases = [
        (random.randrange(-(10**9), 10**9), *random.sample(codes, 2), *random.sample(rates, 2))
        for _ in range(500)
    ]
    cases += [(amount, "USD", "CHF", "1", "2") for amount in range(-7, 8)]  # halves only
    columns = [list(column) for column in zip(*cases, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT otc_convert(amount, source, target, a, b) FROM unnest(%s::bigint[], %s::text[], %s::text[],"
            " %s::numeric[], %s::numeric[]) WITH ORDINALITY AS c (amount, source, target, a, b, place) ORDER BY place",
            columns,
        )
        found = [row[0] for row in cursor.fetchall()]
    assert found == [
        convert(amount, from_currency=source, to_currency=target, rate=Fraction(a) / Fraction(b))
        for amount, source, target, a, b in cases
    ]
