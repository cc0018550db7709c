"""What is sold on a deal: its lines since an offer was made, which come to its amount at every instant.

Drawn from a stream of its own: it moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from random import Random

from otc.demo import market
from otc.demo.company import DemoCompany, DemoProduct
from otc.demo.deals import DemoDealLine, DemoState
from otc.demo.draw import Weighted, between, stream
from otc.demo.hazards import PROPOSE
from otc.demo.life import round_amount
from otc.demo.rates import base_rate

OFFERS_SALT = 13_000_000_003
OFFERED, FOLLOWS = 0.6, 0.85
MAIN_PERCENT, ADDED_PERCENT, ADDED = (45, 70), (10, 22), 0.5
TERM_MONTHS = Weighted(((12, 40), (24, 20), (36, 35), (60, 5)))
DISCOUNT_BP = Weighted(((0, 40), (500, 20), (1000, 22), (1500, 12), (2000, 6)))
CONCESSION_BP, MOST_DISCOUNT_BP, WHOLE_BP = 250, 3500, 10_000
PERIODS = {"month": 1, "year": 12}
# quantity_milli, list price, discount, price, charge, term: what makes a line another one.
Terms = tuple[str, int, int | None, int | None, int, str, int | None]


class OfferDrawer:
    """Draws the lines of one company's deals."""

    def __init__(self, company: DemoCompany) -> None:
        self.seed, self.corporate = company.seed, company.plan.currency
        self.products = company.products
        self.places = {product.external_id: place for place, product in enumerate(company.products)}
        self.rng = Random()

    def draw(
        self, number: int, *, product: DemoProduct, states: Sequence[DemoState]
    ) -> tuple[tuple[DemoDealLine, ...], bool]:
        """The lines of the deal of that number, and whether its amount is said to follow them."""
        rng = self.rng
        rng.seed(stream(self.seed, salt=OFFERS_SALT + number))
        if rng.random() >= OFFERED:
            return (), False
        place = next(
            (
                place
                for place, state in enumerate(states)
                if state.stage >= PROPOSE and state.amount_minor and state.outcome is None
            ),
            None,
        )
        if place is None:
            return (), False
        follows = rng.random() < FOLLOWS
        offer = Offer(rng, self, product=product, currency=states[place].currency)
        return tuple(offer.live(states[place:])), follows

    def other(self, product: DemoProduct, *, drawn: float) -> DemoProduct | None:
        """One of the other products; None where there is but one."""
        step = 1 + int(drawn * (len(self.products) - 1))
        other = self.products[(self.places[product.external_id] + step) % len(self.products)]
        return None if other is product else other


class Offer:
    """What was agreed on one deal: shares of the amount, a term and a discount, which a fall of the amount deepens."""

    def __init__(self, rng: Random, drawer: OfferDrawer, *, product: DemoProduct, currency: str) -> None:
        self.currency, self.corporate = currency, drawer.corporate
        self.term = TERM_MONTHS.draw(rng)
        self.discount_bp = DISCOUNT_BP.draw(rng)
        added = drawer.other(product, drawn=rng.random()) if rng.random() < ADDED else None
        self.wanted = [(product, between(rng, MAIN_PERCENT))]
        if added is not None:
            self.wanted.append((added, between(rng, ADDED_PERCENT)))

    def live(self, states: Sequence[DemoState]) -> Iterator[DemoDealLine]:
        """The lines from the first state on: each until the amount changed, or for good."""
        begun: dict[int, tuple[datetime, str | None, Terms]] = {}
        amount: int | None = None
        for state in states:
            if state.amount_minor is None or state.amount_minor == amount:
                continue
            if amount is not None and state.amount_minor < amount:
                self.discount_bp = min(self.discount_bp + CONCESSION_BP, MOST_DISCOUNT_BP)
            amount = state.amount_minor
            present = dict(enumerate(self.terms(amount), start=1))
            for position in [*begun]:
                if begun[position][2] != present.get(position):
                    at, by, terms = begun.pop(position)
                    yield DemoDealLine(at, state.at, position, *terms, by, state.actor)
            for position, terms in present.items():
                begun.setdefault(position, (state.at, state.actor, terms))
        for position, (at, by, terms) in begun.items():
            yield DemoDealLine(at, None, position, *terms, by, None)

    def terms(self, amount: int) -> list[Terms]:
        """Lines that come to `amount`: products by their list prices, and what is left as the setup of the first."""
        found: list[Terms] = []
        left = amount
        for place, (product, percent) in enumerate(self.wanted):
            discount = self.discount_bp or None if place == 0 else None
            listed = self.listed(product)
            price = round(Fraction(listed * (WHOLE_BP - (discount or 0)), WHOLE_BP))
            recurs = product.charge in PERIODS
            each = price * (self.term // PERIODS[product.charge] if recurs else 1)
            quantity = amount * percent // 100 // each
            if quantity:
                term = self.term if recurs else None
                charged = (listed, discount, price, product.charge, term)
                found.append((product.external_id, quantity * 1000, *charged))
                left -= quantity * each
        found.append((self.wanted[0][0].external_id, 1000, None, None, left, "once", None))
        return found

    def listed(self, product: DemoProduct) -> int:
        """The list price in the deal's currency, in minor units."""
        if self.currency == self.corporate:
            return product.price * 10 ** market.MINOR_DIGITS[self.currency]
        rate = base_rate(self.corporate, corporate=self.currency)
        return round_amount(product.price * rate, currency=self.currency)
