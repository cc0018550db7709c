"""What may be changed on a deal and what follows from it. No Django: values in, values out."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

OUTCOMES = ("won", "lost", "no_decision")
OPEN_CATEGORIES = ("omitted", "pipeline", "best_case", "most_likely", "commit")
EDITABLE = frozenset(
    {
        "name",
        "account_id",
        "owner_id",
        "stage_id",
        "category",
        "amount_minor",
        "currency",
        "close_date",
        "competitor_id",
        "product_id",
        "source",
        "kind",
        "next_step",
        "next_step_on",
        "attributes",
        "fields",
    }
)


class Refused(ValueError):
    """A change that a rule refuses: which field, and in words what to do instead."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True)
class StageMilestone:
    """An exit criterion of the stage at `position` (1 is the first)."""

    id: UUID
    name: str
    position: int
    stage: str
    is_required: bool


class MilestonesMissing(Refused):
    """A move forward that required milestones of the stages being left still block."""

    def __init__(
        self, *, target: str, missing: tuple[StageMilestone, ...], met: tuple[StageMilestone, ...]
    ) -> None:
        names = ", ".join(milestone.name for milestone in missing)
        super().__init__("stage_id", f"Before {target}, meet or waive: {names}")
        self.target, self.missing, self.met = target, missing, met


def missing_milestones(
    milestones: Iterable[StageMilestone], *, leaving: int, entering: int, marked: Collection[UUID]
) -> tuple[StageMilestone, ...]:
    """The required milestones of the stages from `leaving` up to before `entering` that nobody met or waived.

    A move backward or within a stage leaves nothing: it is never blocked.
    """
    return tuple(
        milestone
        for milestone in milestones
        if milestone.is_required and leaving <= milestone.position < entering and milestone.id not in marked
    )


def check_editable(changes: Mapping[str, Any], *, is_open: bool) -> None:
    """Refuse unknown fields, empty names, negative amounts, and any change of a closed deal's forecast."""
    unknown = sorted(set(changes) - EDITABLE)
    if unknown:
        raise Refused(unknown[0], f"{unknown[0]} can't be edited")
    if "name" in changes and not str(changes["name"]).strip():
        raise Refused("name", "A deal needs a name")
    amount = changes.get("amount_minor")
    if amount is not None and amount < 0:
        raise Refused("amount_minor", "An amount is not negative; take the deal out with a category instead")
    if "category" in changes and changes["category"] not in OPEN_CATEGORIES:
        raise Refused("category", "Choose one of: " + ", ".join(OPEN_CATEGORIES) + "; closing sets closed")
    frozen = {"stage_id", "category"} & set(changes)
    if frozen and not is_open:
        raise Refused(sorted(frozen)[0], "This deal is closed; reopen it first")


def check_next_step(next_step: str, next_step_on: date | None, *, today: date) -> None:
    """The step that follows one that is done has words and a day that isn't past."""
    if not next_step.strip():
        raise Refused("next_step", "Say what comes next: an open deal always has one next step")
    if next_step_on is None:
        raise Refused("next_step_on", "Say when, like fri, +1w or 18 dec: a next step has a day")
    if next_step_on < today:
        raise Refused("next_step_on", f"What comes next lies ahead; today is {today.isoformat()}")


def check_keeps_next_step(
    changes: Mapping[str, Any], *, next_step: str, next_step_on: date | None, is_open: bool
) -> None:
    """An open deal's next step is replaced, never just taken away. What an import left empty may stay so."""
    if not is_open:
        return
    if next_step.strip() and not str(changes.get("next_step", next_step)).strip():
        raise Refused("next_step", "Say what comes next instead: an open deal always has one next step")
    if next_step_on is not None and changes.get("next_step_on", next_step_on) is None:
        raise Refused("next_step_on", "Give another day instead: a next step always has one")


def category_after_stage(
    *, present: str | None, set_by_person: bool, proposed: str | None
) -> tuple[str | None, bool]:
    """The category and whether a person set it, after the stage changed: a person's choice stays.

    >>> category_after_stage(present="commit", set_by_person=True, proposed="pipeline")
    ('commit', True)
    """
    return (present, True) if set_by_person else (proposed, False)


def closed_category(outcome: str) -> str:
    """Won deals sum as closed; the others leave every column."""
    return "closed" if outcome == "won" else "omitted"


def check_closing(
    *, outcome: str, has_reason: bool, close_date: date | None, today: date, created_on: date
) -> None:
    """A closing needs a known outcome, a reason, and, where a day is given, one of the deal's life so far."""
    if outcome not in OUTCOMES:
        raise Refused("outcome", "Choose won, lost or no decision")
    if not has_reason:
        raise Refused("reason", "Say the primary reason: it is what the next deal learns from")
    if close_date is None:
        return
    if close_date > today:
        raise Refused("close_date", f"A closing can't lie in the future; today is {today.isoformat()}")
    if close_date < created_on:
        raise Refused(
            "close_date",
            f"A deal can't close before it was created, on {created_on.isoformat()}; give that day or a later one",
        )
