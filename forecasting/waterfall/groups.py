"""What the groups of a waterfall or a flow are called, and in which order they stand."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from otc.tenancy.models import Person
from otc.ui import format as fmt
from pipeline.opportunities.models import Product
from pipeline.process.models import Category, Stage

LABELS = {
    "person": "Person",
    "team": "Team",
    "product": "Product",
    "stage": "Stage",
    "category": "Category",
    "week": "Week",
}
NOBODY = {"person": "Unassigned", "team": "No team", "product": "No product", "stage": "No stage"}
NO_GROUP = "none"


def ordered(keys: Iterable[str | None], *, by: str, today: date) -> list[tuple[str | None, str]]:
    """The groups as (key, name): stages and categories along the process, weeks in time, others by name."""
    found = set(keys)
    if by == "week":
        mondays = sorted(date.fromisoformat(str(key)) for key in found)
        return [(monday.isoformat(), f"Week of {fmt.day(monday, today=today)}") for monday in mondays]
    named: list[tuple[str | None, str]] = [(key, name) for key, name in _names(by) if key in found]
    if None in found:
        named.append((None, NOBODY.get(by, "No category")))
    return named


def _names(by: str) -> list[tuple[str, str]]:
    if by == "category":
        return [(str(key), str(label)) for key, label in Category.choices]
    model: Any = {"stage": Stage, "product": Product}.get(by, Person)
    order = "position" if by == "stage" else "name_folded"
    return [(str(key), name) for key, name in model.objects.order_by(order, "id").values_list("id", "name")]


def parse_key(text: str, *, by: str) -> str | None:
    """A group as an address names it. Raises ValueError."""
    if text == NO_GROUP:
        return None
    if by == "week":
        return date.fromisoformat(text).isoformat()
    return text if by == "category" else str(UUID(text))
