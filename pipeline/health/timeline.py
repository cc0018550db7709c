"""How a deal's health moved, as its timeline tells it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from otc.ui import format as fmt
from otc.ui.charts import line
from otc.ui.charts.svg import Chart
from otc.ui.format import delta
from pipeline.health.models import HealthChange
from pipeline.history.changes import Change
from pipeline.opportunities.timeline import SCORE, Entry

MOST_ROWS = 500
DAYS = 30


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


def health_line(
    moves: Sequence[HealthChange], *, score: int, first_on: date, day: date, zone: ZoneInfo
) -> Chart | None:
    """The score at the end of each of the thirty days up to `day`, from the moves that were kept, newest first; None
    where it never moved in them.
    """
    days = [day - timedelta(days=back) for back in reversed(range(DAYS))]
    shown = [one for one in days if one >= first_on]
    points = []
    for one in shown:
        value = score_on(moves, one, score=score, zone=zone)
        points.append(line.LinePoint(fmt.day(one, today=day), value, str(value)))
    if len({point.value for point in points}) < 2:
        return None
    return line.draw(label="Health by day", points=points, low=0, high=100)


def score_on(moves: Sequence[HealthChange], day: date, *, score: int, zone: ZoneInfo) -> int:
    """The score that stood at the end of `day`: what the first move after it began with, else the present one."""
    later = [move for move in moves if move.at.astimezone(zone).date() > day]
    return later[-1].before if later else score
