"""What an amount is (whole minor units and a currency), how it is read, converted and shared out exactly."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

# ISO 4217. Codes that are not listed under another number of decimals have two.
_DECIMALS_0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_DECIMALS_2 = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF"
    " CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ"
    " GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD"
    " MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON"
    " RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS"
    " UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_DECIMALS_3 = "BHD IQD JOD KWD LYD OMR TND"
_DECIMALS_4 = "CLF UYW"

DECIMALS: dict[str, int] = {
    code: decimals
    for decimals, codes in ((0, _DECIMALS_0), (2, _DECIMALS_2), (3, _DECIMALS_3), (4, _DECIMALS_4))
    for code in codes.split()
}

RATE_DECIMALS, RATE_DIGITS = 10, 20  # of a rate as it is stored
IMPLAUSIBLE_JUMP = (
    10  # a rate so many times the one before, or that part of it, is more likely a slip of the pen
)
LARGEST_MINOR = 2**63 - 1  # what a bigint column holds

_PLAIN = re.compile(r"([+-]?)(\d+)(?:\.(\d+))?", re.ASCII)
_GROUPED = re.compile(r"(?<=\d)[ '’_\u00a0\u2009\u202f](?=\d{3}(?!\d))")


class MoneyError(ValueError):
    """An amount, currency or rate that can't be used; the message may be shown to a person."""


class UnknownCurrency(MoneyError):
    """Not a currency of ISO 4217."""


class NotAnAmount(MoneyError):
    """Text that is no plain decimal number."""


class NotARate(MoneyError):
    """A rate that can't be one: not positive, not a number, too precise or too large to be kept."""


class TooManyDecimals(NotAnAmount):
    """More decimals than the currency has: rounding would invent an amount that nobody wrote."""


def decimals_of(currency: str) -> int:
    """Decimals of a currency's minor unit: JPY 0, USD 2, KWD 3, CLF 4."""
    try:
        return DECIMALS[currency]
    except KeyError:
        raise UnknownCurrency(f"“{currency}” is not a currency code of ISO 4217.") from None


def parse_amount(text: str, *, currency: str) -> int:
    """Minor units of a decimal text, exactly: ("1 250.5", "USD") -> 125050.

    Digits may be grouped by spaces or apostrophes. A comma is refused, since it means thousands in one
    country and decimals in the next. Zeros beyond the currency's decimals are harmless and accepted ("100.00"
    yen).
    """
    decimals = decimals_of(currency)
    match = _PLAIN.fullmatch(_GROUPED.sub("", text.strip()))
    if match is None:
        hint = " Write decimals with a point and leave out commas." if "," in text else ""
        raise NotAnAmount(f"“{text}” is not an amount like 1250.50.{hint}")
    sign, whole, fraction = match[1], match[2], (match[3] or "").rstrip("0")
    if len(fraction) > decimals:
        raise TooManyDecimals(f"“{text}” has more decimals than {currency} ({decimals}).")
    amount_minor = int(whole + fraction.ljust(decimals, "0"))
    if amount_minor > LARGEST_MINOR:
        raise NotAnAmount(f"“{text}” is larger than any amount that can be stored.")
    return -amount_minor if sign == "-" else amount_minor


def decimal_text(amount_minor: int, *, currency: str) -> str:
    """The plain decimal text of an amount, the inverse of parse_amount: (125050, "USD") -> "1250.50"."""
    decimals = decimals_of(currency)
    sign, digits = "-" if amount_minor < 0 else "", str(abs(amount_minor)).rjust(decimals + 1, "0")
    return f"{sign}{digits}" if decimals == 0 else f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def convert(amount_minor: int, *, from_currency: str, to_currency: str, rate: Decimal | Fraction) -> int:
    """Minor units of to_currency; `rate` is units of to_currency per unit of from_currency.

    Exact, then rounded once, half to even: 1.25 KWD at 2.5 to JPY is 3.125, so 3. A currency into itself is
    unchanged, whatever the rate says.
    """
    if from_currency == to_currency:
        decimals_of(to_currency)
        return amount_minor
    if (isinstance(rate, Decimal) and not rate.is_finite()) or rate <= 0:
        raise MoneyError(f"A rate is a positive number; {from_currency} to {to_currency} has {rate}.")
    scale = Fraction(10) ** (decimals_of(to_currency) - decimals_of(from_currency))
    return round(amount_minor * Fraction(rate) * scale)


def parse_rate(text: str) -> Decimal:
    """A rate as it is typed: "1.0825", "0.0000062". Raises NotARate; nothing is rounded."""
    match = _PLAIN.fullmatch(_GROUPED.sub("", text.strip()))
    if match is None:
        hint = " Write decimals with a point and leave out commas." if "," in text else ""
        raise NotARate(f"“{text[:40]}” is not a rate like 1.0825.{hint}")
    return check_rate(Decimal(match[0]))


def check_rate(rate: Decimal) -> Decimal:
    """The rate, if it can be kept exactly. Raises NotARate."""
    if not rate.is_finite() or rate <= 0:
        raise NotARate("A rate is a number above 0.")
    rate = rate.normalize()
    exponent = rate.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > RATE_DECIMALS:
        raise NotARate(f"A rate has at most {RATE_DECIMALS} decimals; {rate:f} has {-exponent}.")
    if rate >= 10 ** (RATE_DIGITS - RATE_DECIMALS):
        raise NotARate(f"{rate:f} is larger than any rate that can be kept.")
    return rate


def implausible_jump(rate: Decimal, *, before: Decimal | None) -> Decimal | None:
    """How many times the rate before it this one is, or is of this one, when that is more than ten; else None.

    A decimal point in the wrong place gives 10 or 100, a rate written the wrong way round its square.
    """
    if before is None:
        return None
    times = max(rate / before, before / rate)
    return times if times > IMPLAUSIBLE_JUMP else None


@dataclass(frozen=True, slots=True)
class CurrencySum:
    """What some deals come to in a currency of their own: all that can be said of them without a rate."""

    currency: str
    count: int
    amount_minor: int


def sum_by_currency(amounts: Iterable[tuple[str, int]]) -> tuple[CurrencySum, ...]:
    """Amounts (currency, minor units) by currency: [("NOK", 5), ("JPY", 1), ("NOK", 2)] -> JPY 1, NOK 7."""
    found: dict[str, list[int]] = {}
    for currency, amount_minor in amounts:
        found.setdefault(currency, []).append(amount_minor)
    return tuple(CurrencySum(code, len(found[code]), sum(found[code])) for code in sorted(found))


def allocate(total_minor: int, *, weights: Sequence[int]) -> tuple[int, ...]:
    """Share a total by whole-number weights so that the shares sum to it: largest remainder, ties to the
    earlier.

    (100, [1, 1, 1]) -> (34, 33, 33). A negative total is shared as its mirror image.
    """
    whole = sum(weights)
    if not weights or whole <= 0 or min(weights) < 0:
        raise MoneyError("Shares need weights that are not negative and not all zero.")
    size = abs(total_minor)
    shares = [size * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(size * weights[i] % whole), i))
    for i in by_remainder[: size - sum(shares)]:
        shares[i] += 1
    return tuple(shares if total_minor >= 0 else (-share for share in shares))
