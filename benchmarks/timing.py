"""How long a call takes: warm, repeated, as percentiles in milliseconds."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from otc.collector import settle


@dataclass(frozen=True)
class Timing:
    """Milliseconds of `runs` calls. `cpu_p50_ms` is this process's own work, `server_p50_ms` that of PostgreSQL for it:
    a busy machine hardly stretches them.
    """

    p50_ms: float
    p95_ms: float
    cpu_p50_ms: float
    server_p50_ms: float
    runs: int


def timed(call: Callable[[], object], *, runs: int = 60, warm: int = 8) -> Timing:
    """Call `warm` times unmeasured, then `runs` times. What stands by then is frozen, as the server's workers do."""
    for _ in range(warm):
        call()
    settle()
    server = _server_process()
    taken, worked, served = [], [], []
    for _ in range(runs):
        started, idle, asleep = time.perf_counter(), time.process_time(), _worked_ms(server)
        call()
        taken.append((time.perf_counter() - started) * 1000)
        worked.append((time.process_time() - idle) * 1000)
        served.append(_worked_ms(server) - asleep)
    return Timing(
        statistics.median(taken),
        statistics.quantiles(taken, n=20)[18],
        statistics.median(worked),
        statistics.median(served),
        runs,
    )


def _server_process() -> int:
    """The PostgreSQL process behind Django's connection."""
    from django.db import connection

    connection.ensure_connection()
    process_id: int = connection.connection.get_backend_pid()
    return process_id


def _worked_ms(process_id: int) -> float:
    """What a process has worked so far, by the kernel's own clock."""
    return int(Path(f"/proc/{process_id}/schedstat").read_text().split()[0]) / 1e6


def interleaved(*calls: Callable[[], object], runs: int = 40, warm: int = 5) -> list[float]:
    """Median milliseconds of each call, taken in turns, so that a busy minute weighs on all of them alike."""
    for _ in range(warm):
        for call in calls:
            call()
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(runs):
        for call, times in zip(calls, taken, strict=True):
            started = time.perf_counter()
            call()
            times.append((time.perf_counter() - started) * 1000)
    return [statistics.median(times) for times in taken]


def cpu_seconds(process_id: int) -> float:
    """What a process has worked so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
