"""Which number does a cell mean? 1,234.50 and 1.234,50 say it themselves; 1.234 has two readings.

No Django here: a text in, a plain decimal text (digits, one point) out.
"""

import re
from dataclasses import dataclass

from otc.money.rules import DECIMALS

POINT, COMMA = ".", ","
MARKS = (POINT, COMMA)
MARK_WORDS = {POINT: "a point before the decimals, as in 1,234.50", COMMA: "a comma, as in 1.234,50"}
SIGNS = {
    "€": ("EUR",),
    "£": ("GBP", "EGP", "GIP", "FKP", "SHP", "SYP", "LBP", "SDG", "SSP"),
    "¥": ("JPY", "CNY"),
    "₹": ("INR",),
    "₽": ("RUB",),
    "₩": ("KRW", "KPW"),
    "₺": ("TRY",),
    "₪": ("ILS",),
    "₫": ("VND",),
    "₴": ("UAH",),
    "zł": ("PLN",),
    "Kč": ("CZK",),
    "kr": ("SEK", "NOK", "DKK", "ISK"),
    "Fr.": ("CHF",),
    "R$": ("BRL",),
    "US$": ("USD",),
    "A$": ("AUD",),
    "C$": ("CAD",),
}
# What “$” stands for, by itself.
_DOLLARS = "USD CAD AUD NZD MXN SGD HKD TWD ARS CLP COP UYU BBD BMD BND BSD BZD FJD GYD JMD KYD LRD NAD SBD SRD TTD XCD"
DOLLARS = tuple(_DOLLARS.split())
LONGEST = 60
_SPACES = " \u00a0\u2007\u2009\u202f"
_GROUP_MARKS = f"{_SPACES}'’_"
_MINUS = "-−–"
_SIGN_WORDS = "|".join(re.escape(sign) for sign in sorted((*SIGNS, "$"), key=len, reverse=True))
_CURRENCY = rf"(?:{_SIGN_WORDS}|[A-Za-z]{{3}})"
_SHAPE = re.compile(
    rf"(?P<open>\()?\s*(?P<before>[{_MINUS}+])?\s*(?P<left>{_CURRENCY})?\s*(?P<middle>[{_MINUS}+])?\s*"
    rf"(?P<digits>\d[\d.,{_GROUP_MARKS}]*\d|\d|[.,]\d+)\s*(?P<after>[{_MINUS}])?\s*(?P<percent>%)?\s*"
    rf"(?P<right>{_CURRENCY})?\s*(?P<after2>[{_MINUS}])?\s*(?P<close>\))?"
)


@dataclass(frozen=True)
class Number:
    """`plain` is like -1234.50; `currencies` are those its sign or code may stand for, empty without one."""

    plain: str
    currencies: tuple[str, ...] = ()
    is_percent: bool = False


def read_number(text: str, mark: str | None) -> Number:
    """The number that a text means with `mark` before its decimals. Raises ValueError.

    Without a mark a text with two readings is refused.

    >>> read_number("(1.234,50 €)", ",")
    Number(plain='-1234.50', currencies=('EUR',), is_percent=False)
    """
    if mark is None:
        found = number_readings(text)
        if len({number.plain for number in found.values()}) != 1:
            raise ValueError(text[:LONGEST])
        return next(iter(found.values()))
    # One space at most in a row: the pattern must not try every way to share many out.
    match = _SHAPE.fullmatch(" ".join(text.split())) if len(text) <= LONGEST else None
    if match is None or bool(match["open"]) != bool(match["close"]):
        raise ValueError(text[:LONGEST])
    signs = [sign for name in ("before", "middle", "after", "after2") if (sign := match[name])]
    if len(signs) > 1 or (match["open"] and signs):
        raise ValueError(text)
    is_negative = bool(match["open"]) or (bool(signs) and signs[0] != "+")
    digits = _plain(match["digits"], mark)
    currencies = _currencies(match["left"], match["right"])
    return Number(f"-{digits}" if is_negative else digits, currencies, bool(match["percent"]))


def number_readings(text: str) -> dict[str, Number]:
    """What a text means with each mark that makes sense of it; equal where it has no separator that matters."""
    found: dict[str, Number] = {}
    for mark in MARKS:
        try:
            found[mark] = read_number(text, mark)
        except ValueError:
            continue
    return found


def _plain(digits: str, mark: str) -> str:
    """Groups of three, all set off by one sign, then the decimals."""
    whole, _, fraction = digits.partition(mark)
    if mark in fraction or any(letter in fraction for letter in f"{_GROUP_MARKS}.,"):
        raise ValueError(digits)
    separators = {letter for letter in whole if not letter.isdecimal()}
    if len(separators) > 1:
        raise ValueError(digits)
    if separators:
        first, *groups = whole.split(separators.pop())
        # India groups by two above the thousands.
        if not groups or not 1 <= len(first) <= 3 or len(groups[-1]) != 3:
            raise ValueError(digits)
        if any(len(group) not in (2, 3) for group in groups[:-1]):
            raise ValueError(digits)
        # 0,123 is a decimal: nobody groups after a zero.
        if first.strip("0") == "":
            raise ValueError(digits)
        whole = "".join((first, *groups))
    if not whole.isascii() or not fraction.isascii():
        raise ValueError(digits)
    return f"{whole or '0'}.{fraction}" if fraction else whole or "0"


def _currencies(left: str | None, right: str | None) -> tuple[str, ...]:
    """The currencies that the signs stand for. Raises ValueError for letters that name none, or for two names."""
    found: tuple[str, ...] = ()
    for sign in (left, right):
        if not sign:
            continue
        if sign == "$":
            codes = DOLLARS
        elif sign in SIGNS:
            codes = SIGNS[sign]
        elif sign.upper() in DECIMALS:
            codes = (sign.upper(),)
        else:
            raise ValueError(sign)
        found = tuple(code for code in codes if code in found) if found else codes
        if not found:
            raise ValueError(sign)
    return found
