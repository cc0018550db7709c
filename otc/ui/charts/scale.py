"""Where values fall on an axis, and where its ticks stand. Pure arithmetic."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Maps low..high linearly onto start..end; with clamp, values outside stick to the edge."""

    low: float
    high: float
    start: float = 0.0
    end: float = 1.0
    clamp: bool = False

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        if self.clamp:
            share = min(1.0, max(0.0, share))
        return self.start + share * (self.end - self.start)


def nice_step(span: float, *, count: int = 4) -> float:
    """A step of 1, 2, 2.5 or 5 times a power of ten that gives about `count` ticks."""
    if span <= 0:
        return 1.0
    rough = span / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)


def ticks(low: float, high: float, *, count: int = 4) -> list[float]:
    """Round values inside low..high: (0.18, 0.44) -> [0.2, 0.3, 0.4]."""
    step = nice_step(high - low, count=count)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def spread(positions: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Moves labels apart to at least `gap`, in their order, inside low..high where there is room.

    >>> spread([10, 12, 40], gap=15, low=0, high=100)
    [10, 25, 40]
    """
    order = sorted(range(len(positions)), key=positions.__getitem__)
    placed = list(positions)
    floor = low
    for index in order:
        placed[index] = max(placed[index], floor)
        floor = placed[index] + gap
    ceiling = high
    for index in reversed(order):
        placed[index] = max(low, min(placed[index], ceiling)) if floor - gap > high else placed[index]
        ceiling = placed[index] - gap
    return placed


def axis_start(lowest: float, highest: float) -> float:
    """Where an axis may start so that small steps are seen: a round value below the lowest, or 0.

    Shortened only when everything happens in the upper half.
    >>> axis_start(2872, 5527)
    2000.0
    """
    if lowest <= 0 or lowest < highest * 0.5:
        return 0.0
    span = highest - lowest
    step = nice_step(span, count=3)
    start = math.floor(lowest / step) * step
    # The lowest total must stay high enough to bear the break mark.
    return max(0.0, start - step if lowest - start < (highest - start) * 0.2 else start)
