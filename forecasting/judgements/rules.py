"""What does a manager's judgement of a deal do to a column?"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from forecasting.adjustments.rules import LARGEST_MINOR, Cell, NewStep, check_step
from pipeline.opportunities.rules import Refused
from pipeline.process.columns import COLUMNS, NO_CATEGORY

VERDICTS = ("in", "out", "amount", "date")


@dataclass(frozen=True, slots=True)
class DealPart:
    """A person's part of a deal at an instant; `corporate_minor` is None without an amount or a rate."""

    opportunity_id: Any
    person_id: Any
    name: str
    category: str | None
    outcome: str | None
    is_deleted: bool
    close_date: date | None
    corporate_minor: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement and what it does now. `ended` says why it does nothing any more: won, lost, no_decision, deleted, or
    left (the deal is somebody else's).
    """

    step_id: UUID
    opportunity_id: UUID
    name: str
    verdict: str
    effect_minor: int
    ended: str = ""


@dataclass(frozen=True)
class NewJudgement:
    """What a manager wants to say of a deal; the amount in corporate minor units."""

    verdict: str
    amount_minor: int | None
    close_date: date | None
    reason: str


def effect_of(
    part: DealPart | None,
    *,
    verdict: str,
    amount_minor: int | None,
    close_date: date | None,
    column: str,
    first: date,
    end: date,
) -> tuple[int, str]:
    """(what it adds to the column, why it ended): the part as judged less the part as it counts.

    In and out: all of it or nothing. An amount: that much, in the column or not. A date: the part where the date is in
    the period and its category in the column. A deal that was closed, deleted or went to somebody else has only facts.

    >>> deal = DealPart(1, 2, "Kestrel", "commit", None, False, date(2026, 11, 3), 100)
    >>> at = {"column": "commit", "first": date(2026, 10, 1), "end": date(2027, 1, 1)}
    >>> effect_of(deal, verdict="out", amount_minor=None, close_date=None, **at)
    (-100, '')
    >>> effect_of(deal, verdict="amount", amount_minor=60, close_date=None, **at)
    (-40, '')
    >>> effect_of(deal, verdict="date", amount_minor=None, close_date=date(2027, 1, 1), **at)
    (-100, '')
    """
    if part is None:
        return 0, "left"
    if part.is_deleted or part.outcome:
        return 0, "deleted" if part.is_deleted else part.outcome or ""
    whole = part.corporate_minor or 0
    fits = (part.category or NO_CATEGORY) in COLUMNS[column]

    def on(day: date | None) -> int:
        return whole if fits and day is not None and first <= day < end else 0

    judged = {"in": whole, "out": 0, "amount": amount_minor or 0, "date": on(close_date)}[verdict]
    return judged - on(part.close_date), ""


def check_judgement(wanted: NewJudgement, *, cell: Cell, today: date) -> None:
    """Raises Refused for what can't be said of any deal, or not in this column and period."""
    if cell.type_id is not None:
        raise Refused("type", "Deals are judged in the forecast of all deals")
    # A period that is over, a column that can't be adjusted, no reason: as of any adjustment.
    check_step(NewStep("delta", 0, wanted.reason, None), cell=cell, today=today)
    if wanted.verdict not in VERDICTS:
        raise Refused("verdict", f"Choose one of: {', '.join(VERDICTS)}")
    if (wanted.amount_minor is not None) != (wanted.verdict == "amount"):
        raise Refused("amount_minor", "Your own amount belongs to the verdict “amount”, and only to it")
    if (wanted.close_date is not None) != (wanted.verdict == "date"):
        raise Refused("close_date", "Your own date belongs to the verdict “date”, and only to it")
    if wanted.amount_minor is not None and not 0 <= wanted.amount_minor <= LARGEST_MINOR:
        raise Refused("amount_minor", "An amount is zero or more, and less than any forecast")
