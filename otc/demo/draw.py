"""Draws from weighted tables, quick enough for millions."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random


class Weighted[T]:
    """A table of (value, weight); `draw` takes one uniform number from `rng`."""

    __slots__ = ("_bounds", "_last", "_total", "values")

    def __init__(self, pairs: Sequence[tuple[T, float]]) -> None:
        self.values = [value for value, _ in pairs]
        self._bounds = list(accumulate(weight for _, weight in pairs))
        self._total = self._bounds[-1]
        self._last = len(self.values) - 1

    def draw(self, rng: Random) -> T:
        return self.values[bisect(self._bounds, rng.random() * self._total, 0, self._last)]

    def index_at(self, share: float) -> int:
        """The position of the value that covers `share` (0..1) of the total weight."""
        return bisect(self._bounds, share * self._total, 0, self._last)


def between(rng: Random, bounds: tuple[int, int]) -> int:
    """A whole number from `bounds`, both ends included, at a fraction of randint's cost."""
    low, high = bounds
    return low + int(rng.random() * (high - low + 1))


def stream(seed: int, *, salt: int) -> int:
    """A seed of its own for each `salt`, so that adding one draw somewhere moves nothing elsewhere."""
    return (seed * 0x9E3779B97F4A7C15 + salt * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
