"""Who may stand in for whom, and when? Pure: what is asked and what stands, in; a refusal with words, out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

LONGEST = timedelta(days=366)


class DelegationRefused(ValueError):
    """A delegation that can't be: which field, and what to do instead."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


@dataclass(frozen=True)
class Absence:
    """`delegate_id` stands in for `manager_id` from `first_on` to `last_on`, both included."""

    manager_id: UUID
    delegate_id: UUID
    first_on: date
    last_on: date

    def overlaps(self, other: "Absence") -> bool:
        return self.first_on <= other.last_on and other.first_on <= self.last_on


def check_absence(
    asked: Absence, *, manager: str, delegate: str, others: Iterable[Absence], today: date
) -> None:
    """Refuse oneself, the past, more than a year, two at once, and chains. `others` stand and aren't taken back.

    A chain (somebody who is away stands in for another) would hand on what was lent, so there is none.
    """
    if asked.manager_id == asked.delegate_id:
        raise DelegationRefused("delegate", f"{manager} can’t stand in for {manager}; choose somebody else")
    if asked.last_on < asked.first_on:
        raise DelegationRefused("last_on", "The last day lies before the first; choose a later one")
    if asked.last_on < today:
        raise DelegationRefused("last_on", "That is over already; choose today or a later day")
    if asked.last_on - asked.first_on > LONGEST:
        raise DelegationRefused("last_on", "A year at most; for longer, change the reporting line")
    for other in others:
        if not asked.overlaps(other):
            continue
        until = f"until {other.last_on:%-d %b %Y}"
        if other.manager_id == asked.manager_id:
            raise DelegationRefused("first_on", f"{manager} has a delegate {until}; take that back first")
        if other.manager_id == asked.delegate_id:
            raise DelegationRefused("delegate", f"{delegate} is away then and has a delegate {until}")
        if other.delegate_id == asked.manager_id:
            raise DelegationRefused(
                "delegate", f"{manager} stands in for somebody {until}, which can’t be handed on"
            )
