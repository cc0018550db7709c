"""Did somebody change a cell since it was read? What they wrote, and who they are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from otc.tenancy.models import FOREVER
from otc.ui import format as fmt
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.cells import Cell
from pipeline.opportunities.models import Opportunity

# The run of versions that is looked through for whoever set the present value; beyond it nobody is named.
LOOKED_THROUGH = 100


class ChangedSince(Exception):
    """The cell no longer holds what its reader saw; `deal` is as it stands now, locked."""

    def __init__(self, deal: Opportunity) -> None:
        super().__init__("changed since it was read")
        self.deal = deal


@dataclass(frozen=True)
class Theirs:
    """What stands in a cell now: `written` as its editor takes it, `shown` for people, and who set it when."""

    written: str
    shown: str
    who: str
    at: datetime | None


def is_changed(cell: Cell, deal: Opportunity, *, was: str | None, value: Any) -> bool:
    """Whether `deal` holds something else than the reader saw, and else than they want to write.

    `was` is what the cell's editor would have begun with then; None where the reader doesn't say.
    """
    return was is not None and cell.write(deal) != was and cell.present(deal) != value


def must_stand(cell: Cell, *, was: str | None, value: Any) -> Callable[[Opportunity], None]:
    """What opportunity_edit asks of the locked deal before it writes; raises ChangedSince."""

    def check(deal: Opportunity) -> None:
        if is_changed(cell, deal, was=was, value=value):
            raise ChangedSince(deal)

    return check


def theirs_of(cell: Cell, deal: Opportunity, *, today: date, zone: tzinfo) -> Theirs:
    """The present value, who set it and when in `zone`. One query, and one for names where the cell has choices."""
    versions = OpportunityVersion.objects.filter(opportunity_id=deal.id, known_to=FOREVER)
    setter = None
    for version in versions.select_related("actor").order_by("-valid_from")[:LOOKED_THROUGH]:
        if cell.present(version) != cell.present(deal):
            break
        setter = version
    return Theirs(
        written=cell.write(deal),
        shown=shown(cell, deal, today=today),
        who=setter.actor.name if setter is not None and setter.actor else "Somebody",
        at=setter.valid_from.astimezone(zone) if setter is not None else None,
    )


def shown(cell: Cell, deal: Opportunity, *, today: date) -> str:
    """The cell's value in words, “empty” where nothing stands."""
    written = cell.write(deal)
    if not written:
        return "empty"
    if cell.choices is not None:
        return next((label for key, label in cell.choices(deal) if key == written), written)
    if cell.kind == "date":
        return fmt.day(date.fromisoformat(written), today=today)
    if cell.kind == "amount" and cell.field is None:
        return f"{fmt.money_full(deal.amount_minor, currency=deal.currency)} {deal.currency}"
    return written
