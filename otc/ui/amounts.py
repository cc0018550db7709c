"""What amount did somebody mean by "1.2m", "386k" or "1 200,50"? Pure; exact in minor units."""

import re
from decimal import Decimal

from otc.ui.format import currency_decimals

MULTIPLIERS = {"": 1, "k": 1_000, "m": 1_000_000, "mn": 1_000_000, "mio": 1_000_000, "b": 1_000_000_000}
EXAMPLES = "Try 386k, 1.2m or 386,000."
# Largest amount a bigint of minor units holds with room for sums over many deals.
LARGEST_MINOR = 10**15

_SHAPE = re.compile(r"(?P<sign>[+\-−]?)(?P<digits>[\d.,'’]*\d[\d.,'’]*)(?P<unit>k|mn|mio|m|b|)")


class AmountNotUnderstood(ValueError):
    """The text names no amount. str(error) is one sentence with the cause and the remedy."""


def parse_amount(text: str, *, currency: str, allow_negative: bool = False) -> int:
    """Minor units of what was typed, in `currency`.

    A single separator followed by three digits groups thousands ("386,000"), unless a unit follows
    ("1.234m"); otherwise the last separator is the decimal one. Raises AmountNotUnderstood.
    >>> parse_amount("1 200,50", currency="EUR")
    120050
    """
    typed = text.strip()
    compact = re.sub(r"[\s\u00a0\u202f]", "", typed.lower()).removesuffix(currency.lower()).strip("€$£")
    if not compact:
        raise AmountNotUnderstood(f"No amount was typed. {EXAMPLES}")
    match = _SHAPE.fullmatch(compact)
    if not match:
        raise AmountNotUnderstood(f"“{typed[:40]}” is not an amount. {EXAMPLES}")
    number = _number(match["digits"], has_unit=bool(match["unit"]), typed=typed)
    minor = (number * MULTIPLIERS[match["unit"]]).scaleb(currency_decimals(currency))
    if minor != minor.to_integral_value():
        raise AmountNotUnderstood(_too_fine(currency))
    if abs(minor) > LARGEST_MINOR:
        raise AmountNotUnderstood(f"“{typed[:40]}” is larger than any deal can be. {EXAMPLES}")
    if match["sign"] in "-−" and match["sign"] and minor:
        if not allow_negative:
            raise AmountNotUnderstood(f"An amount can't be below zero. {EXAMPLES}")
        minor = -minor
    return int(minor)


def _number(digits: str, *, has_unit: bool, typed: str) -> Decimal:
    plain = digits.replace("'", "").replace("’", "")
    separators = [char for char in plain if char in ".,"]
    if not separators:
        return Decimal(plain)
    kinds = set(separators)
    last = separators[-1]
    whole, _, fraction = plain.rpartition(last)
    if len(kinds) == 2:
        grouping = "," if last == "." else "."
        if separators.count(last) > 1:
            raise AmountNotUnderstood(f"“{typed[:40]}” mixes commas and points. {EXAMPLES}")
        _check_groups(whole, separator=grouping, typed=typed)
        return Decimal(f"{whole.replace(grouping, '')}.{fraction or '0'}")
    if len(separators) > 1 or (len(fraction) == 3 and not has_unit and whole not in ("", "0")):
        _check_groups(plain, separator=last, typed=typed)
        return Decimal(plain.replace(last, ""))
    return Decimal(f"{whole or '0'}.{fraction or '0'}")


def _check_groups(text: str, *, separator: str, typed: str) -> None:
    first, *rest = text.split(separator)
    if not 1 <= len(first) <= 3 or any(len(group) != 3 for group in rest):
        raise AmountNotUnderstood(f"The thousands in “{typed[:40]}” are grouped oddly. {EXAMPLES}")


def _too_fine(currency: str) -> str:
    decimals = currency_decimals(currency)
    if decimals == 0:
        return f"{currency} has no decimals. Round it to a whole amount."
    return f"{currency} has {decimals} decimals. Round it to those."
