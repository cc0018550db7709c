"""A page of 100 deals over the API, beside the raw query as JSON without fences."""

import contextlib
from typing import Any

from benchmarks.finding import Finding, against
from benchmarks.house import Bench
from benchmarks.timing import interleaved

MOST_RATIO = 3.0
NAMES = {
    "account": "pipeline_account",
    "owner": "otc_person",
    "stage": "pipeline_stage",
    "reason": "pipeline_closereason",
    "competitor": "pipeline_competitor",
    "product": "pipeline_product",
}
JOINS = " ".join(
    f"LEFT JOIN {table} {name} ON {name}.organization_id = o.organization_id AND {name}.id = o.{name}_id"
    for name, table in NAMES.items()
)
FLOOR = f"""
SELECT json_agg(d) FROM (SELECT o.id, o.external_id, o.created_at, o.name, o.account_id, o.owner_id, o.process_id,
  o.stage_id, {", ".join(f"{name}.name AS {name}_name" for name in NAMES)}, o.category, o.category_set_by_person,
  o.amount_minor, o.currency, o.close_date, o.outcome, o.closed_at, o.reason_id, o.competitor_id, o.product_id,
  o.source, o.kind, o.next_step, o.next_step_on, o.attributes
  FROM pipeline_opportunity o {JOINS}
  WHERE o.organization_id = %s AND o.deleted_at IS NULL ORDER BY o.id LIMIT 101) d
"""


def measure(bench: Bench) -> list[Finding]:
    """Server time of the whole request, in process, of somebody who sees everything."""
    client = caller(bench)

    def ask() -> None:
        response = client.get("/api/v1/opportunities?limit=100", HTTP_HOST="localhost")
        assert response.status_code == 200, response.content

    with contextlib.closing(bench.superuser()) as connection, connection.cursor() as cursor:

        def floor() -> None:
            cursor.execute(FLOOR, [str(bench.organization_id)])
            cursor.fetchone()

        asked, raw = interleaved(ask, floor)
    return [against("API list of 100 deals", measured_ms=asked, floor_ms=raw, most=MOST_RATIO)]


def caller(bench: Bench) -> Any:
    """A client with a token of the organization's bridge."""
    from django.test import Client

    from otc.tenancy.context import use
    from otc.tenancy.services import person_create
    from tests.api_client import bearer, secret_of

    with use(bench.organization_id):
        bridge = person_create(name="Bridge", role="integration")
    return Client(headers=bearer(secret_of(bridge)))
