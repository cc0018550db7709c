"""Which deals are worth talking about, and why? No Django."""

from dataclasses import dataclass
from datetime import date

FEW = 8
LARGE_CHANGE_PERCENT = 20
# What a manager wants to talk about first; a deal's own size decides among equals.
WEIGHTS = {
    "commit_risk": 50,
    "passed": 40,
    "pushed_out": 35,
    "fell": 30,
    "left_commit": 30,
    "pushed": 20,
    "stalled": 18,
    "silent": 16,
    "no_next_step": 14,
    "no_amount": 12,
    "rose": 12,
    "upside": 10,
    "health": 6,
}


@dataclass(frozen=True)
class Facts:
    """A deal as it stands and stood at the last talk; corporate minor units. `pushes` are since then."""

    today: date
    name: str
    category: str | None
    corporate_minor: int | None
    close_date: date | None
    next_step: str
    next_step_on: date | None
    existed: bool
    was_category: str | None
    was_corporate_minor: int | None
    was_close_date: date | None
    period_end: date
    failed: tuple[str, ...] = ()
    p_won: float | None = None
    p_slip: float | None = None
    pushes: int = 0


@dataclass(frozen=True)
class Reason:
    key: str
    text: str

    @property
    def weight(self) -> int:
        return WEIGHTS[self.key]


def reasons(deal: Facts) -> tuple[Reason, ...]:
    """Why to talk about the deal, the weightiest first; empty: nothing to talk about.

    >>> deal = Facts(date(2026, 11, 22), "Kestrel", "commit", 5, date(2026, 11, 20), "", None, True, "commit", 5,
    ...              date(2026, 11, 20), date(2027, 1, 1))
    >>> [reason.key for reason in reasons(deal)]
    ['passed', 'no_next_step']
    """
    found = [*_standing(deal), *(_changes(deal) if deal.existed else ())]
    return tuple(sorted(found, key=lambda reason: -reason.weight))


def _standing(deal: Facts) -> list[Reason]:
    found = []
    is_passed = deal.close_date is not None and deal.close_date < deal.today
    if deal.category == "commit" and ("commit_at_risk" in deal.failed or (deal.p_slip or 0) > 0.5):
        chance = f", {round(deal.p_won * 100)} % to close in time" if deal.p_won is not None else ""
        found.append(Reason("commit_risk", f"In commit at high risk{chance}"))
    if is_passed:
        found.append(Reason("passed", "Close date passed"))
    if "stalled" in deal.failed:
        found.append(Reason("stalled", "Stalled in its stage"))
    if "silent" in deal.failed:
        found.append(Reason("silent", "Silent"))
    if not deal.next_step:
        found.append(Reason("no_next_step", "No next step"))
    elif deal.next_step_on is not None and deal.next_step_on < deal.today:
        found.append(Reason("no_next_step", "Next step overdue"))
    if deal.corporate_minor is None:
        found.append(Reason("no_amount", "No amount"))
    if deal.category in ("pipeline", "best_case") and (deal.p_won or 0) >= 0.5 and not is_passed:
        found.append(Reason("upside", f"Upside: {round((deal.p_won or 0) * 100)} % to close in time"))
    if len(deal.failed) >= 4:
        found.append(Reason("health", f"{len(deal.failed)} health checks fail"))
    return found


def _changes(deal: Facts) -> list[Reason]:
    """Since the last talk."""
    found = []
    moved_out = deal.was_close_date is not None and deal.was_close_date < deal.period_end
    if moved_out and (deal.close_date is None or deal.close_date >= deal.period_end):
        found.append(Reason("pushed_out", "Pushed out of the period"))
    elif deal.pushes:
        times = "once" if deal.pushes == 1 else f"{deal.pushes} times"
        found.append(Reason("pushed", f"Pushed {times}"))
    if deal.was_category == "commit" and deal.category != "commit":
        found.append(Reason("left_commit", "Left commit"))
    before, now = deal.was_corporate_minor, deal.corporate_minor
    if before and now is not None and abs(now - before) * 100 >= LARGE_CHANGE_PERCENT * before:
        percent = round(abs(now - before) * 100 / before)
        key, word = ("fell", "Fell") if now < before else ("rose", "Rose")
        found.append(Reason(key, f"{word} by {percent} %"))
    return found


def worth(found: tuple[Reason, ...], *, corporate_minor: int | None) -> tuple[int, int]:
    """By what deals are ranked: all reasons count, the first one most; then size."""
    first = found[0].weight if found else 0
    return first * 2 + sum(reason.weight for reason in found), corporate_minor or 0


def is_clean(
    *,
    today: date,
    amount_minor: int | None,
    close_date: date | None,
    next_step: str,
    next_step_on: date | None,
) -> bool:
    """Hygiene: an open deal with an amount, a close date and a next step of which neither has passed."""
    return (
        amount_minor is not None
        and close_date is not None
        and close_date >= today
        and bool(next_step)
        and (next_step_on is None or next_step_on >= today)
    )
