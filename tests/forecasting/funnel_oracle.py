"""What deals did in the stages, from the definitions alone: one deal after the other, in words."""

from collections import Counter
from datetime import datetime

DAY = 86400


def diary(versions, *, created: datetime, until: datetime) -> list[dict]:
    """The deal's visits of stages in order, each with its first and last instant and how it ended."""
    visits: list[dict] = []
    there = None
    for number, version in enumerate(versions):
        place = version.stage_id if version.outcome is None and version.deleted_at is None else None
        if there is not None and there["stage"] != place:
            there["to"] = version.valid_from
            there["by"] = "deletion" if version.deleted_at is not None else "leaving"
            there = None
        if place is not None and there is None:
            begun = min(version.valid_from, created) if number == 0 else version.valid_from
            there = {"stage": place, "from": begun, "to": until, "by": "nothing"}
            visits.append(there)
    return visits


def whole_days(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds() // DAY)


def account_for(visits: list[dict], finally_: str | None, *, order: dict) -> dict:
    """What one deal adds to each stage: {(stage, what): 1}. `order` gives each stage's position."""
    visits = [visit for visit in visits if visit["stage"] in order]
    book: Counter = Counter()
    path = [order[visit["stage"]] for visit in visits]
    if not path:
        return {}
    for stage, here in order.items():
        if here in path:
            first = path.index(here)
            went_on = finally_ == "won" or any(place > here for place in path[first + 1 :])
            end = "advanced" if went_on else "open" if finally_ is None else "lost"
            book[stage, "entered"] += 1
            book[stage, end] += 1
        else:
            passed = False
            for index, place in enumerate(path):
                beyond = finally_ == "won" or any(later > here for later in path[index + 1 :])
                passed = passed or (place < here and beyond)
            book[stage, "skipped"] += passed
    for before, after, visit in zip(path, path[1:], visits, strict=False):
        book[visit["stage"], "backward"] += after < before
    return {key: count for key, count in book.items() if count}


def survival(stays: list[tuple[int, bool]]) -> list[tuple[int, float]]:
    """Kaplan and Meier's curve, as the product over all days of the share of those there who stayed."""
    curve, alive = [], 1.0
    for day in sorted({days for days, ended in stays if ended}):
        there = sum(1 for days, _ in stays if days >= day)
        left = sum(1 for days, ended in stays if ended and days == day)
        alive *= (there - left) / there
        curve.append((day, alive))
    return curve


def median_of(stays: list[tuple[int, bool]]) -> int | None:
    return next((day for day, alive in survival(stays) if alive <= 0.5 + 1e-12), None)


def won_in_the_end(ends: list[tuple[int, str]]) -> float | None:
    """Aalen and Johansen, deal by deal: each winner adds what was left of the cohort the day before."""
    if not any(outcome for _, outcome in ends):
        return None
    total = 0.0
    closings = [(days, bool(outcome)) for days, outcome in ends]
    for days, outcome in ends:
        if outcome == "won":
            there = sum(1 for other, _ in ends if other >= days)
            left = [alive for day, alive in survival(closings) if day < days]
            total += (left[-1] if left else 1.0) / there
    return total
