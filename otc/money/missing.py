"""Which amounts want a rate? The rooms that hold amounts say so here, since the ground doesn't know them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class MissingRate:
    """Open and closed deals of a currency that no rate covers: how many, their sum, and the first and last day.

    A deal without a close date has none; it wants any rate at all.
    """

    currency: str
    count: int
    amount_minor: int
    first_day: date | None
    last_day: date | None


Finder = Callable[[], list[MissingRate]]
_finders: list[Finder] = []
_users: list[Callable[[], dict[str, int]]] = []


def tell_missing_rates(finder: Finder) -> None:
    """Let a room above tell which of its amounts have no rate, in the organization in context."""
    _finders.append(finder)


def tell_currencies(counts: Callable[[], dict[str, int]]) -> None:
    """Let a room above tell how many of its amounts are in which currency."""
    _users.append(counts)


def missing_rates() -> list[MissingRate]:
    """By currency."""
    return sorted((missing for find in _finders for missing in find()), key=lambda missing: missing.currency)


def currencies_in_use() -> dict[str, int]:
    """How many amounts there are by currency."""
    total: dict[str, int] = {}
    for counts in _users:
        for currency, count in counts().items():
            total[currency] = total.get(currency, 0) + count
    return total
