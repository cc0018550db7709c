"""The board of a manager over 4,800 open deals, beside its sums and cards by hand as JSON, without fences."""

import contextlib
from typing import Any

from benchmarks.deals_list import count_queries, visited
from benchmarks.finding import Finding
from benchmarks.house import BEGINNING, Bench
from benchmarks.timing import timed

TARGET_MS = 60.0
REPS = 4

# What the columns and their cards show, without scores and changes; one statement, no policy, no Django.
FLOOR = """
WITH open AS (
  SELECT o.id, o.name, o.amount_minor, o.currency, o.close_date, o.category, o.stage_id, a.name AS account,
    row_number() OVER (PARTITION BY o.stage_id ORDER BY o.close_date, o.id) AS place, r.p_won
  FROM pipeline_opportunity o
  LEFT JOIN pipeline_account a ON a.organization_id = o.organization_id AND a.id = o.account_id
  LEFT JOIN pipeline_risk r ON r.organization_id = o.organization_id AND r.opportunity_id = o.id
  WHERE o.organization_id = %(organization)s AND o.owner_id = ANY(%(owners)s::uuid[]) AND o.outcome IS NULL
    AND o.deleted_at IS NULL)
SELECT (SELECT json_agg(s) FROM (SELECT stage_id, count(*), sum(amount_minor), sum(amount_minor * p_won)
    FROM open GROUP BY stage_id) s),
  (SELECT json_agg(c) FROM (SELECT * FROM open WHERE place <= 20 ORDER BY place) c)
"""


def measure(bench: Bench) -> list[Finding]:
    """Server time of the whole request, middleware and rendering included, in process; and the floor."""
    client, owners = _manager(bench)
    address = f"/o/{bench.slug}/deals/board/"
    page = timed(lambda: visited(client, address), runs=30)
    values = {"organization": str(bench.organization_id), "owners": [str(owner) for owner in owners]}
    with contextlib.closing(bench.superuser()) as connection, connection.cursor() as cursor:

        def floor() -> object:
            cursor.execute(FLOOR, values)
            return cursor.fetchone()

        raw = timed(floor, runs=30)
        cursor.execute(
            "SELECT count(*) FROM pipeline_opportunity WHERE organization_id = %(organization)s "
            "AND owner_id = ANY(%(owners)s::uuid[]) AND outcome IS NULL",
            values,
        )
        cards = cursor.fetchone()[0]
    return [
        Finding(
            f"board of a manager over {cards:,} open deals, {bench.deals:,} deals",
            f"{page.p50_ms:.1f} ms p50, {page.p95_ms:.1f} ms p95, {page.cpu_p50_ms:.1f} ms of CPU in Python, "
            f"{page.server_p50_ms:.1f} ms in PostgreSQL, {count_queries(client, address)} queries",
            f"{raw.p50_ms:.2f} ms",
            page.p50_ms / raw.p50_ms,
            f"at most {TARGET_MS:.0f} ms",
            page.p50_ms <= TARGET_MS,
        )
    ]


def _manager(bench: Bench) -> tuple[Any, list[Any]]:
    """Somebody signed in to whom four of the reps report from now on, and those reps."""
    from django.test import Client

    from otc.identity.models import User
    from otc.tenancy.context import use
    from otc.tenancy.models import Person
    from otc.tenancy.services import line_set, person_create

    user = User.objects.create_user("lead@bench.example", "a password of a bench")
    with use(bench.organization_id, channel="import"):
        boss = Person.objects.get(name="Boss")
        lead = person_create(name="Lead", role="manager", manager=boss, since=BEGINNING, user=user)
        reps = [Person.objects.get(name=f"Rep {number}") for number in range(1, 1 + REPS)]
        for rep in reps:
            line_set(rep, manager_id=lead.id, since=lead.created_at)
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client, [lead.id, *(rep.id for rep in reps)]
