"""A second rollup, written from the definitions alone and in another style: dictionaries, fractions, recursion.

It shares nothing with forecasting.rollup but the columns' names.
"""

from collections import defaultdict
from collections.abc import Iterator
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


class Grid:
    """The grid of a world: `kind` leaves only deals of that kind, and what was said of their forecast.

    A world is a dictionary: days (first, end), deals, line, left (who left when), rates, steps by (person, column, is
    it one's own, kind), judgements by (person, column, deal).
    """

    def __init__(self, world: dict[str, Any], kind: str | None = None) -> None:
        self.world, self.kind = world, kind
        self.first, self.end = world["days"]
        # Who left before the period began is in it no more; who left since keeps the deals, and nobody sits there.
        self.gone = {person for person, day in world["left"].items() if day <= self.first}
        whole: dict[Any, Any] = world["line"]
        self.line = {
            one: above for one, above in whole.items() if one not in self.gone and above not in self.gone
        }
        self.vacant = {one for one in world["left"] if one in whole.values()} - self.gone
        self.own = self._own_amounts()
        self.below: dict[Any, list[Any]] = defaultdict(list)
        self.steps = {
            (person, column, is_own): step
            for (person, column, is_own, of), step in world["steps"].items()
            if step and of == kind and person not in self.gone
        }
        said = world["judgements"] if kind is None else {}
        self.said = {place: step for place, step in said.items() if step and place[0] not in self.gone}
        self.people = {*self.line, *filter(None, self.line.values()), *filter(None, self.own)}
        self.people |= {place[0] for place in (*self.steps, *self.said)}
        for person in self.people:
            if (above := self.line.get(person)) is not None and person not in self.vacant:
                self.below[above].append(person)
        self.judged = {step["id"]: self._effect(place, step) for place, step in self.said.items()}
        self.stale: set[Any] = set()

    def _own_amounts(self) -> dict[Any, dict[str, int]]:
        found: dict[Any, dict[str, int]] = {}
        for deal in self.world["deals"].values():
            is_here = deal["close_date"] is not None and self.first <= deal["close_date"] < self.end
            if deal["deleted"] or not is_here or deal["outcome"] not in (None, "won"):
                continue
            if self.kind not in (None, deal["kind"]):
                continue
            category = "closed" if deal["outcome"] == "won" else deal["category"]
            for person, minor in parts(deal, corporate(deal, self.world["rates"])):
                row = found.setdefault(None if person in self.gone else person, dict.fromkeys(CATEGORIES, 0))
                for column in CATEGORIES:
                    row[column] += minor if category in CATEGORIES[column] else 0
        return found

    def _effect(self, place: Any, step: dict[str, Any]) -> tuple[int, str]:
        """What a judgement adds to the column, and why it ended: the deal as the manager sees it less as it counts."""
        person, column, deal_id = place
        deal = self.world["deals"].get(deal_id)
        mine = dict(parts(deal, corporate(deal, self.world["rates"]))) if deal else {}
        if deal is None or person not in mine:
            return 0, "left"
        if deal["deleted"] or deal["outcome"]:
            return 0, "deleted" if deal["deleted"] else deal["outcome"]

        def counts(day: Any) -> int:
            is_here = day is not None and self.first <= day < self.end
            return mine[person] if is_here and deal["category"] in CATEGORIES[column] else 0

        wanted = {"in": mine[person], "out": 0, "amount": step["amount"], "date": counts(step["close_date"])}
        return wanted[step["verdict"]] - counts(deal["close_date"]), ""

    def amounts(self, person: Any, column: str) -> tuple[int, int, int, int, int]:
        """The five amounts of one cell."""
        mine = self.own.get(person, {}).get(column, 0)
        below = [self.amounts(one, column) for one in self.below.get(person, ())]
        two, three = mine + sum(row[1] for row in below), mine + sum(row[4] for row in below)
        four = self._put(person, column, is_own=True, below=three)
        five = self._put(person, column, is_own=False, below=four + self.judged_sum(person, column))
        return mine, two, three, four, five

    def judged_sum(self, person: Any, column: str) -> int:
        return sum(
            self.judged[step["id"]][0] for place, step in self.said.items() if place[:2] == (person, column)
        )

    def base(self, person: Any, column: str, *, is_own: bool) -> int:
        """What a new adjustment would stand on."""
        amounts = self.amounts(person, column)
        return amounts[2] if is_own else amounts[3] + self.judged_sum(person, column)

    def _put(self, person: Any, column: str, *, is_own: bool, below: int) -> int:
        step = self.steps.get((person, column, is_own))
        if not step:
            return below
        if step["base"] != below:
            self.stale.add(step["id"])
        amount: int = step["amount"] if step["kind"] == "absolute" else below + step["amount"]
        return amount

    def former(self) -> Iterator[Any]:
        """Steps of managers whom the person doesn't report to any more."""
        for (person, _, is_own), step in self.steps.items():
            if not is_own and step["author"] != adjuster(self.world, person):
                yield step["id"]

    def whole(self) -> dict[str, Any]:
        """Five amounts by person and column; (2, 5) of unassigned and of the total by column; which steps are stale."""
        rows = {
            (person, column): self.amounts(person, column) for person in self.people for column in CATEGORIES
        }
        nobody = self.own.get(None, dict.fromkeys(CATEGORIES, 0))
        under = {one for reports in self.below.values() for one in reports}
        roots = self.people - under
        tops = {one for one in roots if one in self.line and self.line[one] is None} - self.vacant
        unassigned, total = {}, {}
        for column in CATEGORIES:
            strays = [rows[person, column] for person in roots - tops]
            lined = [rows[person, column] for person in tops]
            unassigned[column] = tuple(nobody[column] + sum(row[place] for row in strays) for place in (1, 4))
            total[column] = tuple(
                unassigned[column][end] + sum(row[place] for row in lined) for end, place in enumerate((1, 4))
            )
        return {"rows": rows, "unassigned": unassigned, "total": total, "stale": self.stale}


def adjuster(world: dict[str, Any], person: Any) -> Any:
    """The manager, or where nobody sits there the next one above who does."""
    line = world["line"]
    above = line.get(person)
    while above in world["left"]:
        above = line.get(above)
    return above
