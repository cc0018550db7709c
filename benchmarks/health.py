"""The daily run of health over every open deal, by two workers at once, beside the least that SQL has to read."""

import contextlib
import os
import resource
import subprocess
import sys
import time
from typing import Any

from benchmarks.finding import Finding
from benchmarks.house import Bench

LEAST_A_SECOND = 15_000
MOST_MB = 1000
# Each open deal gets what a deal in work has: activities, a push, and another amount.
ACTIVITIES = """
INSERT INTO pipeline_activity (organization_id, opportunity_id, at, kind, direction, subject, created_at)
SELECT o.organization_id, o.id, now() - n * interval '9 days', 'call', 'out', '', now()
FROM pipeline_opportunity o, generate_series(1, 3) AS n WHERE o.outcome IS NULL
"""
EDITS = (
    "UPDATE pipeline_opportunity SET close_date = close_date + 5 WHERE outcome IS NULL",
    "UPDATE pipeline_opportunity SET amount_minor = amount_minor + 100 WHERE outcome IS NULL",
)
# What no daily run can do without: every open deal with its versions and activities, aggregated, once.
FLOOR = """
SELECT count(*), sum(v.steps), sum(a.calls) FROM pipeline_opportunity o
LEFT JOIN (SELECT opportunity_id, count(*) AS steps, max(amount_minor) FROM pipeline_opportunityversion
  WHERE organization_id = %(org)s GROUP BY 1) v ON v.opportunity_id = o.id
LEFT JOIN (SELECT opportunity_id, count(*) AS calls, max(at) FROM pipeline_activity
  WHERE organization_id = %(org)s GROUP BY 1) a ON a.opportunity_id = o.id
WHERE o.organization_id = %(org)s AND o.outcome IS NULL
"""
RUN = "import sys; from benchmarks.health import work; work(sys.argv[1], sys.argv[2])"


def measure(bench: Bench) -> list[Finding]:
    fill(bench)
    found = []
    with contextlib.closing(bench.superuser()) as connection, connection.cursor() as cursor:
        for name in ("first run", "daily run"):
            started = time.perf_counter()
            cursor.execute(FLOOR, {"org": str(bench.organization_id)})
            count = cursor.fetchone()[0]
            floor_seconds = time.perf_counter() - started
            seconds, most_mb = both_halves(bench)
            a_second = count / seconds
            found.append(
                Finding(
                    f"health, {name} over {count:,} open deals by two workers",
                    f"{a_second:,.0f} deals/s, {most_mb:.0f} MB a worker",
                    f"{count / floor_seconds:,.0f} deals/s",
                    seconds / floor_seconds,
                    f"daily at least {LEAST_A_SECOND:,} deals/s, {MOST_MB} MB",
                    None if name == "first run" else a_second >= LEAST_A_SECOND and most_mb <= MOST_MB,
                )
            )
    return found


def fill(bench: Bench) -> None:
    """Through the ordinary tables and their triggers, as the application's role."""
    from django.db import connection as ordinary

    from otc.tenancy.context import use

    for statement in (ACTIVITIES, *EDITS):
        with use(bench.organization_id, channel="task"), ordinary.cursor() as cursor:
            cursor.execute(statement)
    with contextlib.closing(bench.superuser()) as connection:
        connection.autocommit = True
        connection.cursor().execute("VACUUM ANALYZE")


def both_halves(bench: Bench) -> tuple[float, float]:
    """Seconds of the run, and what the larger worker held, in MB. The workers start before the clock does."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", RUN, str(bench.organization_id), half],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        for half in ("first", "second")
    ]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
    started = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    answers = [worker.communicate()[0].split() for worker in workers]
    return time.perf_counter() - started, max(float(answer[-1]) for answer in answers)


def work(organization: str, half: str) -> None:
    """One worker: the batches of its half, as the job does them, without the job's own row."""
    import django

    django.setup()
    from uuid import UUID

    from django.utils import timezone

    from otc.tenancy.context import use
    from pipeline.health.queries import open_deal_count, open_deal_id_at, open_deal_ids
    from pipeline.health.services import BATCH, refresh, surroundings

    def step() -> Any:
        return use(UUID(organization), channel="task")

    with step():
        around = surroundings(timezone.now())
        middle = open_deal_id_at(open_deal_count() // 2)
    assert middle is not None
    after = None if half == "first" else str(UUID(int=UUID(middle).int - 1))
    print("ready", flush=True)
    sys.stdin.readline()
    while True:
        with step():
            ids = open_deal_ids(after=after, until=middle if half == "first" else None, limit=BATCH)
            if not ids:
                break
            refresh(ids, around, only_moved=True)
        after = ids[-1]
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
