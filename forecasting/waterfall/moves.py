"""SQL: what a step does to a waterfall (DEFINITIONS 6), said once for the sums, for the deals behind them and for the
flow from group to group.
"""

from collections.abc import Sequence

WINS = "(b_is_booked AND NOT a_is_won)"
# The group that a step falls in: where the deal is afterwards, or was when it left.
GROUP_OF = "CASE WHEN a_is_in AND NOT b_is_in THEN a_grp ELSE b_grp END AS grp"
IS_VALUED = f"(a_is_in AND (b_is_in OR {WINS}))"


def moves_sql(steps: str, *, a_at_b: str, is_unchanged: str = "a_amount = b_amount") -> str:
    """SQL: the steps that count, with what they do; those of deals that lack a rate have is_lacking.

    `a_at_b` is SQL for a's native amount at the rate of b, which is b's where the amount `is_unchanged`. The currency
    effect is the difference of two rounded conversions (decision 0101). OFFSET 0 keeps a level's work from being done
    again by the level above it; each level copies every deal, so that there are as few as can be.
    """
    return f"""
    SELECT *, by_rate <> 0 AS has_rate,
      CASE WHEN is_valued THEN b_minor - a_minor - by_rate ELSE 0 END AS by_deal,
      CASE WHEN is_valued THEN sign(b_minor - a_minor - by_rate)::int ELSE 0 END AS direction,
      CASE WHEN a_is_won AND b_is_won THEN CASE WHEN booked_minor <> 0 THEN 'corrected' END
        WHEN b_is_booked THEN 'won' WHEN a_is_booked THEN 'reversed' END AS booking
    FROM (
      SELECT *, {WINS} AS wins, {IS_VALUED} AS is_valued,
        CASE WHEN NOT a_is_in AND (b_is_in OR {WINS}) THEN a_entering END AS entering,
        CASE WHEN a_is_in AND NOT b_is_in THEN b_leaving END AS leaving,
        a_is_in AND b_is_in AND a_grp IS DISTINCT FROM b_grp AS is_moved,
        {GROUP_OF},
        is_lacking_once OR ((a_is_in OR a_is_booked) AND a_minor IS NULL)
          OR ((b_is_in OR b_is_booked) AND b_minor IS NULL) AS is_lacking,
        CASE WHEN {IS_VALUED} AND a_currency = b_currency AND a_currency <> %(corporate)s AND a_amount IS NOT NULL
          THEN coalesce(CASE WHEN {is_unchanged} THEN b_minor ELSE {a_at_b} END - a_minor, 0)
          ELSE 0 END AS by_rate,
        (CASE WHEN b_is_booked THEN b_minor ELSE 0 END) - (CASE WHEN a_is_booked THEN a_minor ELSE 0 END)
          AS booked_minor
      FROM ({steps} OFFSET 0) AS step WHERE a_is_in OR b_is_in OR a_is_booked OR b_is_booked OFFSET 0) AS step"""


# One row a bucket that a move (or many alike, summed) adds to: bucket, whether it does, its amount, its group.
EFFECTS = """(VALUES
    ('opening', a_is_in AND is_first, a_minor, a_grp),
    (entering, entering IS NOT NULL, b_minor, b_grp),
    ('moved_in', is_moved, a_minor, b_grp),
    ('moved_out', is_moved, -a_minor, a_grp),
    (CASE WHEN direction > 0 THEN 'increased' ELSE 'decreased' END, direction <> 0, by_deal, grp),
    ('currency', has_rate, by_rate, grp),
    (leaving, leaving IS NOT NULL, CASE WHEN leaving = 'won' THEN -b_minor ELSE -a_minor END, a_grp),
    ('won', wins AND NOT a_is_in, -b_minor, b_grp),
    ('closing', b_is_in AND is_last, b_minor, b_grp),
    ('booked_' || booking, booking IS NOT NULL, booked_minor,
      CASE WHEN a_is_booked AND NOT b_is_booked THEN a_grp ELSE grp END)
) AS effect (bucket, holds, amount_minor, grp)"""

# One row a cell of the flow: from a group, a way in or a revaluation, to a group or a way out.
CELLS = """(VALUES
    ('group', a_grp, a_is_in, a_minor),
    ('bucket', entering, entering IS NOT NULL, b_minor),
    ('bucket', CASE WHEN direction > 0 THEN 'increased' ELSE 'decreased' END, direction <> 0, by_deal),
    ('bucket', 'currency', has_rate, by_rate)
) AS cell (from_kind, from_key, holds, amount_minor)"""
TO_KIND = "CASE WHEN b_is_in THEN 'group' ELSE 'bucket' END"
TO_KEY = "CASE WHEN b_is_in THEN b_grp ELSE coalesce(leaving, 'won') END"

# Moves that are alike in all that decides where their amounts go: a few hundred rows, however many deals there are.
# What they are alike in is one number: PostgreSQL would take a dozen columns for as many groups as rows, and would
# write them all down for every deal.
FACTS = (
    *("a_is_in", "b_is_in", "wins", "entering", "leaving", "direction", "has_rate", "booking", "is_moved"),
    *("is_first", "is_last", "is_lacking", "a_is_booked", "b_is_booked"),
)
KINDS = {
    "entering": "'new', 'reopened', 'transferred_in', 'pulled_in', 'pushed_in', 'included'",
    "leaving": "'deleted', 'won', 'lost', 'no_decision', 'transferred_out', 'pushed_out', 'pulled_out', 'omitted'",
    "booking": "'won', 'reversed', 'corrected'",
}
BITS = 4
SUMMED = ("a_minor", "b_minor", "by_deal", "by_rate", "booked_minor")


def _coded(place: int, fact: str) -> str:
    """SQL: what a fact adds to the likeness; nothing is compared where there is none."""
    unit = f"{2 ** (BITS * place)}::bigint"
    if fact == "direction":
        return f"coalesce({unit} * (direction + 1), 0)"
    if fact in KINDS:
        return (
            f"CASE WHEN {fact} IS NULL THEN 0 ELSE {unit} * array_position(ARRAY[{KINDS[fact]}], {fact}) END"
        )
    return f"CASE WHEN {fact} THEN {unit} ELSE 0 END"


def _decoded(fact: str, likeness: str) -> str:
    code = f"({likeness} >> {BITS * FACTS.index(fact)} & {2**BITS - 1})"
    if fact == "direction":
        return f"{code}::int - 1"
    return f"(ARRAY[{KINDS[fact]}])[{code}::int]" if fact in KINDS else f"{code} = 1"


LIKENESS = " + ".join(_coded(place, fact) for place, fact in enumerate(FACTS))


def facts_sql(likeness: str = "likeness", *, only: Sequence[str] = FACTS) -> str:
    """SQL: the facts of a likeness as columns."""
    return ", ".join(f"{_decoded(fact, likeness)} AS {fact}" for fact in only)


def narrow_sql(moves: str, *, week: str, more: str = "") -> str:
    """SQL: the moves with their facts as one number, which is quickly written down and read several times."""
    columns = ", ".join(("a_grp", "b_grp", *SUMMED))
    return f"SELECT {LIKENESS} AS likeness, {week} AS week, {columns}{more} FROM ({moves}) AS move"


def again_sql(moves: str) -> str:
    """SQL: how often the parts of split deals would count a deal again, by bucket; that of each group and of each
    week apart, since a deal may have parts in two. Columns: bucket, grp, week, how often, and which of the three.
    """
    return f"""SELECT bucket, effect.grp, week, count(*) - count(DISTINCT (deal, at)), GROUPING(effect.grp, week)
      FROM (SELECT *, {GROUP_OF} FROM (
        SELECT deal, at, {facts_sql()}, a_grp, b_grp, week, {", ".join(SUMMED)} FROM {moves} AS move WHERE is_part
      ) AS part) AS part CROSS JOIN LATERAL {EFFECTS} WHERE holds AND NOT is_lacking
      GROUP BY GROUPING SETS ((bucket), (bucket, effect.grp), (bucket, week))
      HAVING count(*) > count(DISTINCT (deal, at))"""


def cells_again_sql(moves: str) -> str:
    """SQL: what to take off the count of each cell, as a row of it without an amount."""
    return f"""SELECT from_kind, from_key, {TO_KIND}, {TO_KEY}, (count(DISTINCT deal) - count(*))::bigint, 0::bigint
      FROM (SELECT deal, {facts_sql()}, a_grp, b_grp, {", ".join(SUMMED)} FROM {moves} AS move WHERE is_part) AS part
      CROSS JOIN LATERAL {CELLS} WHERE holds AND NOT is_lacking
      GROUP BY 1, 2, 3, 4 HAVING count(*) > count(DISTINCT deal)"""


def levels_sql(moves: str) -> str:
    """SQL: by how many each week changed the number of open deals, however many parts they have."""
    return f"""SELECT week, sum(change)::bigint AS change FROM (
        SELECT week, bool_or(b_is_in)::int - bool_or(a_is_in)::int AS change
        FROM (SELECT deal, at, week, {facts_sql(only=("a_is_in", "b_is_in", "is_lacking"))} FROM {moves} AS move
        ) AS step WHERE NOT is_lacking GROUP BY week, deal, at) AS step GROUP BY week"""


def alike_sql(moves: str) -> str:
    """SQL: the narrow moves summed where they are alike; `cases` says how many there are."""
    sums = ", ".join(f"sum({column})::bigint AS {column}" for column in SUMMED)
    return f"""SELECT *, {GROUP_OF}
      FROM (SELECT {facts_sql()}, a_grp, b_grp, week, cases, {", ".join(SUMMED)} FROM (
        SELECT likeness, a_grp, b_grp, week, count(*) AS cases, {sums} FROM {moves} AS move
        GROUP BY likeness, a_grp, b_grp, week) AS alike) AS alike"""
