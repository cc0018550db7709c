"""The pages that sum an organization of 100,000 deals, each beside the least that SQL has to read for it."""

import contextlib
from datetime import UTC, datetime
from typing import Any

from benchmarks.deals_list import visited
from benchmarks.finding import Finding, against
from benchmarks.house import Bench
from benchmarks.timing import interleaved

MOST_RATIO = 1.5
PERIOD = "2026-Q4"
QUARTER = "close_date >= date '2026-10-01' AND close_date < date '2027-01-01'"
AS_OF = (
    "SELECT opportunity_id, owner_id, category, outcome, stage_id, close_date, amount_minor "
    "FROM pipeline_opportunityversion WHERE organization_id = %(org)s AND valid_from <= {at} AND valid_to > {at} "
    "AND known_from <= {at} AND known_to > {at} AND deleted_at IS NULL"
)
THEN, NOW = "timestamptz '2026-10-01 00:00:00+00'", "clock_timestamp()"
# Both ends of every deal that was or is in the quarter, compared: a waterfall can't read less.
BOTH_ENDS = f"""
SELECT a.outcome IS DISTINCT FROM b.outcome, count(*), sum(b.amount_minor - a.amount_minor)
FROM ({AS_OF.format(at=THEN)}) a FULL JOIN ({AS_OF.format(at=NOW)}) b USING (opportunity_id)
WHERE a.{QUARTER.replace("AND close", "AND a.close")} OR b.{QUARTER.replace("AND close", "AND b.close")} GROUP BY 1
"""
BY_PERSON = f"""
SELECT owner_id, category, sum(amount_minor), count(*) FROM pipeline_opportunity
WHERE organization_id = %(org)s AND deleted_at IS NULL AND {QUARTER} GROUP BY 1, 2
"""
# Every version of those deals since the first day, beside the one before it: a path can't read less.
ALL_BETWEEN = f"""
SELECT changed, count(*), sum(amount_minor - coalesce(was, 0)) FROM (
  SELECT outcome IS DISTINCT FROM lag(outcome) OVER deals AS changed, amount_minor, lag(amount_minor) OVER deals AS was
  FROM pipeline_opportunityversion v WHERE organization_id = %(org)s
    AND opportunity_id IN (SELECT opportunity_id FROM pipeline_opportunityversion
      WHERE organization_id = %(org)s AND {QUARTER} AND valid_to > {THEN} AND known_to > {THEN}
        AND deleted_at IS NULL AND (outcome IS NULL OR outcome = 'won'))
    AND valid_to > {THEN} AND known_to > {THEN}
  WINDOW deals AS (PARTITION BY opportunity_id ORDER BY valid_from)) AS step GROUP BY 1
"""
FLOORS = {
    "inspection": BOTH_ENDS,
    "flow": BOTH_ENDS,
    "flow/matrix": BOTH_ENDS,
    "forecast": BY_PERSON,
}
# What the reports alone take, without page and sign-in: the sums of everyone in both modes.
SUMS = {"endpoint": BOTH_ENDS, "path": ALL_BETWEEN}


def measure(bench: Bench) -> list[Finding]:
    client = executive(bench)
    found = []
    with contextlib.closing(bench.superuser()) as connection, connection.cursor() as cursor:
        for page, sql in FLOORS.items():
            address = f"/o/{bench.slug}/{page}/?scope=everyone&period={PERIOD}"

            def floor(sql: str = sql) -> None:
                cursor.execute(sql, {"org": str(bench.organization_id)})
                cursor.fetchall()

            shown, raw = interleaved(lambda address=address: visited(client, address), floor, runs=9, warm=2)
            found.append(
                against(
                    f"{page} page of everyone, {bench.deals:,} deals",
                    measured_ms=shown,
                    floor_ms=raw,
                    most=MOST_RATIO,
                )
            )
        for mode, sql in SUMS.items():
            found.append(sums_against(bench, cursor, mode=mode, sql=sql))
    return found


def sums_against(bench: Bench, cursor: Any, *, mode: str, sql: str) -> Finding:
    """The waterfall's one statement in a mode, beside its floor."""
    from django.db import transaction
    from django.utils import timezone

    from forecasting.waterfall.report import waterfall_report
    from otc.calendar.rules import parse_period
    from otc.tenancy.context import use
    from otc.tenancy.models import Organization, Person

    def shown() -> None:
        with use(bench.organization_id), transaction.atomic():
            now = timezone.now()
            waterfall_report(
                Organization.objects.get(id=bench.organization_id),
                viewer=Person.objects.get(role="executive"),
                period=parse_period(PERIOD),
                since=datetime(2026, 10, 1, tzinfo=UTC),
                as_of=now,
                now=now,
                mode=mode,
            )

    def floor() -> None:
        cursor.execute(sql, {"org": str(bench.organization_id)})
        cursor.fetchall()

    measured, raw = interleaved(shown, floor, runs=9, warm=2)
    return against(
        f"waterfall of everyone, {mode} mode, {bench.deals:,} deals",
        measured_ms=measured,
        floor_ms=raw,
        most=MOST_RATIO,
    )


def executive(bench: Bench) -> Any:
    """A browser-like client of somebody who sees everything."""
    from django.test import Client

    from otc.identity.models import User
    from otc.tenancy.context import use
    from otc.tenancy.services import person_create

    user, is_new = User.objects.get_or_create(email="executive@bench.example")
    if is_new:
        with use(bench.organization_id):
            person_create(name="Executive", role="executive", user=user)
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client
