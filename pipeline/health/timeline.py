"""How a deal's health moved, as its timeline tells it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from otc.ui.format import delta
from pipeline.health.models import HealthChange
from pipeline.history.changes import Change
from pipeline.opportunities.timeline import SCORE, Entry

MOST_ROWS = 500


def health_changes(opportunity_id: UUID, *, until: datetime) -> list[HealthChange]:
    """The latest five hundred moves up to `until`, newest first. One query."""
    found = HealthChange.objects.filter(opportunity_id=opportunity_id, at__lte=until)
    return list(found.order_by("-at", "-id")[:MOST_ROWS])


def health_entries(moves: Iterable[HealthChange]) -> Iterator[Entry]:
    for move in moves:
        step = move.after - move.before
        change = Change(
            label="Health",
            before=str(move.before),
            after=str(move.after),
            icon="flag",
            delta=delta(step, text=str(abs(step))),
        )
        told = [f"{title} now" for title in move.failing] + [f"no longer: {title}" for title in move.passing]
        yield Entry(at=move.at, kind=SCORE, icon="flag", changes=(change,), note=", ".join(told))
