"""The deals list of a rep in an organization of 100,000 deals, beside the raw query as JSON without fences."""

import contextlib
from typing import Any

from benchmarks.finding import Finding
from benchmarks.house import Bench
from benchmarks.timing import timed

TARGET_MS = 25.0
TARGET_QUERIES = 10

FLOOR = """
SELECT json_agg(d) FROM (
  SELECT o.id, o.name, o.amount_minor, o.currency, o.close_date, o.category, o.next_step, s.name AS stage,
    a.name AS account, (SELECT count(*) FROM pipeline_opportunity c WHERE c.organization_id = o.organization_id
      AND c.owner_id = o.owner_id AND c.outcome IS NULL AND c.deleted_at IS NULL) AS matches
  FROM pipeline_opportunity o LEFT JOIN pipeline_stage s ON s.organization_id = o.organization_id AND s.id = o.stage_id
  LEFT JOIN pipeline_account a ON a.organization_id = o.organization_id AND a.id = o.account_id
  WHERE o.organization_id = %s AND o.owner_id = %s AND o.outcome IS NULL AND o.deleted_at IS NULL
  ORDER BY o.close_date, o.id LIMIT 50) d
"""


def measure(bench: Bench) -> list[Finding]:
    """Server time of the whole request, middleware and rendering included, in process; and the floor."""
    client, address = signed_in(bench), f"/o/{bench.slug}/deals/"
    page = timed(lambda: visited(client, address))
    with contextlib.closing(bench.superuser()) as connection, connection.cursor() as cursor:

        def floor() -> object:
            cursor.execute(FLOOR, [str(bench.organization_id), str(bench.rep.id)])
            return cursor.fetchone()

        raw = timed(floor)
    queries = count_queries(client, address)
    return [
        Finding(
            f"deals list of a rep, {bench.deals:,} deals",
            f"{page.p50_ms:.1f} ms p50, {page.p95_ms:.1f} ms p95, {page.cpu_p50_ms:.1f} ms of CPU in Python, "
            f"{queries} queries",
            f"{raw.p50_ms:.2f} ms",
            page.p50_ms / raw.p50_ms,
            f"at most {TARGET_MS:.0f} ms, {TARGET_QUERIES} queries",
            page.p50_ms <= TARGET_MS and queries <= TARGET_QUERIES,
        )
    ]


def signed_in(bench: Bench) -> Any:
    from django.test import Client

    client = Client()
    client.force_login(bench.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def visited(client: Any, address: str) -> object:
    response = client.get(address, HTTP_HOST="localhost")
    assert response.status_code == 200, response.status_code
    return response


def count_queries(client: Any, address: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        visited(client, address)
    return len(captured)
