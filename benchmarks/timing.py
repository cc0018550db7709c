"""How long a call takes: warm, repeated, as percentiles in milliseconds."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Milliseconds of `runs` calls."""

    p50_ms: float
    p95_ms: float
    runs: int


def timed(call: Callable[[], object], *, runs: int = 60, warm: int = 8) -> Timing:
    """Call `warm` times unmeasured, then `runs` times."""
    for _ in range(warm):
        call()
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    return Timing(statistics.median(taken), statistics.quantiles(taken, n=20)[18], runs)
