"""How often closed deals are won, and how sure that is: one arithmetic for funnel and win/loss."""

import math
from dataclasses import dataclass
from fractions import Fraction

# Two-sided 95 %: the 0.975 quantile of the standard normal distribution.
Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Closed:
    """Deals closed in a window: counts, and amounts in corporate minor units. No decision isn't lost.

    `won_unpriced` of the won ones have an amount that no rate turns into that currency: it is in no sum.
    """

    won: int = 0
    lost: int = 0
    no_decision: int = 0
    won_minor: int = 0
    lost_minor: int = 0
    no_decision_minor: int = 0
    won_unpriced: int = 0

    def __add__(self, other: "Closed") -> "Closed":
        return Closed(
            self.won + other.won,
            self.lost + other.lost,
            self.no_decision + other.no_decision,
            self.won_minor + other.won_minor,
            self.lost_minor + other.lost_minor,
            self.no_decision_minor + other.no_decision_minor,
            self.won_unpriced + other.won_unpriced,
        )

    @property
    def count(self) -> int:
        return self.won + self.lost + self.no_decision

    @property
    def mean_won_minor(self) -> Fraction | None:
        """What a won deal comes to on the average, of those that a rate converts."""
        priced = self.won - self.won_unpriced
        return Fraction(self.won_minor, priced) if priced else None

    @property
    def amount_minor(self) -> int:
        return self.won_minor + self.lost_minor + self.no_decision_minor


def win_rate(closed: Closed) -> Fraction | None:
    """won / (won + lost + no decision), by count."""
    return Fraction(closed.won, closed.count) if closed.count else None


def win_rate_by_amount(closed: Closed) -> Fraction | None:
    """The same by amount; None where the amounts sum to nothing that could be shared."""
    parts = (closed.won_minor, closed.lost_minor, closed.no_decision_minor)
    if min(parts) < 0 or closed.amount_minor == 0:
        return None
    return Fraction(closed.won_minor, closed.amount_minor)


def wilson(successes: int, *, count: int, z: float = Z_95) -> tuple[float, float] | None:
    """Wilson's score interval of a share; None without observations: 8 of 10 -> (0.490, 0.943).

    Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference.
    """
    if not 0 <= successes <= count:
        raise ValueError(f"{successes} successes of {count} observations is impossible.")
    if count == 0:
        return None
    share, z2 = successes / count, z * z
    middle = share + z2 / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    whole = 1 + z2 / count
    low = 0.0 if successes == 0 else (middle - spread) / whole
    high = 1.0 if successes == count else (middle + spread) / whole
    return low, high
