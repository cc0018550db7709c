"""Is a deal big, did it change enough to be told of, and did its health fall? No Django."""

from dataclasses import dataclass
from datetime import date

# From so many points down on a fall in health is told of: one bad check.
FALL_POINTS = 20
MUCH_SHARE_PERCENT = 20
MUCH_DAYS = 14
COMMIT = "commit"


@dataclass(frozen=True)
class Threshold:
    """From where on a deal is big: a corporate amount, None for never, and a chance in percent."""

    amount_minor: int | None
    percent: int


@dataclass(frozen=True)
class Look:
    """A deal at an instant: its corporate amount (None: none, or no rate) and its chance of being won (0..1)."""

    corporate_minor: int | None
    chance: float
    close_date: date | None = None
    category: str | None = None
    stage_position: int | None = None
    outcome: str | None = None
    is_deleted: bool = False


def is_big(deal: Look, *, threshold: Threshold) -> bool:
    """By amount and chance; of a deal that has ended the amount alone counts.

    >>> is_big(Look(500_00, 0.4), threshold=Threshold(400_00, 40))
    True
    """
    if threshold.amount_minor is None or deal.corporate_minor is None:
        return False
    is_likely = deal.outcome is not None or round(deal.chance * 100) >= threshold.percent
    return deal.corporate_minor >= threshold.amount_minor and is_likely


def changed_much(before: Look, after: Look) -> bool:
    """Ended, reopened, deleted; a fifth more or less; a fortnight earlier or later; another stage; commit or not."""
    if before.outcome != after.outcome or before.is_deleted != after.is_deleted:
        return True
    if before.stage_position != after.stage_position:
        return True
    if (before.category == COMMIT) != (after.category == COMMIT):
        return True
    old, new = before.corporate_minor or 0, after.corporate_minor or 0
    if abs(new - old) * 100 >= MUCH_SHARE_PERCENT * max(old, 1) and new != old:
        return True
    if before.close_date is None or after.close_date is None:
        return before.close_date != after.close_date
    return abs((after.close_date - before.close_date).days) >= MUCH_DAYS


def has_fallen(before: int, after: int) -> bool:
    return before - after >= FALL_POINTS
