"""SQL: what a deal is at both ends of an inspection, as one number.

Deals that are alike in it are added up first: a hundred thousand rows become a few hundred, from which every figure,
tab and group is told. An end's mark says where the deal stands and what is late or missing; flags say what holds of
both ends together.
"""

from collections.abc import Mapping

# By outcome and category; who isn't there at an end is absent.
STANDINGS = ("commit", "most_likely", "best_case", "open", "omitted", "won", "not_won", "absent")
ABSENT = STANDINGS.index("absent")
STANDING = len(STANDINGS) - 1
LATE, GAPS_BIT = 8, 16
MARK_BITS = 5
MARK = 2**MARK_BITS - 1
FLAGS = (
    *("counts", "counted", "is_shown", "is_changed", "is_risk", "is_upside", "lacks_step", "lacks_rate"),
    *("has_moved", "was_risk", "was_upside"),
)


def mark_sql(alias: str, *, day: str, gaps: str) -> str:
    """SQL: the mark of the version `alias`, asked on a day; `gaps` is SQL for what lacks something."""
    named = " ".join(
        f"WHEN '{name}' THEN {STANDINGS.index(name)}"
        for name in ("commit", "most_likely", "best_case", "omitted")
    )
    return f"""CASE WHEN {alias}.outcome IS NULL
        THEN CASE {alias}.category {named} ELSE {STANDINGS.index("open")} END
        WHEN {alias}.outcome = 'won' THEN {STANDINGS.index("won")} ELSE {STANDINGS.index("not_won")} END
      + CASE WHEN {alias}.close_date < {day} THEN {LATE} ELSE 0 END + CASE WHEN {gaps} THEN {GAPS_BIT} ELSE 0 END"""


def stands(mark: str, standing: str) -> str:
    """SQL: whether a mark is of this standing; "open" is any that isn't omitted, closed or absent."""
    operator = "<=" if standing == "open" else "="
    return f"{mark} & {STANDING} {operator} {STANDINGS.index(standing)}"


def is_hopeful(mark: str) -> str:
    """SQL: whether a mark stands in best case or pipeline, out of which an upside may come."""
    return f"{mark} & {STANDING} IN ({STANDINGS.index('best_case')}, {STANDINGS.index('open')})"


def is_late(mark: str) -> str:
    return f"{mark} & {LATE} <> 0"


def has_gaps(mark: str) -> str:
    return f"{mark} & {GAPS_BIT} <> 0"


def code_sql(*, now: str, then: str, flags: Mapping[str, str]) -> str:
    """SQL: both ends' marks and the flags, each SQL for a condition, as one number."""
    told = " + ".join(
        f"CASE WHEN {flags[name]} THEN {2 ** (2 * MARK_BITS + place)} ELSE 0 END"
        for place, name in enumerate(FLAGS)
    )
    return f"{now} + {2**MARK_BITS} * {then} + {told}"


def flag(name: str, *, code: str = "code") -> str:
    """SQL: whether a flag is set in a code."""
    return f"{code} & {2 ** (2 * MARK_BITS + FLAGS.index(name))} <> 0"


# The marks of a code's ends; the later end's stand in its lowest bits, so that it needs no mask.
NOW, THEN = "code", f"(code >> {MARK_BITS})"
