"""The bytes that a browser with an empty cache fetches to show the deals page, as served."""

from benchmarks.deals_list import signed_in
from benchmarks.finding import Finding
from benchmarks.house import Bench

MOST_BYTES = 150 * 1024


def measure(bench: Bench) -> list[Finding]:
    from tests.guards.first_load import first_load, served

    client = signed_in(bench)
    weights = first_load(client, f"/o/{bench.slug}/deals/", weigh=served(client))
    whole = sum(weights.values())
    fonts = sum(size for address, size in weights.items() if address.endswith(".woff2"))
    return [
        Finding(
            f"first load of the deals page, {len(weights)} files, {fonts / 1024:.0f} KB of them the font",
            f"{whole / 1024:.0f} KB",
            "",
            None,
            f"at most {MOST_BYTES // 1024} KB",
            whole <= MOST_BYTES,
        )
    ]
