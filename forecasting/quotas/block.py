"""Quotas typed or pasted as lines: person, period, amount and maybe a currency, as spreadsheets and files have them."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from forecasting.quotas.services import QuotaWish, Unfit
from otc.tenancy.models import Person
from otc.tenancy.services import fold
from otc.ui.amounts import AmountNotUnderstood, parse_amount

MOST_LINES = 10_000
HEADS = {
    "person": ("person", "name", "email", "mail", "rep", "owner"),
    "period": ("period", "quarter", "month", "year"),
    "amount": ("amount", "quota", "target"),
    "currency": ("currency", "currency code"),
}


@dataclass(frozen=True)
class Block:
    """What lines ask for, and what of them can't be read."""

    wishes: list[QuotaWish]
    faults: list[Unfit]


def block_read(text: str, *, currency: str, type_id: UUID | None = None) -> Block:
    """Lines with tabs, semicolons or commas between; a head may name the columns, else they are person, period, amount,
    currency. People by mail or by their whole name. One query.
    """
    rows = [
        row for row in csv.reader(io.StringIO(text), delimiter=delimiter_of(text)) if any(map(str.strip, row))
    ]
    if len(rows) > MOST_LINES:
        return Block([], [Unfit(0, "quotas", f"At most {MOST_LINES:,} lines at once")])
    columns, start = _columns(rows[0] if rows else [])
    people, doubles = people_named()
    wishes: list[QuotaWish] = []
    faults: list[Unfit] = []
    for number, row in enumerate(rows[start:], start=start + 1):
        cells = {name: row[place].strip() if place < len(row) else "" for name, place in columns.items()}
        who = fold(cells.get("person", ""))
        if who in doubles:
            faults.append(
                Unfit(number, "person", f"There are several called “{cells['person'][:40]}”; use the mail")
            )
            continue
        if who not in people:
            faults.append(Unfit(number, "person", f"Nobody is called “{cells.get('person', '')[:40]}”"))
            continue
        try:
            amount = parse_amount(cells.get("amount", ""), currency=currency)
        except AmountNotUnderstood as problem:
            faults.append(Unfit(number, "amount", str(problem)))
            continue
        wishes.append(
            QuotaWish(
                people[who], cells.get("period", ""), amount, type_id, cells.get("currency", ""), row=number
            )
        )
    return Block(wishes, faults)


def delimiter_of(text: str) -> str:
    first = text.lstrip("\ufeff").partition("\n")[0]
    return next((mark for mark in ("\t", ";") if mark in first), ",")


def _columns(first: list[str]) -> tuple[Mapping[str, int], int]:
    named = {
        name: place
        for place, cell in enumerate(first)
        for name, words in HEADS.items()
        if cell.strip().lstrip("\ufeff").lower() in words
    }
    if {"person", "period", "amount"} <= named.keys():
        return named, 1
    return {"person": 0, "period": 1, "amount": 2, "currency": 3}, 0


def people_named() -> tuple[dict[str, UUID], set[str]]:
    """Ids by folded mail and name, and the names that several have."""
    found: dict[str, UUID] = {}
    doubles: set[str] = set()
    for person_id, name, email in Person.objects.values_list("id", "name_folded", "email"):
        for key in {name, fold(email)} - {""}:
            if found.setdefault(key, person_id) != person_id:
                doubles.add(key)
    return found, doubles
