"""What a lead may be and how well it fits. No Django: values in, a refusal or points out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

EDITABLE = frozenset(
    {
        "name",
        "company",
        "contact_name",
        "email",
        "phone",
        "source",
        "campaign",
        "fit_note",
        "owner_id",
        "external_id",
    }
)


class LeadRefused(ValueError):
    """What a rule refuses: which field, and in words what to do instead."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


@dataclass(frozen=True)
class Fit:
    """`points` of `most` that the checklist gives; nothing to reach where it is empty."""

    points: int
    most: int

    @property
    def text(self) -> str:
        return f"{self.points} of {self.most}" if self.most else "–"


def fit(points: Mapping[UUID, int], marked: Collection[UUID]) -> Fit:
    """The points of the questions that hold, of those that are asked today.

    >>> fit({UUID(int=1): 3, UUID(int=2): 2}, [UUID(int=1)])
    Fit(points=3, most=5)
    """
    return Fit(sum(points[one] for one in set(marked) & set(points)), sum(points.values()))


def check_lead(changes: Mapping[str, Any]) -> None:
    """Refuse unknown fields, a lead without a name, and an address that is none."""
    unknown = sorted(set(changes) - EDITABLE)
    if unknown:
        raise LeadRefused(unknown[0], f"{unknown[0]} can't be edited")
    if "name" in changes and not str(changes["name"] or "").strip():
        raise LeadRefused("name", "Say what it is about, or name the company or the person")
    email = str(changes.get("email") or "")
    if email and ("@" not in email.strip("@") or " " in email.strip()):
        raise LeadRefused("email", f"“{email}” is not an e-mail address like ana@example.org")


def name_of(fields: Mapping[str, Any]) -> str:
    """What a lead without a name of its own is called: its company, else the person, else the address."""
    for key in ("name", "company", "contact_name", "email"):
        if text := str(fields.get(key) or "").strip():
            return text
    return ""
