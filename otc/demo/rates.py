"""What a unit of a foreign currency was worth, month by month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from random import Random

from otc.demo import market
from otc.demo.draw import stream
from otc.demo.workdays import months_before

RATES_SALT = 1
DECIMALS = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class DemoRate:
    """Corporate units for one unit of `currency` from `valid_from` on."""

    currency: str
    valid_from: date
    known_from: datetime
    rate: Decimal


def base_rate(currency: str, *, corporate: str) -> float:
    """Corporate units for one unit of `currency`, before months move it."""
    return market.EUR_FOR_ONE[currency] / market.EUR_FOR_ONE[corporate]


def build_rates(
    currencies: tuple[str, ...], *, corporate: str, first: date, today: date, seed: int
) -> list[DemoRate]:
    """One rate per currency and month from the month before `first` to today's, a walk pulled to its base."""
    rates = []
    months = market.MONTHS + 2
    for position, currency in enumerate(sorted(currencies)):
        if currency == corporate:
            continue
        rng = Random(stream(seed, salt=RATES_SALT + position * 1000))
        drift = 0.0
        for month in range(months):
            valid_from = months_before(first.replace(day=1), months=1 - month)
            if valid_from > today:
                break
            value = Decimal(base_rate(currency, corporate=corporate) * (1 + drift)).quantize(DECIMALS)
            rates.append(DemoRate(currency, valid_from, datetime.combine(valid_from, time(0), UTC), value))
            drift = drift * (1 - market.RATE_PULL) + rng.gauss(0, market.RATE_SIGMA)
    return rates
