"""A second flow, written from the definitions alone: slow, deal by deal, from a log of what was known when.

It shares nothing with forecasting.waterfall but the names of the buckets as text.
"""

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from tests.forecasting.waterfall_oracle import (
    account_for,
    describe,
    entering_name,
    half_even,
    leaving_name,
    parts_between,
)


@dataclass
class Log:
    """Everything that was ever known: each deal's chain, the rates and the lines, by the instant of knowing."""

    chains: dict[Any, list[tuple[datetime, list[tuple[datetime, dict]]]]] = field(default_factory=dict)
    rates: list[tuple[datetime, dict[str, list[tuple[date, Fraction]]]]] = field(default_factory=list)
    lines: list[tuple[datetime, dict[Any, Any]]] = field(default_factory=list)

    def live(self, deal: Any, at: datetime, state: dict) -> None:
        known = self.chains.setdefault(deal, [])
        before = known[-1][1] if known else []
        known.append((at, [*before, (at, state)]))

    def correct(self, deal: Any, at: datetime, chain: list[tuple[datetime, dict]]) -> None:
        self.chains.setdefault(deal, []).append((at, chain))

    def imported(self, deal: Any, chain: list[tuple[datetime, dict]]) -> None:
        """History is known as it happened: after each of its instants, as much of it as had been."""
        self.chains[deal] = [(at, chain[: place + 1]) for place, (at, _) in enumerate(chain)]

    def state(self, deal: Any, at: datetime, known: datetime, rates_known: datetime) -> dict:
        chain = latest(self.chains[deal], known) or []
        state = latest(chain, at)
        if state is None:
            return {}
        rate = self.rate(state["currency"], state["close_date"], rates_known)
        corporate = 0 if state["amount"] is None else None
        if corporate is None and rate is not None:
            corporate = half_even(state["amount"] * rate)
        return {**state, "rate": rate, "corporate": corporate}

    def rate(self, currency: str, day: date | None, known: datetime) -> Fraction | None:
        if currency == "EUR":
            return Fraction(1)
        dated = (latest(self.rates, known) or {}).get(currency, [])
        inside = [pair for pair in sorted(dated) if day is None or pair[0] <= day]
        return inside[-1][1] if inside else None

    def branch(self, top: Any, at: datetime) -> set:
        manager_of = latest(self.lines, at) or {}
        found = {top}
        while True:
            more = {person for person, manager in manager_of.items() if manager in found} | found
            if more == found:
                return found
            found = more

    def team(self, owner: Any, at: datetime) -> Any:
        manager_of = latest(self.lines, at) or {}
        return owner if owner in manager_of.values() and owner is not None else manager_of.get(owner)


def latest(dated: list[tuple[datetime, Any]], at: datetime) -> Any:
    """The last entry that isn't later; entries stand in the order of their instants."""
    found = None
    for instant, value in dated:
        if instant <= at:
            found = value
    return found


@dataclass
class Asked:
    log: Log
    first: date
    last: date
    everybody: set
    top: Any = None
    knowledge: datetime | None = None
    chart_at: datetime | None = None
    by: str = ""
    branches: dict[datetime, set] = field(default_factory=dict)

    def owners(self, at: datetime) -> set:
        if self.top is None:
            return self.everybody
        day = self.chart_at or at
        if day not in self.branches:
            self.branches[day] = self.log.branch(self.top, day)
        return self.branches[day]

    def state(self, deal: Any, at: datetime) -> dict:
        known = self.knowledge or at
        return self.log.state(deal, at, known, known)

    def group(self, state: dict, at: datetime) -> Any:
        if not state or not self.by:
            return None
        if self.by == "team":
            return self.log.team(state["owner"], self.chart_at or at)
        return state[{"person": "owner"}.get(self.by, self.by)]

    def parts(self, deal: Any, start: datetime, end: datetime) -> list[tuple[dict, dict]]:
        return parts_between(self.state(deal, start), self.state(deal, end))

    def ends(self, part: Any, start: datetime, end: datetime) -> tuple[dict, dict, dict, dict]:
        a, b = part
        words = [
            describe(state, owners=self.owners(at), first=self.first, last=self.last)
            for state, at in ((a, start), (b, end))
        ]
        return a, b, words[0], words[1]

    def lacks(self, part: Any, start: datetime, end: datetime) -> bool:
        a, b, x, y = self.ends(part, start, end)
        return any(
            (words["in"] or words["booked"]) and state["corporate"] is None
            for state, words in ((a, x), (b, y))
        )

    def account(self, part: Any, start: datetime, end: datetime) -> dict[str, int]:
        a, b, _, _ = self.ends(part, start, end)
        return account_for(
            a,
            b,
            owners_before=self.owners(start),
            owners_after=self.owners(end),
            first=self.first,
            last=self.last,
        )

    def by_group(self, part: Any, start: datetime, end: datetime) -> dict[tuple[Any, str], int]:
        """A part's account, told to the groups: one that stays and changes its group moves from one to the other."""
        a, b, x, y = self.ends(part, start, end)
        book = self.account(part, start, end)
        old, new = self.group(a, start), self.group(b, end)
        if x["in"] and y["in"] and old != new:
            told = {(new, name): amount for name, amount in book.items() if name != "opening"}
            told[old, "opening"] = x["money"]
            told[old, "moved_out"] = -x["money"]
            told[new, "moved_in"] = x["money"]
            return told
        here = old if x["in"] else new
        told = {(here, name): amount for name, amount in book.items()}
        if x["booked"] and not y["booked"] and (here, "booked before") in told:
            # A win that is none any more is missing where it was booked.
            told[old, "booked before"] = told.pop((here, "booked before"))
        return told

    def cells(self, part: Any, start: datetime, end: datetime) -> dict[tuple[Any, Any], int]:
        """From where to where: a group is ("group", key), a way in or out ("bucket", name)."""
        a, b, x, y = self.ends(part, start, end)
        book, found = self.account(part, start, end), {}
        won = y["booked"] and x["standing"] != "won"
        if not (x["in"] or y["in"] or won):
            return {}
        to = ("group", self.group(b, end)) if y["in"] else ("bucket", "won" if won else leaving_name(y))
        if x["in"]:
            found[("group", self.group(a, start)), to] = x["money"]
        else:
            found[("bucket", entering_name(x)), to] = y["money"]
        for name in ("increased", "decreased", "currency"):
            if name in book:
                found[("bucket", name), to] = book[name]
        return found


def summed(books: list[dict]) -> dict:
    found: dict[Any, int] = defaultdict(int)
    for book in books:
        for key, amount in book.items():
            found[key] += amount
    return {key: amount for key, amount in found.items() if amount}


def endpoint(asked: Asked, start: datetime, end: datetime) -> dict[tuple[Any, str], int]:
    return summed(
        [
            asked.by_group(part, start, end)
            for deal in asked.log.chains
            for part in asked.parts(deal, start, end)
            if not asked.lacks(part, start, end)
        ]
    )


def path(asked: Asked, instants: list[datetime]) -> dict[tuple[Any, str], int]:
    """The same rules for every step; the opening is the first step's, the closing the last one's."""
    pairs = list(itertools.pairwise(instants))
    books = []
    for deal in asked.log.chains:
        if any(asked.lacks(part, *pair) for pair in pairs for part in asked.parts(deal, *pair)):
            continue
        for place, pair in enumerate(pairs):
            skipped = {"opening"} if place else set()
            skipped |= {"closing"} if place < len(pairs) - 1 else set()
            for part in asked.parts(deal, *pair):
                told = asked.by_group(part, *pair)
                books.append({key: amount for key, amount in told.items() if key[1] not in skipped})
    return summed(books)


def matrix(asked: Asked, start: datetime, end: datetime) -> dict[tuple[Any, Any], int]:
    return summed(
        [
            asked.cells(part, start, end)
            for deal in asked.log.chains
            for part in asked.parts(deal, start, end)
            if not asked.lacks(part, start, end)
        ]
    )
