"""How numbers, days and changes are written, in one place. Pure: text in, text out, no framework."""

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

NBSP = "\u00a0"
MINUS = "\u2212"
NOT_APPLICABLE = "–"
IRREGULAR = {"person": "people"}

# ISO 4217 minor units; every currency not named here has two decimals.
NO_DECIMALS = frozenset(
    (
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"),
        *("VUV", "XAF", "XOF", "XPF"),
    )
)
THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NEAR_DAYS = 8

ARROWS = {"up": "delta-up", "down": "delta-down", "later": "delta-right", "earlier": "delta-left"}


@dataclass(frozen=True)
class Delta:
    """A change ready to be drawn: arrow direction, text with its sign, tone, words for screen readers."""

    direction: str
    text: str
    tone: str
    words: str

    @property
    def icon(self) -> str:
        """Name of the arrow in the icon sprite."""
        return ARROWS[self.direction]


def currency_decimals(currency: str) -> int:
    """Decimals of a currency: EUR 2, JPY 0, KWD 3."""
    code = currency.upper()
    return 0 if code in NO_DECIMALS else 3 if code in THREE_DECIMALS else 2


def units(minor: int, *, currency: str) -> Decimal:
    """Minor units to units: (38600050, EUR) -> Decimal('386000.50')."""
    return Decimal(minor).scaleb(-currency_decimals(currency))


def _rounded(value: Decimal | Fraction | int | float | str, *, decimals: int) -> Decimal:
    step = Decimal(1).scaleb(-decimals)
    return _exact(value).quantize(step, rounding=ROUND_HALF_UP)


def _exact(value: Decimal | Fraction | int | float | str) -> Decimal:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / value.denominator
    return Decimal(str(value))


def signed(value: Decimal | Fraction | int | float, *, decimals: int = 0, plus: bool = False) -> str:
    """Grouped by thousands, with U+2212 for minus: -1234.5 -> '−1,235'."""
    rounded = _rounded(value, decimals=decimals)
    text = f"{abs(rounded):,.{decimals}f}"
    if rounded < 0:
        return MINUS + text
    return f"+{text}" if plus and rounded > 0 else text


def thousands(value: int | float | Decimal | None) -> str:
    """1214 -> '1,214'; None -> '–'."""
    return NOT_APPLICABLE if value is None else signed(value)


def money_full(minor: int | None, *, currency: str, plus: bool = False) -> str:
    """Whole units for rows and totals: 38600000 EUR -> '386,000'."""
    if minor is None:
        return NOT_APPLICABLE
    return signed(units(minor, currency=currency), plus=plus)


def money_exact(minor: int | None, *, currency: str) -> str:
    """To the last minor unit with its code, for titles: '386,000.00 EUR'."""
    if minor is None:
        return NOT_APPLICABLE
    amount = signed(units(minor, currency=currency), decimals=currency_decimals(currency))
    return f"{amount}{NBSP}{currency}"


def money_short(minor: int | None, *, currency: str, plus: bool = False) -> str:
    """For sentences and metrics: '3.08 M', '119 k', '950'. Two decimals for M and B, none for k."""
    if minor is None:
        return NOT_APPLICABLE
    value = units(minor, currency=currency)
    size = abs(value)
    # 999,500 rounds to 1,000 k, so it is already said in M; the same one step up.
    if size >= Decimal("999995000"):
        return f"{signed(value / 1_000_000_000, decimals=2, plus=plus)}{NBSP}B"
    if size >= Decimal("999500"):
        return f"{signed(value / 1_000_000, decimals=2, plus=plus)}{NBSP}M"
    if size >= Decimal("999.5"):
        return f"{signed(value / 1000, plus=plus)}{NBSP}k"
    return signed(value, plus=plus)


def money_k(minor: int | None, *, currency: str, plus: bool = False) -> str:
    """Thousands without a unit, for grids that name it in the head: 7004000 EUR -> '7,004'."""
    if minor is None:
        return NOT_APPLICABLE
    return signed(units(minor, currency=currency) / 1000, plus=plus)


def money_axis(high: float, *, currency: str) -> tuple[float, str]:
    """How an axis up to so many minor units is written: minor units per step of its unit, and the format of a tick
    in it: (10**8, '{:g} M') for 30 million EUR.
    """
    unit = 10.0 ** currency_decimals(currency)
    for size, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if high >= unit * size:
            return unit * size, f"{{:g}}{NBSP}{name}"
    return unit, "{:g}"


def percent(share: float | Decimal | Fraction | None, *, decimals: int = 0) -> str:
    """A share of 0..1 as '38 %'."""
    if share is None:
        return NOT_APPLICABLE
    return f"{signed(_exact(share) * 100, decimals=decimals)}{NBSP}%"


def basis_points(share_bp: int) -> str:
    """A share in basis points as percent, with the decimals that it needs.

    >>> basis_points(850), basis_points(10_000)
    ('8.5\\xa0%', '100\\xa0%')
    """
    decimals = 0 if share_bp % 100 == 0 else 1 if share_bp % 10 == 0 else 2
    return percent(Fraction(share_bp, 10_000), decimals=decimals)


def times(ratio: float | Decimal | Fraction | None, *, decimals: int = 2) -> str:
    """A ratio as '1.72 ×'."""
    return NOT_APPLICABLE if ratio is None else f"{signed(ratio, decimals=decimals)}{NBSP}×"


def age(days: int | None) -> str:
    """Days as '12 d'."""
    return NOT_APPLICABLE if days is None else f"{signed(days)}{NBSP}d"


def day(value: dt.date | None, *, today: dt.date) -> str:
    """'18 Dec', with the year when it is not this one: '1 Jan 2027'."""
    if value is None:
        return NOT_APPLICABLE
    text = f"{value.day}{NBSP}{MONTHS[value.month - 1]}"
    return text if value.year == today.year else f"{text}{NBSP}{value.year}"


def day_near(value: dt.date | None, *, today: dt.date) -> str:
    """Like day, with the weekday within eight days: 'Fri 20 Nov'."""
    if value is None:
        return NOT_APPLICABLE
    text = day(value, today=today)
    return f"{weekday(value)}{NBSP}{text}" if abs((value - today).days) <= NEAR_DAYS else text


def day_with_weekday(value: dt.date, *, today: dt.date) -> str:
    """'Fri 1 Jan 2027', however far away."""
    return f"{weekday(value)} {day(value, today=today)}"


def weekday(value: dt.date) -> str:
    """'Fri'."""
    return WEEKDAYS[value.weekday()]


def moment(value: dt.datetime | None, *, today: dt.date) -> str:
    """A time of day with its day, in the zone the value bears: 'Thu 19 Nov 09:42'."""
    if value is None:
        return NOT_APPLICABLE
    return f"{day_with_weekday(value.date(), today=today)} {value:%H:%M}"


def initials(name: str | None) -> str:
    """First letters of the first and the last word: 'Ana Maria Ruiz' -> 'AR'."""
    words = [word for word in (name or "").split() if word[0].isalnum()]
    if not words:
        return ""
    letters = words[0][0] if len(words) == 1 else words[0][0] + words[-1][0]
    return letters.upper()


def plural(count: int, noun: str, *, plural_noun: str | None = None) -> str:
    """'1 deal', '9 deals', '2 activities'."""
    if count == 1:
        return f"1 {noun}"
    if plural_noun is None:
        plural_noun = IRREGULAR.get(noun)
    if plural_noun is None:
        ends_in_y = noun.endswith("y") and noun[-2:-1] not in "aeiou"
        plural_noun = f"{noun[:-1]}ies" if ends_in_y else f"{noun}s"
    return f"{signed(count)} {plural_noun}"


def tone(change: float | Decimal, *, good: str) -> str:
    """Whether a change is 'good', 'bad' or 'neutral' when `good` ('up', 'down' or 'none') is wished for."""
    if change == 0 or good == "none":
        return "neutral"
    return "good" if (change > 0) == (good == "up") else "bad"


def delta(change: float | Decimal | None, *, text: str, good: str = "up", what: str = "") -> Delta | None:
    """A change of a quantity; None when nothing changed. `text` already bears its sign."""
    if not change:
        return None
    direction = "up" if change > 0 else "down"
    words = f"{direction} {what}".strip()
    return Delta(direction=direction, text=text, tone=tone(change, good=good), words=words)


def delta_days(days: int | None, *, good: str = "earlier") -> Delta | None:
    """A moved date: +14 -> '→ +14 d' (bad when earlier is good), −12 -> '← −12 d'."""
    if not days:
        return None
    direction = "later" if days > 0 else "earlier"
    feeling = "neutral" if good == "none" else ("good" if direction == good else "bad")
    return Delta(direction=direction, text=f"{signed(days, plus=True)}{NBSP}d", tone=feeling, words=direction)


def delta_points(share: float | Decimal | None, *, good: str = "up") -> Delta | None:
    """A difference of two shares in percentage points: 0.03 -> '↑ +3 points'."""
    if share is None:
        return None
    points = _rounded(Decimal(str(share)) * 100, decimals=0)
    noun = "point" if abs(points) == 1 else "points"
    return delta(points, text=f"{signed(points, plus=True)}{NBSP}{noun}", good=good)
