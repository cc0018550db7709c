"""What do a deal's lines come to? Whole minor units in, whole minor units out; no Django.

Rounding: a price is rounded once, where a discount makes it, and a line's sum once, where quantity and term are
applied; both half to even. Every total is the sum of those whole numbers, so that totals and lines never differ.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from pipeline.opportunities.rules import Refused

ONCE, MONTH, YEAR = "once", "month", "year"
CHARGES = (ONCE, MONTH, YEAR)
MONTHS_A_YEAR = 12
MOST_LINES = 100
LONGEST_TERM = 600
WHOLE_BP = 10_000
# Room for the sum of a hundred lines in a bigint.
LARGEST_MINOR = 10**15
LARGEST_QUANTITY_MILLI = 10**12


@dataclass(frozen=True)
class Terms:
    """Of one line: how much, at which price a unit, how often. `price_minor` is what is paid, whatever made it."""

    quantity_milli: int
    price_minor: int
    charge: str = ONCE
    term_months: int | None = None
    list_price_minor: int | None = None
    discount_bp: int | None = None


@dataclass(frozen=True)
class Sums:
    """One-off and recurring over the term sum to the total contract value; `annual_minor` is a full year's recurring
    part, however long the term.
    """

    one_off_minor: int = 0
    recurring_minor: int = 0
    annual_minor: int = 0

    @property
    def total_minor(self) -> int:
        return self.one_off_minor + self.recurring_minor

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.one_off_minor + other.one_off_minor,
            self.recurring_minor + other.recurring_minor,
            self.annual_minor + other.annual_minor,
        )


def discounted_minor(list_price_minor: int, *, discount_bp: int) -> int:
    """The price after a discount, half to even: 999 less 12.5 % are 874.125, so 874."""
    return round(Fraction(list_price_minor * (WHOLE_BP - discount_bp), WHOLE_BP))


def discount_share(terms: Terms) -> Fraction | None:
    """How much below the list price is paid, as a share of it: 1/10 for 10 %; None without one, or above it."""
    if not terms.list_price_minor or terms.price_minor >= terms.list_price_minor:
        return None
    if terms.discount_bp is not None:
        return Fraction(terms.discount_bp, WHOLE_BP)
    return 1 - Fraction(terms.price_minor, terms.list_price_minor)


def line_sums(terms: Terms) -> Sums:
    """What one line comes to. 2.5 units at 10.00 a month for 6 months: 150.00 recurring, 300.00 a year."""
    paid = Fraction(terms.price_minor * terms.quantity_milli, 1000)
    if terms.charge == ONCE:
        return Sums(one_off_minor=round(paid))
    a_year = paid * MONTHS_A_YEAR if terms.charge == MONTH else paid
    recurring = a_year * (terms.term_months or 0) / MONTHS_A_YEAR
    return Sums(recurring_minor=round(recurring), annual_minor=round(a_year))


def lines_sums(lines: Iterable[Terms]) -> Sums:
    """What all lines come to: the sum of each line's whole numbers."""
    return sum((line_sums(line) for line in lines), Sums())


def line_terms(
    *,
    quantity_milli: int,
    charge: str,
    term_months: int | None,
    list_price_minor: int | None,
    discount_bp: int | None,
    price_minor: int | None,
) -> Terms:
    """The line as it may stand; raises Refused, naming the field. No price given: the list's less the discount."""
    if not 0 < quantity_milli <= LARGEST_QUANTITY_MILLI:
        raise Refused("quantity", "Say how many: more than none, with at most three decimals")
    if charge not in CHARGES:
        raise Refused("charge", "Choose once, month or year")
    if charge == ONCE and term_months is not None:
        raise Refused("term_months", "What is paid once has no term; choose a month or a year instead")
    if charge != ONCE and not 1 <= (term_months or 0) <= LONGEST_TERM:
        raise Refused("term_months", f"Say for how many months, from 1 to {LONGEST_TERM}")
    _check_price("list_price", list_price_minor)
    _check_price("price", price_minor)
    if price_minor is None:
        price_minor = _listed(list_price_minor, discount_bp or 0)
    elif discount_bp is not None:
        raise Refused("discount", "Give either a discount or a price, not both")
    terms = Terms(quantity_milli, price_minor, charge, term_months, list_price_minor, discount_bp)
    if max(line_sums(terms).total_minor, line_sums(terms).annual_minor) > LARGEST_MINOR:
        raise Refused("quantity", "This line is larger than any deal can be; look at quantity and price")
    return terms


def _listed(list_price_minor: int | None, discount_bp: int) -> int:
    if list_price_minor is None:
        raise Refused("price", "This product has no list price here; say what a unit costs")
    if not 0 <= discount_bp <= WHOLE_BP:
        raise Refused("discount", "A discount is from 0 to 100 %")
    return discounted_minor(list_price_minor, discount_bp=discount_bp)


def _check_price(field: str, minor: int | None) -> None:
    if minor is not None and not 0 <= minor <= LARGEST_MINOR:
        raise Refused(field, "A price is not below zero, and not larger than any deal can be")
