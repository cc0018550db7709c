"""Words in what deals are found by, beside the same asked without an index: as a text within the folded name."""

from typing import Any

from benchmarks.finding import Finding
from benchmarks.house import Bench
from benchmarks.timing import interleaved

# The floor grows with the deals and the search hardly does; much of it is planning.
MOST_RATIO = 0.3
MOST_MS = 50.0
# What is found by which words; an owner has one deal in fifty.
# What every deal bears costs what it finds; it is there to compare with.
COMMON = "words of every note"
WAYS = {
    "names": "deal 9999",
    "accounts": "account 77",
    "contacts": "contact 4242",
    "owners": "rep 7",
    "next steps": "step 2222",
    "notes": "note 3131",
    COMMON: "wa no",
}

# An account to ten deals with three contacts, a next step of four words and a note to each deal.
SURROUNDINGS = """
INSERT INTO pipeline_account (organization_id, name, name_folded, industry, country, attributes, created_at)
SELECT %(org)s, 'Account ' || n, 'account ' || n, '', '', '{{}}', now() FROM generate_series(1, {accounts}) AS n;
INSERT INTO pipeline_contact (organization_id, account_id, name, name_folded, title, email, phone, attributes,
  created_at)
SELECT %(org)s, a.id, 'Contact ' || n, 'contact ' || n, '', '', '', '{{}}', now()
FROM generate_series(1, {contacts}) AS n JOIN pipeline_account a ON a.name = 'Account ' || (1 + n %% {accounts});
UPDATE pipeline_opportunity o SET account_id = a.id, next_step = 'Agree on step ' || substr(o.name, 6)
FROM pipeline_account a WHERE a.name = 'Account ' || (1 + substr(o.name, 6)::int %% {accounts});
INSERT INTO pipeline_activity (organization_id, opportunity_id, at, kind, direction, subject, created_at)
SELECT %(org)s, o.id, now(), 'note', '', 'They want a note ' || substr(o.name, 6), now() FROM pipeline_opportunity o;
"""


def measure(bench: Bench) -> list[Finding]:
    from django.db import connection
    from django.db.models import Q

    from otc.tenancy.context import use
    from pipeline.opportunities.models import Opportunity
    from pipeline.search.queries import deals_bearing

    surround(bench)

    def found(condition: Any) -> None:
        cursor.execute(*Opportunity.objects.filter(condition).values("id")[:50].query.sql_with_params())
        assert cursor.fetchall(), condition

    findings = []
    with use(bench.organization_id), connection.cursor() as cursor:
        for what, words in WAYS.items():
            by_words, by_text = interleaved(
                lambda words=words: found(deals_bearing(words)),  # type: ignore[misc]  # bound as it is now
                lambda: found(Q(name_folded__contains="deal 9999")),
                runs=15,
            )
            most = MOST_RATIO if what == "names" else None
            is_met = by_words <= MOST_MS and (most is None or by_words / by_text <= most)
            findings.append(
                Finding(
                    f"deals by words: {what}, {bench.deals:,} deals",
                    f"{by_words:.2f} ms",
                    f"{by_text:.1f} ms",
                    by_words / by_text,
                    "" if what == COMMON else f"at most {MOST_MS:.0f} ms" + (f", {most:g}" if most else ""),
                    None if what == COMMON else is_met,
                )
            )
    return findings


def surround(bench: Bench) -> None:
    """What stands around deals, as the application's role writes it, and the planner's statistics of it."""
    from django.db import connection

    from otc.tenancy.context import use

    sizes = {"accounts": bench.deals // 10, "contacts": bench.deals * 3 // 10}
    with use(bench.organization_id, channel="import"), connection.cursor() as cursor:
        cursor.execute(SURROUNDINGS.format(**sizes), {"org": str(bench.organization_id)})
    with bench.superuser() as superuser, superuser.cursor() as cursor:
        cursor.execute("ANALYZE")
