"""A second waterfall, written from the definitions alone and in another style: slow, with dictionaries.

It shares nothing with forecasting.waterfall.rules but the names of the buckets as text.
"""

from fractions import Fraction


def half_even(value: Fraction) -> int:
    whole, rest = divmod(value.numerator, value.denominator)
    twice = 2 * rest
    if twice > value.denominator or (twice == value.denominator and whole % 2 == 1):
        return whole + 1
    return whole


def where(close_date, first, last) -> str:
    if close_date is None:
        return "later"
    if close_date < first:
        return "earlier"
    return "later" if close_date > last else "inside"


def describe(state: dict, *, owners: set, first, last) -> dict:
    """The facts of one end as words. `state` is {} when the deal has no version."""
    there = bool(state) and not state["deleted"]
    standing = (state["outcome"] or "open") if there else "absent"
    when = where(state["close_date"], first, last) if state else "later"
    mine = bool(state) and state["owner"] in owners
    return {
        "known": bool(state),
        "deleted": bool(state) and state["deleted"],
        "closed": bool(state) and state["outcome"] is not None,
        "standing": standing,
        "when": when,
        "mine": mine,
        "omitted": bool(state) and state["category"] == "omitted",
        "in": standing == "open" and when == "inside" and mine and state["category"] != "omitted",
        "booked": standing == "won" and when == "inside" and mine,
        "money": state["corporate"] if state else 0,
    }


def entering_name(a: dict) -> str:
    if not a["known"]:
        return "new"
    if a["closed"] or a["deleted"]:
        return "reopened"
    if not a["mine"]:
        return "transferred_in"
    if a["when"] != "inside":
        return {"later": "pulled_in", "earlier": "pushed_in"}[a["when"]]
    assert a["omitted"]
    return "included"


def leaving_name(b: dict) -> str:
    if b["standing"] == "absent":
        return "deleted"
    if b["booked"]:
        return "won"
    if b["standing"] in ("lost", "no_decision"):
        return b["standing"]
    if not b["mine"]:
        return "transferred_out"
    if b["when"] != "inside":
        return {"later": "pushed_out", "earlier": "pulled_out"}[b["when"]]
    assert b["omitted"]
    return "omitted"


def currency_effect(before: dict, after: dict) -> int:
    """In units of a currency with as many decimals as the corporate one. A part is a share of the whole deal's."""
    if before["currency"] != after["currency"] or before["amount"] is None:
        return 0
    whole, part = before.get("whole", before["amount"]), before.get("part", int)
    old = part(half_even(whole * Fraction(before["rate"])))
    new = part(half_even(whole * Fraction(after["rate"])))
    return new - old


def share_of(amount: int, *, shares: list[tuple[object, int]], person: object) -> int:
    """By largest remainder; of equal ones the larger share comes first, then the lower id."""
    shares = sorted(shares, key=lambda one: (-one[1], str(one[0])))
    exact = {who: Fraction(amount * share, 10_000) for who, share in shares}
    floors = {who: part.numerator // part.denominator for who, part in exact.items()}
    spare = amount - sum(floors.values())
    for who in sorted(exact, key=lambda who: floors[who] - exact[who])[:spare]:
        floors[who] += 1
    return floors[person]


def part_of(state: dict, person: object) -> dict:
    """The state of a person's part; of who has none it is like a deal of somebody whom nobody asks for."""
    if not state:
        return {}
    shares = state["shares"] or [(state["owner"], 10_000)]
    if person not in dict(shares):
        return {**state, "owner": object(), "amount": 0, "corporate": 0}

    def part(amount: int) -> int:
        return share_of(amount, shares=shares, person=person)

    worth = {
        name: state[name] if state[name] is None else part(state[name]) for name in ("amount", "corporate")
    }
    return {**state, **worth, "owner": person, "whole": state["amount"], "part": part}


def parts_between(a: dict, b: dict) -> list[tuple[dict, dict]]:
    """The parts of a deal at both ends of a step: the deal itself while it isn't split at either."""
    if not any(state and state["shares"] for state in (a, b)):
        return [(a, b)]
    people = {who for state in (a, b) if state for who, _ in state["shares"] or [(state["owner"], 10_000)]}
    return [(part_of(a, person), part_of(b, person)) for person in people]


def account_for(
    before: dict, after: dict, *, owners_before: set, owners_after: set, first, last
) -> dict[str, int]:
    """Everything one deal does: opening, closing, bookings' opening and closing, and an amount for each
    bucket.
    """
    a = describe(before, owners=owners_before, first=first, last=last)
    b = describe(after, owners=owners_after, first=first, last=last)
    book: dict[str, int] = {}

    def add(name: str, amount: int) -> None:
        book[name] = book.get(name, 0) + amount

    add("opening", a["money"] if a["in"] else 0)
    add("closing", b["money"] if b["in"] else 0)
    newly_won = b["booked"] and a["standing"] != "won"

    if a["in"] and (b["in"] or newly_won):
        rate = currency_effect(before, after)
        rest = b["money"] - a["money"] - rate
        add("currency", rate)
        add("increased" if rest > 0 else "decreased", rest)

    if a["in"] and not b["in"]:
        name = leaving_name(b)
        add(name, -(b["money"] if name == "won" else a["money"]))

    if not a["in"] and b["in"]:
        add(entering_name(a), b["money"])

    if not a["in"] and not b["in"] and newly_won:
        add(entering_name(a), b["money"])
        add("won", -b["money"])

    add("booked before", a["money"] if a["booked"] else 0)
    add("booked after", b["money"] if b["booked"] else 0)
    return {name: amount for name, amount in book.items() if amount}
