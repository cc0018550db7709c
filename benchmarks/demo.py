"""`python -m benchmarks.demo [DEALS]`: how quickly does the demo come in? Writes benchmarks/demo.md.

The floor is a plain INSERT ... SELECT of the same versions into a table of the same columns and keys, without
policies, triggers and references, as superuser in the same minute.
"""

import contextlib
import os
import platform
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

from benchmarks.house import servers

DEALS = 100_000
TODAY = date(2026, 11, 22)
RESULTS = Path(__file__).with_name("demo.md")
TABLES = ("opportunity", "opportunityversion", "activity", "opportunitymilestone", "buyingrole")
FLOOR = """
CREATE TABLE floor_version (LIKE pipeline_opportunityversion INCLUDING INDEXES);
INSERT INTO floor_version SELECT * FROM pipeline_opportunityversion
"""


def measure(postgres: Any, *, deals: int) -> list[str]:
    """Fill an organization and say how long it took, as lines of a report."""
    from django.core.management import call_command

    started, worked = time.perf_counter(), time.process_time()
    call_command("seed_demo", org="big", deals=deals, seed=1, today=TODAY, processes=1)
    seconds, here = time.perf_counter() - started, time.process_time() - worked
    with contextlib.closing(postgres.connect("otc")) as connection, connection.cursor() as cursor:
        counts = {}
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM pipeline_{table}")
            counts[table] = cursor.fetchone()[0]
        begun = time.perf_counter()
        cursor.execute(FLOOR)
        floor = time.perf_counter() - begun
    rows = sum(counts.values())
    versions = counts["opportunityversion"]
    return [
        "# The demo, measured",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python "
        f"{platform.python_version()}; `python -m benchmarks.demo {deals}`.",
        "",
        "| what | figure |",
        "|---|---|",
        f"| deals | {deals:,} |",
        f"| time | {seconds:,.0f} s |",
        f"| versions, and how many a second | {versions:,}; {versions / seconds:,.0f} |",
        f"| rows of deals and what belongs to them, and how many a second | {rows:,}; {rows / seconds:,.0f} |",
        f"| own work of the writing process | {here:,.0f} s |",
        f"| most memory of the writing process | {getrusage(RUSAGE_SELF).ru_maxrss // 1024:,} MB |",
        f"| floor: the versions alone, plain INSERT ... SELECT | {floor:,.0f} s; "
        f"{versions / floor:,.0f} versions a second |",
    ]


def main() -> None:
    deals = int(sys.argv[1]) if len(sys.argv) > 1 else DEALS
    with servers() as postgres:
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", database="owner", verbosity=0)
        lines = measure(postgres, deals=deals)
    RESULTS.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
