"""Which rows of the forecast stand open, and what an adjustment that somebody typed means."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ROWS_AT_ONCE = 60

# A person's id: a UUID on the page, a name in the tests.
type Person = Any


@dataclass(frozen=True, slots=True)
class Node:
    """One person of the lines, depth first: managers stand before their reports."""

    person: Person
    depth: int
    reports: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """So many reports of `manager` (None: tops) that stand behind "more"."""

    manager: Person | None
    depth: int
    count: int


def opened_by_default(nodes: Sequence[Node], *, limit: int = ROWS_AT_ONCE) -> frozenset[Person]:
    """The managers whose reports stand open without being asked for: whole levels from the top, as long as at most
    `limit` rows are shown.

    >>> chart = [Node("eve", 0, ("max", "ida")), Node("max", 1, ("ana",)), Node("ana", 2, ()), Node("ida", 1, ())]
    >>> sorted(opened_by_default(chart)), sorted(opened_by_default(chart, limit=3))
    (['eve', 'max'], ['eve'])
    """
    by_level: dict[int, list[Node]] = {}
    for node in nodes:
        by_level.setdefault(node.depth, []).append(node)
    opened: set[Person] = set()
    shown = len(by_level.get(0, ()))
    for level in sorted(by_level):
        managers = [node for node in by_level[level] if node.reports]
        shown += sum(len(node.reports) for node in managers)
        if shown > limit:
            break
        opened.update(node.person for node in managers)
    return frozenset(opened)


def shown_rows(
    nodes: Sequence[Node],
    *,
    opened: frozenset[Person],
    whole: frozenset[Person] = frozenset(),
    limit: int = ROWS_AT_ONCE,
) -> list[Node | Rest]:
    """The rows of a page in its order. Of more than `limit` reports of one manager the first ones, unless `whole` names
    the manager; the others stand behind a Rest.
    """
    by_person = {node.person: node for node in nodes}
    tops = tuple(node.person for node in nodes if node.depth == 0)
    rows: list[Node | Rest] = []

    def level(manager: Person | None, people: tuple[Person, ...], depth: int) -> list[Node | Rest]:
        first = people if manager in whole else people[:limit]
        found: list[Node | Rest] = [by_person[person] for person in first]
        if len(first) < len(people):
            found.append(Rest(manager, depth, len(people) - len(first)))
        return found

    waiting = level(None, tops, 0)[::-1]
    while waiting:
        entry = waiting.pop()
        rows.append(entry)
        if isinstance(entry, Node) and entry.person in opened and entry.reports:
            waiting += level(entry.person, entry.reports, entry.depth + 1)[::-1]
    return rows


@dataclass(frozen=True, slots=True)
class Typed:
    """An adjustment as it was typed: an amount that replaces, or a change that adds."""

    is_absolute: bool
    amount_minor: int


def read_typed(text: str, *, parse: Callable[[str], int], thousand: int) -> Typed:
    """What "-40", "+40k", "=660" and "660" mean in a grid that shows thousands: a number without a unit counts in
    thousands, as the cells do. A sign makes it a change; "=" or nothing an amount. `parse` reads an amount with its
    unit in minor units, `thousand` is one thousand of the currency in them.

    >>> read_typed("-40", parse=int, thousand=100_000)
    Typed(is_absolute=False, amount_minor=-4000000)
    >>> read_typed("= 660", parse=int, thousand=100_000)
    Typed(is_absolute=True, amount_minor=66000000)
    """
    typed = text.strip().replace("\N{MINUS SIGN}", "-")
    is_absolute = not typed.startswith(("+", "-"))
    number = typed.removeprefix("=").strip()
    if _is_bare(number):
        whole, _, fraction = number.lstrip("+-").replace(" ", "").partition(".")
        minor = int(whole + fraction) * thousand
        minor, rest = divmod(minor, 10 ** len(fraction))
        if rest == 0:
            return Typed(is_absolute, -minor if number.startswith("-") else minor)
    return Typed(is_absolute, parse(number))


def _is_bare(number: str) -> bool:
    """Digits without a unit or separators of thousands, at most with a decimal point."""
    plain = number.lstrip("+-").replace(" ", "")
    whole, _, fraction = plain.partition(".")
    return (
        whole.isdecimal() and whole.isascii() and len(whole) <= 9 and (not fraction or _is_fraction(fraction))
    )


def _is_fraction(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5


def below_counts[Effect](
    parents: Iterable[tuple[Person, Person | None]], *, effects: Mapping[Person, Sequence[Effect]]
) -> dict[Person, int]:
    """How many adjustments stand below each person. `parents`: (person, manager), managers before their reports."""
    counts: dict[Person, int] = {}
    if not effects:
        return counts
    for person, manager in reversed(list(parents)):
        if manager is not None:
            own = counts.get(person, 0) + len(effects.get(person, ()))
            if own:
                counts[manager] = counts.get(manager, 0) + own
    return counts
