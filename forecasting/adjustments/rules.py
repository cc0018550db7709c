"""What can be said in a cell? Words and bounds, before anybody's line or anybody else's step is asked."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from forecasting.rollup.rules import ADJUSTABLE
from otc.calendar.rules import Period
from pipeline.opportunities.rules import Refused
from pipeline.process.columns import COLUMNS, LABELS

KINDS = ("absolute", "delta", "withdrawn")
LARGEST_MINOR = 10**17


@dataclass(frozen=True)
class Cell:
    """One person and column in the forecast of a period; `type_id` None is the forecast of all deals."""

    period: Period
    person_id: UUID
    column: str
    type_id: UUID | None = None


@dataclass(frozen=True)
class NewStep:
    """What somebody wants to put on top, in corporate minor units."""

    kind: str
    amount_minor: int
    reason: str
    expires_on: date | None


def check_step(step: NewStep, *, cell: Cell, today: date) -> None:
    """Raises Refused for what can't be said in any cell, or not in this column and period."""
    if cell.column not in COLUMNS:
        raise Refused("column", f"There is no column “{cell.column}”; choose one of: {_choices()}")
    if cell.column not in ADJUSTABLE:
        raise Refused("column", f"{LABELS[cell.column]} can’t be adjusted; choose one of: {_choices()}")
    if step.kind not in KINDS:
        raise Refused("kind", "Choose absolute or delta")
    if cell.period.end <= today:
        raise Refused("period", f"{cell.period.label} is over; adjust a period that still runs")
    if not step.reason:
        raise Refused("reason", "Say why: whoever reads the number sees the reason beside it")
    if abs(step.amount_minor) > LARGEST_MINOR:
        raise Refused("amount_minor", "That is more than any forecast; check the amount")
    if step.kind == "absolute" and step.amount_minor < 0:
        raise Refused("amount_minor", "An amount is zero or more; a delta may take something off")
    if step.expires_on is not None and step.expires_on < today:
        raise Refused("expires_on", "That day has passed; choose today or a later day")


def _choices() -> str:
    return ", ".join(sorted(ADJUSTABLE))
