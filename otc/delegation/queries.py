"""Which delegations stand, were and will be?"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from otc.delegation.models import Delegation

MOST = 200


@dataclass(frozen=True)
class Listed:
    """A delegation and whether it is `planned`, `running`, `over` or `taken back`."""

    delegation: Delegation
    state: str

    @property
    def is_open(self) -> bool:
        return self.state in ("planned", "running")


def delegations(*, of_person: UUID | None, today: date) -> list[Listed]:
    """The latest two hundred of a person, as manager or delegate; everybody's when `of_person` is None."""
    rows: Any = Delegation.objects.select_related("manager", "delegate", "named_by")
    if of_person is not None:
        rows = rows.filter(Q(manager_id=of_person) | Q(delegate_id=of_person))
    return [Listed(row, _state(row, today)) for row in rows.order_by("-last_on", "-id")[:MOST]]


def _state(row: Delegation, today: date) -> str:
    if row.ended_at is not None:
        return "taken back"
    if today < row.first_on:
        return "planned"
    return "running" if today <= row.last_on else "over"
