"""Which of many account names look like one, beside the names a letter apart found by hand-written SQL."""

import random
import resource
from uuid import UUID

from benchmarks.finding import Finding
from benchmarks.house import Bench
from benchmarks.timing import interleaved

NAMES = 10_000
MOST_RATIO = 4.0
SYLLABLES = ("ba", "kel", "mor", "ti", "ven", "ron", "lus", "ga", "ster", "pol", "ni", "dra")

# Every way to leave a letter out of each name, and which names share one.
A_LETTER_APART = """
WITH keys AS MATERIALIZED (
  SELECT DISTINCT n.place, left(n.name, at) || substr(n.name, at + 2) AS key
  FROM unnest(%s::text[]) WITH ORDINALITY AS n(name, place), generate_series(0, length(n.name)) AS at)
SELECT count(*) FROM (SELECT DISTINCT a.place, b.place AS other FROM keys a JOIN keys b USING (key)
  WHERE a.place < b.place) AS pairs
"""


def measure(bench: Bench) -> list[Finding]:
    from pipeline.duplicates.candidates import candidate_pairs
    from pipeline.duplicates.rules import AccountSketch, account_likeness
    from pipeline.duplicates.sketches import Comparison

    names = company_names()
    sketches = [AccountSketch(name) for name in names]
    others: list[tuple[str, ...]] = [()] * len(names)
    comparison = Comparison(
        [UUID(int=place) for place in range(len(names))],
        sketches,
        lambda beat: candidate_pairs(names, others, beat=beat),
        account_likeness,
    )

    def compared() -> None:
        assert comparison.alike(lambda: None)

    def joined() -> None:
        cursor.execute(A_LETTER_APART, [[name.casefold() for name in names]])
        assert cursor.fetchone()[0]

    with bench.superuser() as superuser, superuser.cursor() as cursor:
        ours, floor = interleaved(compared, joined, runs=3, warm=1)
    ratio, held = ours / floor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return [
        Finding(
            f"accounts that look like one, {NAMES:,} names ({held:,} MB held at most)",
            f"{ours:.0f} ms",
            f"{floor:.0f} ms",
            ratio,
            f"at most {MOST_RATIO:g}",
            ratio <= MOST_RATIO,
        )
    ]


def company_names() -> list[str]:
    """Names of two words, one in twenty another's with a letter missing; the same at every run."""
    rng = random.Random(7)
    names: list[str] = []
    for number in range(NAMES):
        if number % 20 == 19:
            model = rng.choice(names)
            at = rng.randrange(len(model))
            names.append(model[:at] + model[at + 1 :])
        else:
            names.append(
                " ".join("".join(rng.choices(SYLLABLES, k=rng.randint(2, 4))).title() for _ in range(2))
            )
    return names
