"""Reporting lines typed or pasted as rows: person, manager, and from when, as spreadsheets and files have them."""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from forecasting.quotas.block import delimiter_of, people_named
from otc.tenancy.many_lines import MOST_LINES, LineWish
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person, Role
from otc.tenancy.services import fold
from otc.ui.dates import DayNotUnderstood, parse_day

HEADS = {
    "person": ("person", "name", "email", "mail", "who"),
    "manager": ("manager", "reports to", "boss"),
    "since": ("from", "since", "date", "start"),
}
TOPS = ("top", "nobody", "none")
NO_TOP = "Name a manager, or “top” for who leads all"


@dataclass(frozen=True)
class Fault:
    line: int
    message: str


@dataclass(frozen=True)
class LinesBlock:
    wishes: list[LineWish]
    faults: list[Fault]


def lines_read(text: str, *, tenant: Tenant) -> LinesBlock:
    """Rows with tabs, semicolons or commas between; a head may name the columns, else they are person, manager, from.
    Nothing for “from” is today. Two queries.
    """
    rows = [
        row for row in csv.reader(io.StringIO(text), delimiter=delimiter_of(text)) if any(map(str.strip, row))
    ]
    if len(rows) > MOST_LINES:
        return LinesBlock([], [Fault(0, f"At most {MOST_LINES:,} lines at once")])
    columns, start = _columns(rows[0] if rows else [])
    reading = _Reading(tenant)
    wishes, faults, seen = [], [], set()
    for number, row in enumerate(rows[start:], start=start + 1):
        cells = {name: row[place].strip() if place < len(row) else "" for name, place in columns.items()}
        try:
            wish = reading.wish(cells)
        except (ValueError, DayNotUnderstood) as problem:
            faults.append(Fault(number, str(problem)))
            continue
        if (wish.person_id, wish.since) in seen:
            faults.append(
                Fault(number, f"“{cells['person'][:40]}” stands here twice from that day; keep one")
            )
        seen.add((wish.person_id, wish.since))
        wishes.append(wish)
    return LinesBlock(wishes, faults)


def _columns(first: list[str]) -> tuple[dict[str, int], int]:
    named = {
        name: place
        for place, cell in enumerate(first)
        for name, words in HEADS.items()
        if cell.strip().lstrip("\ufeff").lower() in words
    }
    if {"person", "manager"} <= named.keys():
        return named, 1
    return {"person": 0, "manager": 1, "since": 2}, 0


class _Reading:
    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.people, self.doubles = people_named()
        rows = Person.objects.values_list("id", "left_on", "role")
        self.facts = {person_id: (left_on, role) for person_id, left_on, role in rows}

    def wish(self, cells: dict[str, str]) -> LineWish:
        """Raises ValueError or DayNotUnderstood with what is wrong."""
        typed = cells.get("since", "") or "today"
        day = parse_day(typed, today=self.tenant.today)
        if day < self.tenant.today:
            raise ValueError(f"{day}: the past stays as it was; choose today or a later day")
        person_id = self._who(cells.get("person", ""), day)
        above = cells.get("manager", "")
        if not above:
            raise ValueError(NO_TOP)
        manager_id = None if above.lower() in TOPS else self._who(above, day)
        if manager_id == person_id:
            raise ValueError(f"“{above[:40]}” can’t report to themselves")
        return LineWish(person_id, manager_id, self._start(day))

    def _start(self, day: date) -> datetime:
        is_today = day == self.tenant.today
        return self.tenant.now if is_today else datetime.combine(day, time(), tzinfo=self.tenant.zone)

    def _who(self, text: str, day: date) -> UUID:
        key = fold(text)
        if key in self.doubles:
            raise ValueError(f"There are several called “{text[:40]}”; use the mail")
        found = self.people.get(key)
        if found is None or self.facts[found][1] == Role.INTEGRATION:
            raise ValueError(f"Nobody is called “{text[:40]}”")
        left_on = self.facts[found][0]
        if left_on is not None and left_on <= day:
            raise ValueError(f"“{text[:40]}” left on {left_on}")
        return found
