"""How often deals are won, how sure that is, and how long a win takes: the arithmetic of win/loss."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from forecasting.funnel.closed import Z_95, Closed, wilson, win_rate, win_rate_by_amount

__all__ = ["Z_95", "Closed", "wilson", "win_rate", "win_rate_by_amount"]


@dataclass(frozen=True, slots=True)
class Row:
    """One group. Rates go from 0 to 1, None where nothing was closed; `interval` is 95 %, by count."""

    key: Hashable
    closed: Closed
    win_rate: Fraction | None
    interval: tuple[float, float] | None
    win_rate_by_amount: Fraction | None
    cycle_days: float | None


def median_days(days: Sequence[int]) -> float | None:
    """The middle one, or the mean of the middle two; None of none: (3, 9, 4, 8) -> 6.0."""
    if not days:
        return None
    ordered, half = sorted(days), len(days) // 2
    return float(ordered[half]) if len(days) % 2 else (ordered[half - 1] + ordered[half]) / 2


def row(key: Hashable, *, closed: Closed, cycle_days: float | None) -> Row:
    """A group with its rates. `cycle_days` is the median from creation to won."""
    return Row(
        key,
        closed,
        win_rate(closed),
        wilson(closed.won, count=closed.count),
        win_rate_by_amount(closed),
        cycle_days,
    )


def total(rows: Iterable[Row], *, cycle_days: float | None) -> Row:
    """The row of all groups. A median isn't a sum, so that of all deals is given."""
    return row(None, closed=sum((group.closed for group in rows), Closed()), cycle_days=cycle_days)
