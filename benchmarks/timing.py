"""How long a call takes: warm, repeated, as percentiles in milliseconds."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Milliseconds of `runs` calls. `cpu_p50_ms` is this process's own work: a busy machine hardly stretches it."""

    p50_ms: float
    p95_ms: float
    cpu_p50_ms: float
    runs: int


def timed(call: Callable[[], object], *, runs: int = 60, warm: int = 8) -> Timing:
    """Call `warm` times unmeasured, then `runs` times."""
    for _ in range(warm):
        call()
    taken, worked = [], []
    for _ in range(runs):
        started, idle = time.perf_counter(), time.process_time()
        call()
        taken.append((time.perf_counter() - started) * 1000)
        worked.append((time.process_time() - idle) * 1000)
    return Timing(
        statistics.median(taken), statistics.quantiles(taken, n=20)[18], statistics.median(worked), runs
    )
