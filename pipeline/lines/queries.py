"""Which lines did a deal have at an instant, and which ever?"""

from datetime import datetime
from uuid import UUID

from otc.tenancy.models import FOREVER
from pipeline.lines.models import DealLine

# A deal's history of lines is read whole up to here; older rows are only missing from its timeline.
MOST_ROWS = 1000


def lines_ever(opportunity_id: UUID) -> list[DealLine]:
    """Every line that the deal has or had, with products and people, in the order of the list. One query."""
    found = DealLine.objects.filter(opportunity_id=opportunity_id).select_related(
        "product", "set_by", "ended_by"
    )
    latest = list(found.order_by("-valid_to", "-valid_from", "id")[:MOST_ROWS])
    return sorted(latest, key=lambda line: (line.position, line.valid_from, line.id))


def lines_at(lines: list[DealLine], instant: datetime) -> tuple[DealLine, ...]:
    """Those of `lines` that stood at `instant`."""
    return tuple(line for line in lines if line.valid_from <= instant < line.valid_to)


def lines_now(opportunity_id: UUID) -> list[DealLine]:
    """The present lines in their order, with their products."""
    found = DealLine.objects.filter(opportunity_id=opportunity_id, valid_to=FOREVER)
    return list(found.select_related("product").order_by("position", "valid_from", "id"))


def has_lines(opportunity_id: UUID) -> bool:
    return bool(DealLine.objects.filter(opportunity_id=opportunity_id, valid_to=FOREVER).exists())
