"""One cell edited in the list, the whole request, beside its writes by hand: `python -m benchmarks.editing` does it in
an organization of 1,000,000 deals, which takes half an hour to fill and is therefore no part of `make bench`.
"""

import contextlib
import os
import sys
from itertools import count, cycle
from typing import Any

from benchmarks.deals_list import signed_in
from benchmarks.finding import HEAD, Finding
from benchmarks.house import Bench, build, servers
from benchmarks.saving import BY_HAND, UPDATE
from benchmarks.timing import timed

TARGET_MS = 20.0
MILLION = 1_000_000
# The version and the job as the page's edit writes them; the record of who did it is the version.
JOB = """
INSERT INTO otc_job (organization_id, kind, key, subject, state, generation, attempts, due_at, done_count, error,
  created_at) VALUES (%(org)s, 'bench', 'bench ' || %(amount)s, %(deal)s, 'done', 1, 0, now(), 0, '', now())
"""


def measure(bench: Bench) -> list[Finding]:
    """Server time of POST `value`, in process, each time another amount on the next of 40 deals; and the floor."""
    client, amounts = signed_in(bench), count(50_000)
    with contextlib.closing(bench.superuser()) as connection, connection.cursor() as cursor:
        deals = _deals_of(cursor, bench)
        connection.commit()
        turns = cycle(deals[:-1])

        def edit() -> None:
            response = client.post(
                f"/o/{bench.slug}/deals/{next(turns)}/edit/amount/",
                {"value": str(next(amounts))},
                HTTP_HOST="localhost",
                headers={"HX-Request": "true"},
            )
            assert response.status_code == 200 and b"toast" in response.content, response.status_code

        page = timed(edit, runs=200, warm=20)
        cursor.execute("SET session_replication_role = replica")
        connection.commit()

        def by_hand() -> None:
            values = {"org": str(bench.organization_id), "deal": deals[-1], "amount": next(amounts)}
            cursor.execute(f"{UPDATE};{BY_HAND};{JOB}", values)
            connection.commit()

        floor = timed(by_hand, runs=200, warm=20)
    return [
        Finding(
            f"a cell edited in the list among {bench.deals:,} deals, load {os.getloadavg()[0]:.1f}",
            f"{page.p50_ms:.1f} ms p50, {page.p95_ms:.1f} ms p95, {page.cpu_p50_ms:.1f} ms of CPU in Python, "
            f"{page.server_p50_ms:.1f} ms in PostgreSQL",
            f"{floor.p50_ms:.2f} ms",
            page.p50_ms / floor.p50_ms,
            f"at most {TARGET_MS:.0f} ms",
            page.p50_ms <= TARGET_MS,
        )
    ]


def _deals_of(cursor: Any, bench: Bench) -> list[Any]:
    cursor.execute(
        "SELECT id FROM pipeline_opportunity WHERE organization_id = %s AND owner_id = %s AND outcome IS NULL "
        "ORDER BY id LIMIT 41",
        [str(bench.organization_id), str(bench.rep.id)],
    )
    return [deal for (deal,) in cursor.fetchall()]


def main(deals: int) -> None:
    """Fill, measure, print."""
    with servers() as postgres:
        print(f"filling an organization with {deals:,} deals", flush=True)
        house = build(postgres, deals=deals)
        for line in (*HEAD, *(finding.line() for finding in measure(house))):
            print(line, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION)
