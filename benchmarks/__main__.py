"""`make bench`: measure every target beside its floor and write benchmarks/results.md."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import custom_fields, deals_list
from benchmarks.house import build, servers

DEALS = 100_000
RESULTS = Path(__file__).with_name("results.md")


def main() -> None:
    with servers() as postgres:
        print(f"filling an organization with {DEALS:,} deals")
        bench = build(postgres, deals=DEALS)
        found = deals_list.measure(bench)
        fields = custom_fields.measure(bench)
    lines = [
        "# Measured",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}; `make bench`.",
        "Floors run in the same minute on the same data: hand-written SQL as superuser, without fences.",
        "",
        "| what | target | p50 | p95 | CPU p50 in Python | floor p50 | ratio | queries | met |",
        "|---|---|---|---|---|---|---|---|---|",
        f"| deals list of a rep, {DEALS:,} deals | {deals_list.TARGET_MS:.0f} ms p50, "
        f"{deals_list.TARGET_QUERIES} queries | {found.page.p50_ms:.1f} ms | {found.page.p95_ms:.1f} ms "
        f"| {found.page.cpu_p50_ms:.1f} ms | {found.floor.p50_ms:.2f} ms"
        f" | {found.page.p50_ms / found.floor.p50_ms:.1f} | {found.queries} "
        f"| {'yes' if found.is_met else 'no'} |",
        *custom_fields.lines(fields),
    ]
    RESULTS.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
