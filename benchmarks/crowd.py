"""Pages of one organization, alone in its database and among a thousand: two databases, asked in turns."""

import contextlib
import statistics
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.deals_list import signed_in, visited
from benchmarks.finding import Finding, against
from benchmarks.house import Bench

MOST_RATIO = 1.1
OTHERS, DEALS_EACH = 999, 100
PAGES = ("deals/", "inspection/", "forecast/")
TURNS, RUNS = 6, 10
CROWDED = "otc_crowded"

FILL = """
SET session_replication_role = replica;
ALTER TABLE pipeline_opportunity DISABLE TRIGGER USER;
CREATE TEMP TABLE other AS SELECT uuidv7() AS org, uuidv7() AS person, uuidv7() AS process, n
  FROM generate_series(1, %(others)s) n;
INSERT INTO otc_organization SELECT (jsonb_populate_record(NULL::otc_organization, to_jsonb(o)
  || jsonb_build_object('id', x.org, 'slug', 'other-' || x.n))).* FROM other x, otc_organization o WHERE o.id = %(org)s;
INSERT INTO otc_person SELECT (jsonb_populate_record(NULL::otc_person, to_jsonb(p)
  || jsonb_build_object('id', x.person, 'organization_id', x.org, 'user_id', NULL))).*
  FROM other x, otc_person p WHERE p.organization_id = %(org)s AND p.id = %(rep)s;
INSERT INTO pipeline_opportunity SELECT (jsonb_populate_record(NULL::pipeline_opportunity, to_jsonb(d)
  || jsonb_build_object('id', uuidv7(), 'organization_id', x.org, 'owner_id', x.person))).*
  FROM other x, (SELECT * FROM pipeline_opportunity WHERE organization_id = %(org)s LIMIT %(deals)s) d;
INSERT INTO pipeline_opportunityversion SELECT (jsonb_populate_record(NULL::pipeline_opportunityversion, to_jsonb(v)
  || jsonb_build_object('id', uuidv7(), 'organization_id', d.organization_id, 'opportunity_id', d.id,
  'owner_id', d.owner_id))).*
  FROM pipeline_opportunity d JOIN other x ON x.org = d.organization_id
  JOIN (SELECT v.*, o.external_id AS key FROM pipeline_opportunityversion v JOIN pipeline_opportunity o
    ON o.organization_id = v.organization_id AND o.id = v.opportunity_id WHERE v.organization_id = %(org)s) v
    ON v.key = d.external_id;
"""


def measure(bench: Bench) -> list[Finding]:
    # Before the copy is made, so that both databases know the session.
    client = signed_in(bench)
    make_crowd(bench)
    found = []
    for page in PAGES:
        address = f"/o/{bench.slug}/{page}"
        times: dict[str, list[float]] = {"otc": [], CROWDED: []}
        for _ in range(TURNS):
            for database, taken in times.items():
                with connected_to(database):
                    for run in range(RUNS + 3):
                        started = time.perf_counter()
                        visited(client, address)
                        if run >= 3:
                            taken.append((time.perf_counter() - started) * 1000)
        found.append(
            against(
                f"{page.rstrip('/')} page among {OTHERS + 1:,} organizations, beside alone",
                measured_ms=statistics.median(times[CROWDED]),
                floor_ms=statistics.median(times["otc"]),
                most=MOST_RATIO,
            )
        )
    return found


def make_crowd(bench: Bench) -> None:
    """A copy of the database with 999 organizations more, a hundred deals each."""
    from django.db import connections

    connections.close_all()
    with contextlib.closing(bench.postgres.connect("postgres")) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {CROWDED} TEMPLATE otc OWNER otc_owner")
    with contextlib.closing(bench.postgres.connect(CROWDED)) as connection:
        connection.autocommit = True
        values = {
            "others": OTHERS,
            "deals": DEALS_EACH,
            "org": str(bench.organization_id),
            "rep": str(bench.rep.id),
        }
        for statement in FILL.split(";\n"):
            if statement.strip():
                connection.cursor().execute(statement, values)
        connection.cursor().execute("VACUUM ANALYZE")


@contextlib.contextmanager
def connected_to(database: str) -> Iterator[None]:
    from django.db import connections

    settings: Any = connections["default"].settings_dict
    connections.close_all()
    before, settings["NAME"] = settings["NAME"], database
    try:
        yield
    finally:
        connections.close_all()
        settings["NAME"] = before
