"""What could an account buy next? Counted from what similar ones bought; nothing is said without counts. No Django.

Similar accounts are of the same industry. For a product A that this account bought and a product B that it didn't:
of the similar accounts that bought A, how many also bought B? “14 of 20 that bought A also bought B.”
"""

import math
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Fewer buyers of A, or of both, are chance; a smaller share is no reason to call.
LEAST_BUYERS = 8
LEAST_BOTH = 4
LEAST_SHARE = 0.25
MOST_SHOWN = 5
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Candidate[Key: Hashable]:
    """`both` of `buyers` similar accounts that bought `because_of` also bought `product`."""

    product: Key
    because_of: Key
    both: int
    buyers: int

    @property
    def share(self) -> float:
        return self.both / self.buyers

    @property
    def surely(self) -> float:
        """The lower end of Wilson's 95 % interval: what the order goes by."""
        z2, n, share = Z_95**2, self.buyers, self.share
        spread = Z_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
        return (share + z2 / (2 * n) - spread) / (1 + z2 / n)


def candidates[Key: Hashable](
    own: Collection[Key], others: Mapping[Any, Collection[Key]]
) -> list[Candidate[Key]]:
    """The surest claim for each product that this account (`own`) lacks; `others` are similar accounts' products.

    >>> others = {place: {"A", "B"} if place < 14 else {"A"} for place in range(20)}
    >>> candidates({"A"}, others)
    [Candidate(product='B', because_of='A', both=14, buyers=20)]
    """
    bought, buyers, both = set(own), Counter[Key](), Counter[tuple[Key, Key]]()
    for products in others.values():
        theirs = set(products)
        for because_of in theirs & bought:
            buyers[because_of] += 1
            both.update((because_of, product) for product in theirs - bought)
    claims = (
        Candidate(product, because_of, count, buyers[because_of])
        for (because_of, product), count in both.items()
    )
    return best(one for one in claims if is_claim(one))


def is_claim[Key: Hashable](one: Candidate[Key]) -> bool:
    return one.buyers >= LEAST_BUYERS and one.both >= LEAST_BOTH and one.share >= LEAST_SHARE


def best[Key: Hashable](claims: Iterable[Candidate[Key]]) -> list[Candidate[Key]]:
    """One claim per product, the surest, in that order; equal ones by name."""
    ordered = sorted(claims, key=lambda one: (-one.surely, -one.both, str(one.product), str(one.because_of)))
    found: dict[Key, Candidate[Key]] = {}
    for one in ordered:
        found.setdefault(one.product, one)
    return list(found.values())[:MOST_SHOWN]
