"""`python -m benchmarks.pages`: every page of an organization with 10,000 deals, as its executive opens it.

`python -m benchmarks.pages 100000` takes another number of deals. No part of `make bench`: it fills a house of its own.
"""

import sys
from typing import Any

from benchmarks.deals_list import visited
from benchmarks.finding import HEAD, Finding
from benchmarks.house import Bench, build, keep_sums, servers
from benchmarks.reports import executive
from benchmarks.timing import timed

DEALS, MOST_MS, RUNS = 10_000, 30.0, 25
PAGES = (
    *(
        "today/",
        "deals/",
        "deals/board/",
        "deals/new/",
        "leads/",
        "accounts/",
        "approvals/",
        "notices/",
        "trash/",
    ),
    *(
        "inspection/",
        "flow/",
        "flow/?mode=path",
        "flow/matrix/",
        "trends/",
        "funnel/",
        "health/",
        "integrity/",
    ),
    *("team/", "team/{person}/", "alerts/", "forecast/", "forecast/?view=single", "forecast/cell/{person}/"),
    *("forecast/calls/", "forecast/history/", "forecast/quotas/", "forecast/locks/", "landing/", "winloss/"),
    *("deals/{deal}/", "deals/{deal}/close/", "deals/{deal}/close-plan/", "glossary/", "settings/"),
)


def measure(bench: Bench) -> list[Finding]:
    """Server time of each whole request, middleware and rendering included, in process."""
    from otc.tenancy.context import use
    from pipeline.opportunities.models import Opportunity

    client = executive(bench)
    with use(bench.organization_id):
        deal = Opportunity.objects.filter(outcome=None).order_by("id").values_list("id", flat=True)[0]
    found = []
    for page in PAGES:
        address = f"/o/{bench.slug}/" + page.format(person=bench.rep.id, deal=deal)
        if client.get(address, HTTP_HOST="localhost").status_code == 403:
            continue  # no page of an executive's
        found.append(finding(bench, page, client, address))
    return found


def finding(bench: Bench, page: str, client: Any, address: str) -> Finding:
    shown = timed(lambda: visited(client, address), runs=RUNS, warm=4)
    return Finding(
        f"{page}, {bench.deals:,} deals",
        f"{shown.p50_ms:.1f} ms p50, {shown.p95_ms:.1f} ms p95 ({shown.cpu_p50_ms:.1f} Python, "
        f"{shown.server_p50_ms:.1f} PostgreSQL)",
        "",
        None,
        f"at most {MOST_MS:.0f} ms",
        shown.p50_ms <= MOST_MS,
    )


def main(words: list[str]) -> None:
    with servers() as postgres:
        bench = build(postgres, deals=int(words[0]) if words else DEALS)
        keep_sums(bench.organization_id)
        print("\n".join(HEAD), flush=True)
        for found in measure(bench):
            print(found.line(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
