"""Filter and sort by custom fields among 100,000 deals: the typed table under row-level security, beside attributes."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.deals_list import signed_in, visited
from benchmarks.house import Bench
from benchmarks.timing import Timing, timed

# Three deals in four have a region, one of eight; every one has seats.
FILL = """
SET session_replication_role = replica;
UPDATE pipeline_opportunity SET attributes = jsonb_build_object('seats', hashtext(external_id) %% 5000)
  || CASE WHEN hashtext(external_id) %% 4 = 0 THEN '{}' ELSE
  jsonb_build_object('region', 'r' || 1 + abs(hashtext(name)) %% 8) END;
SET session_replication_role = origin
""".replace("%%", "%")
FLOOR = """
SELECT count(*), sum(o.amount_minor) FROM pipeline_opportunity o
WHERE o.organization_id = %s AND o.outcome IS NULL AND o.deleted_at IS NULL AND o.attributes ->> 'region' = 'r3'
"""
TYPED = """
SELECT count(*), sum(o.amount_minor) FROM pipeline_opportunity o
WHERE o.organization_id = %(org)s AND o.outcome IS NULL AND o.deleted_at IS NULL AND EXISTS (
  SELECT FROM pipeline_opportunityfieldvalue v WHERE v.organization_id = %(org)s AND v.field_id = %(field)s
    AND v.opportunity_id = o.id AND v.text = 'r3')
"""
ONE = """
SELECT v.opportunity_id FROM pipeline_opportunityfieldvalue v WHERE v.organization_id = %(org)s
  AND v.field_id = %(field)s AND v.number >= 4990000000 AND v.number <= 4991000000
"""
UNTYPED_ONE = """
SELECT o.id FROM pipeline_opportunity o WHERE o.organization_id = %(org)s
  AND (o.attributes ->> 'seats')::numeric BETWEEN 4990 AND 4991
"""


@dataclass(frozen=True)
class Result:
    """Whole requests of a rep and, in SQL as the application's role, the typed table beside jsonb."""

    pages: dict[str, Timing]
    queries: dict[str, Timing]


def measure(bench: Bench) -> Result:
    from otc.fields.rules import Option
    from otc.fields.services import field_create
    from otc.tenancy.context import use
    from pipeline.fields.conversion import rebuild

    with use(bench.organization_id):
        options = [Option(f"r{number}", f"Region {number}") for number in range(1, 9)]
        region = field_create(object="deal", label="Region", kind="choice", options=options)
        seats = field_create(object="deal", label="Seats", kind="number")
    with contextlib.closing(bench.superuser()) as connection:
        connection.autocommit = True
        connection.cursor().execute(FILL)
    with use(bench.organization_id):
        rebuild(region.id)
        rebuild(seats.id)
    with contextlib.closing(bench.superuser()) as connection:
        connection.autocommit = True
        connection.cursor().execute("VACUUM ANALYZE")
    client, address = signed_in(bench), f"/o/{bench.slug}/deals/"
    asked = {
        "plain": "",
        "by region": "?field.region=r3",
        "sorted by seats": "?sort=-field.seats",
        "three columns": "?columns=amount,close,field.region,field.seats",
    }
    pages = {
        name: timed(lambda query=query: visited(client, address + query)) for name, query in asked.items()
    }
    with use(bench.organization_id):
        queries = {
            "count of a region, typed": timed(sql(TYPED, bench, region.id)),
            "count of a region, jsonb": timed(sql(FLOOR, bench)),
            "a narrow range, typed": timed(sql(ONE, bench, seats.id)),
            "a narrow range, jsonb": timed(sql(UNTYPED_ONE, bench, seats.id)),
        }
    return Result(pages, queries)


def sql(statement: str, bench: Bench, field_id: Any = None) -> Callable[[], object]:
    from django.db import connection

    organization = str(bench.organization_id)
    parameters: Any = {"org": organization, "field": str(field_id)} if field_id else [organization]

    def run() -> object:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    return run


def lines(found: Result) -> list[str]:
    """The tables of the results."""
    rows = [(name, "request of a rep", timing) for name, timing in found.pages.items()]
    rows += [(name, "SQL as the application", timing) for name, timing in found.queries.items()]
    head = ["", "## Custom fields", "", "| what | where | p50 | p95 |", "|---|---|---|---|"]
    return head + [
        f"| {name} | {where} | {one.p50_ms:.1f} ms | {one.p95_ms:.1f} ms |" for name, where, one in rows
    ]


def main() -> None:
    """Alone: `python -m benchmarks.custom_fields`."""
    from benchmarks.house import build, servers

    with servers() as postgres:
        print("\n".join(lines(measure(build(postgres, deals=100_000)))))


if __name__ == "__main__":
    main()
