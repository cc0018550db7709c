"""Today of a rep in an organization of 100,000 deals, beside its queue by hand as JSON, without fences."""

import contextlib

from benchmarks.deals_list import count_queries, signed_in, visited
from benchmarks.finding import Finding
from benchmarks.house import Bench
from benchmarks.timing import timed

TARGET_MS = 50.0
TARGET_QUERIES = 12

# The same deals in the same order with what a row and the head show; one statement, no policy, no Django.
FLOOR = """
SELECT json_agg(d) FROM (
  SELECT o.id, o.name, o.amount_minor, o.currency, o.close_date, o.category, o.next_step, s.name AS stage,
    a.name AS account, h.failed, r.p_slip, r.p_won * o.amount_minor * CASE WHEN o.close_date < current_date THEN 100
      WHEN o.close_date <= current_date + 30 AND r.p_slip >= 0.5 THEN 80 WHEN o.next_step_on IS NULL THEN 60 END
      AS worth, count(*) OVER () AS count, sum(o.amount_minor) OVER () AS total
  FROM pipeline_opportunity o
  LEFT JOIN pipeline_health h ON h.organization_id = o.organization_id AND h.opportunity_id = o.id
  LEFT JOIN pipeline_risk r ON r.organization_id = o.organization_id AND r.opportunity_id = o.id
  LEFT JOIN pipeline_stage s ON s.organization_id = o.organization_id AND s.id = o.stage_id
  LEFT JOIN pipeline_account a ON a.organization_id = o.organization_id AND a.id = o.account_id
  WHERE o.organization_id = %s AND o.owner_id = %s AND o.outcome IS NULL AND o.deleted_at IS NULL
    AND (o.close_date < current_date OR o.next_step = '' OR o.next_step_on IS NULL OR o.next_step_on <= current_date
      OR jsonb_array_length(h.failed) > 0)
  ORDER BY worth DESC, o.close_date, o.id LIMIT 25) d
"""


def measure(bench: Bench) -> list[Finding]:
    """Server time of the whole request, middleware and rendering included, in process; and the floor."""
    client, address = signed_in(bench), f"/o/{bench.slug}/today/"
    page = timed(lambda: visited(client, address))
    with contextlib.closing(bench.superuser()) as connection, connection.cursor() as cursor:

        def floor() -> object:
            cursor.execute(FLOOR, [str(bench.organization_id), str(bench.rep.id)])
            return cursor.fetchone()

        raw = timed(floor)
    # BEGIN and COMMIT ask nothing.
    queries = count_queries(client, address) - 2
    return [
        Finding(
            f"Today of a rep with 1,200 open deals, {bench.deals:,} deals",
            f"{page.p50_ms:.1f} ms p50, {page.p95_ms:.1f} ms p95, {page.cpu_p50_ms:.1f} ms of CPU in Python, "
            f"{queries} queries",
            f"{raw.p50_ms:.2f} ms",
            page.p50_ms / raw.p50_ms,
            f"at most {TARGET_MS:.0f} ms, {TARGET_QUERIES} queries",
            page.p50_ms <= TARGET_MS and queries <= TARGET_QUERIES,
        )
    ]
