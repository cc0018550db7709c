"""A second rollup, written from the definitions alone and in another style: dictionaries, fractions, recursion.

It shares nothing with forecasting.rollup but the columns' names.
"""

from fractions import Fraction
from typing import Any

CATEGORIES: dict[str, set[Any]] = {
    "omitted": {"omitted"},
    "no_category": {None},
    "pipeline": {"pipeline"},
    "best_case": {"best_case"},
    "most_likely": {"most_likely"},
    "commit": {"commit"},
    "closed": {"closed"},
    "commit_cumulative": {"commit", "closed"},
    "most_likely_cumulative": {"most_likely", "commit", "closed"},
    "best_case_cumulative": {"best_case", "most_likely", "commit", "closed"},
    "open": {None, "pipeline", "best_case", "most_likely", "commit"},
}
DECIMALS = {"EUR": 2, "USD": 2, "JPY": 0}


def half_even(value: Fraction) -> int:
    whole, rest = divmod(value.numerator, value.denominator)
    if 2 * rest > value.denominator or (2 * rest == value.denominator and whole % 2):
        return whole + 1
    return whole


def corporate(deal: dict[str, Any], rates: dict[str, Fraction]) -> int:
    """Euro cents of the whole deal, rounded once."""
    amount = deal["amount_minor"] or 0
    if deal["currency"] == "EUR":
        return int(amount)
    return half_even(Fraction(amount) * rates[deal["currency"]] * 10 ** (2 - DECIMALS[deal["currency"]]))


def parts(deal: dict[str, Any], minor: int) -> list[tuple[Any, int]]:
    """Whose the money is: the owner's, or by largest remainder between those who share it."""
    if not deal["split"]:
        return [(deal["owner"], minor)]
    shares = sorted(deal["split"].items(), key=lambda share: (-share[1], share[0]))
    found = [[person, minor * bp // 10_000, minor * bp % 10_000] for person, bp in shares]
    spare = minor - sum(row[1] for row in found)
    for row in sorted(found, key=lambda row: -row[2])[:spare]:
        row[1] += 1
    return [(person, amount) for person, amount, _ in found]


def own_amounts(world: dict[str, Any]) -> dict[Any, dict[str, int]]:
    found: dict[Any, dict[str, int]] = {}
    first, end = world["days"]
    for deal in world["deals"].values():
        is_here = deal["close_date"] is not None and first <= deal["close_date"] < end
        if deal["deleted"] or not is_here or deal["outcome"] not in (None, "won"):
            continue
        category = "closed" if deal["outcome"] == "won" else deal["category"]
        for person, minor in parts(deal, corporate(deal, world["rates"])):
            row = found.setdefault(person, dict.fromkeys(CATEGORIES, 0))
            for column in CATEGORIES:
                row[column] += minor if category in CATEGORIES[column] else 0
    return found


def grid(world: dict[str, Any]) -> dict[str, Any]:
    """Five amounts by person and column, and those of unassigned and of the total by column; and which steps are
    stale.
    """
    own = own_amounts(world)
    line: dict[Any, Any] = world["line"]
    people: set[Any] = {*line, *filter(None, line.values()), *filter(None, own)}
    people |= {person for (person, _, _), step in world["steps"].items() if step}
    stale: set[Any] = set()

    def amounts(person: Any, column: str) -> tuple[int, int, int, int, int]:
        mine = own.get(person, {}).get(column, 0)
        below = [amounts(one, column) for one in people if line.get(one) == person]
        two, three = mine + sum(row[1] for row in below), mine + sum(row[4] for row in below)
        four = put(world["steps"].get((person, column, True)), three)
        five = put(world["steps"].get((person, column, False)), four)
        return mine, two, three, four, five

    def put(step: Any, below: int) -> int:
        if not step:
            return below
        if step["base"] != below:
            stale.add(step["id"])
        amount: int = step["amount"] if step["kind"] == "absolute" else below + step["amount"]
        return amount

    rows = {(person, column): amounts(person, column) for person in people for column in CATEGORIES}
    nobody = own.get(None, dict.fromkeys(CATEGORIES, 0))
    unassigned, total = {}, {}
    for column in CATEGORIES:
        roots = [person for person in people if line.get(person) is None]
        strays = [rows[person, column] for person in roots if person not in line]
        tops = [rows[person, column] for person in roots if person in line]
        unassigned[column] = tuple(nobody[column] + sum(row[place] for row in strays) for place in (1, 4))
        total[column] = tuple(
            nobody[column] + sum(row[place] for row in [*strays, *tops]) for place in (1, 4)
        )
    return {"rows": rows, "unassigned": unassigned, "total": total, "stale": stale}
