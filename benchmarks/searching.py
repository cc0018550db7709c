"""Two words in the names of all deals, beside the same asked without an index: as a text within the folded name."""

from typing import Any

from benchmarks.finding import Finding
from benchmarks.house import Bench
from benchmarks.timing import interleaved

# The floor grows with the deals and the search hardly does; much of it is planning.
MOST_RATIO = 0.2


def measure(bench: Bench) -> list[Finding]:
    from django.db import connection
    from django.db.models import Q

    from otc.tenancy.context import use
    from pipeline.opportunities.models import Opportunity
    from pipeline.search.queries import deals_bearing

    def found(condition: Any) -> None:
        cursor.execute(*Opportunity.objects.filter(condition).values("id")[:50].query.sql_with_params())
        assert cursor.fetchall()

    with use(bench.organization_id), connection.cursor() as cursor:
        by_words, by_text = interleaved(
            lambda: found(deals_bearing("deal 9999")),
            lambda: found(Q(name_folded__contains="deal 9999")),
            runs=15,
        )
    return [
        Finding(
            f"deals by words in their names, {bench.deals:,} deals",
            f"{by_words:.2f} ms",
            f"{by_text:.1f} ms",
            by_words / by_text,
            f"at most {MOST_RATIO:g}",
            by_words / by_text <= MOST_RATIO,
        )
    ]
