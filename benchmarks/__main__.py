"""`make bench`: measure every target beside its floor and write benchmarks/results.md.

`python -m benchmarks importing fences` measures some of them and prints; only a whole run is written down.
"""

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    api_list,
    board,
    crowd,
    custom_fields,
    deals_list,
    duplicates,
    fences,
    first_load,
    health,
    importing,
    reports,
    saving,
    searching,
    today,
)
from benchmarks.finding import HEAD
from benchmarks.house import build, servers

DEALS = 100_000
RESULTS = Path(__file__).with_name("results.md")
# In this order: the later ones change what is in the database.
BENCHES = (
    deals_list,
    today,
    board,
    api_list,
    searching,
    duplicates,
    first_load,
    reports,
    health,
    fences,
    saving,
    crowd,
    importing,
)


def main(wanted: list[str]) -> None:
    chosen = [bench for bench in BENCHES if not wanted or bench.__name__.rpartition(".")[2] in wanted]
    lines = [
        "# Measured",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}; `make bench`. "
        f"Load when it began: {os.getloadavg()[0]:.1f}.",
        "Floors run in turns with what they are floors of, on the same data: hand-written SQL as superuser, "
        "without fences.",
        "",
        *HEAD,
    ]
    with servers() as postgres:
        print(f"filling an organization with {DEALS:,} deals", flush=True)
        house = build(postgres, deals=DEALS)
        for bench in chosen:
            for finding in bench.measure(house):
                lines.append(finding.line())
                print(lines[-1], flush=True)
        if not wanted or "custom_fields" in wanted:
            lines += custom_fields.lines(custom_fields.measure(house))
    if not wanted:
        RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
