"""One deal saved, with its version, beside the same statements written by hand without fences and triggers."""

import contextlib
from itertools import count
from typing import Any

from benchmarks.finding import Finding, against
from benchmarks.house import Bench
from benchmarks.timing import interleaved

BY_HAND = """
UPDATE pipeline_opportunityversion SET valid_to = clock_timestamp() WHERE organization_id = %(org)s
  AND opportunity_id = %(deal)s AND valid_to = '9999-01-01 00:00:00+00' AND known_to = '9999-01-01 00:00:00+00';
INSERT INTO pipeline_opportunityversion (organization_id, opportunity_id, valid_from, valid_to, known_from, known_to,
  channel, provenance, name, owner_id, process_id, stage_id, category, category_set_by_person, amount_minor, currency,
  close_date, source, kind, next_step, attributes)
SELECT organization_id, id, clock_timestamp(), '9999-01-01 00:00:00+00', clock_timestamp(), '9999-01-01 00:00:00+00',
  'ui', 'live', name, owner_id, process_id, stage_id, category, category_set_by_person, amount_minor, currency,
  close_date, source, kind, next_step, attributes
FROM pipeline_opportunity WHERE organization_id = %(org)s AND id = %(deal)s
"""
UPDATE = "UPDATE pipeline_opportunity SET amount_minor = %(amount)s WHERE organization_id = %(org)s AND id = %(deal)s"


def measure(bench: Bench) -> list[Finding]:
    numbers = count()
    with contextlib.closing(bench.superuser()) as ours, contextlib.closing(bench.superuser()) as plain:
        deals = _two_deals(ours, bench)

        def save(connection: Any, deal: Any, more: str = "") -> None:
            values = {"org": str(bench.organization_id), "deal": deal, "amount": next(numbers)}
            with connection.cursor() as cursor:
                cursor.execute(f"{UPDATE};{more}" if more else UPDATE, values)
            connection.commit()

        with ours.cursor() as cursor:
            cursor.execute("SET ROLE otc_app; SET otc.channel = 'ui'")
            cursor.execute("SELECT set_config('otc.organization', %s, false)", [str(bench.organization_id)])
        with plain.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
        ours.commit(), plain.commit()
        saved, floor = interleaved(
            lambda: save(ours, deals[0]), lambda: save(plain, deals[1], BY_HAND), runs=200, warm=20
        )
    return [against("one deal saved with its version", measured_ms=saved, floor_ms=floor, most=None)]


def _two_deals(connection: Any, bench: Bench) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM pipeline_opportunity WHERE organization_id = %s AND outcome IS NULL LIMIT 2",
            [str(bench.organization_id)],
        )
        found = [deal for (deal,) in cursor.fetchall()]
    connection.commit()
    return found
