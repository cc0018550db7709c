"""A block of cells is written: all of it or nothing, by the rules of one deal, and put back together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from otc.calendar.rules import Calendar
from otc.tenancy.models import Organization
from otc.tenancy.reach import Reach
from otc.undo.services import undo_offer
from pipeline.grid.days import TwoReadings, day_text, order_of
from pipeline.grid.rules import Block, NotChosen, Typed, chosen
from pipeline.opportunities.bulk import KIND
from pipeline.opportunities.cells import Cell, Typing, cell_named
from pipeline.opportunities.conflicts import Theirs, is_changed, theirs_of
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import Written, opportunity_edit
from pipeline.team.queries import seen


@dataclass(frozen=True)
class Desk:
    """Who writes: whose deals they see, and the organization's day and calendar that typed days are read by."""

    visible: Reach
    organization: Organization
    today: date
    calendar: Calendar

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.organization.timezone)


@dataclass(frozen=True)
class BadCell:
    """A cell that a rule refuses, and why."""

    cell: Typed
    deal_name: str
    label: str
    reason: str
    has_two_readings: bool = False


@dataclass(frozen=True)
class ChangedCell:
    """A cell that somebody changed since it was read, and what they wrote."""

    cell: Typed
    deal_name: str
    label: str
    theirs: Theirs


class BlockRefused(Exception):
    """Nothing was written, because of these cells; `others` could be, and are when one asks for the rest."""

    def __init__(self, bad: Sequence[BadCell], changed: Sequence[ChangedCell], *, others: int) -> None:
        super().__init__(f"{len(bad)} refused, {len(changed)} changed since")
        self.bad, self.changed, self.others = tuple(bad), tuple(changed), others


@dataclass(frozen=True)
class BlockWritten:
    """How many cells of which deals were changed, and the step that Undo takes back."""

    cells: int
    deal_ids: tuple[UUID, ...]
    step_id: UUID | None


@dataclass
class _Work:
    """What came of the block so far."""

    desk: Desk
    named: dict[str, Cell | None]
    orders: dict[str, str | None]
    choices: dict[tuple[str, Any], Sequence[tuple[str, str]]] = field(default_factory=dict)
    bad: list[BadCell] = field(default_factory=list)
    changed: list[ChangedCell] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    cells: int = 0


def block_write(block: Block, *, desk: Desk, skips_refused: bool) -> BlockWritten:
    """Write every cell, or none. Raises BlockRefused, and then nothing is written.

    With `skips_refused` cells that are refused or were changed since stay as they are, and the others are written.
    """
    named = {name: cell_named(name) for name in block.fields}
    dated = [name for name, cell in named.items() if cell and cell.kind == "date"]
    work = _Work(desk, named, {name: block.days or order_of(block.texts_of(name)) for name in dated})
    with transaction.atomic():
        # Locked in the order of ids, so that two blocks wait for each other; what is read below holds until the end.
        found = Opportunity.objects.filter(seen(desk.visible), id__in=block.deals, deleted_at__isnull=True)
        deals = {deal.id: deal for deal in found.select_for_update(of=("self",)).order_by("id")}
        places = {deal_id: row for row, deal_id in enumerate(block.deals)}
        for deal_id in sorted(block.deals):
            _write_row(work, deals.get(deal_id), block.cells_of(places[deal_id]))
        if (work.bad or work.changed) and not (skips_refused and work.cells):
            raise BlockRefused(
                sorted(work.bad, key=lambda one: (one.cell.row, one.cell.column)),
                sorted(work.changed, key=lambda one: (one.cell.row, one.cell.column)),
                others=work.cells,
            )
    if not work.written:
        return BlockWritten(0, (), None)
    steps = [[str(one.opportunity.id), str(one.before)] for one in work.written]
    said = f"{work.cells} cells of {len(steps)} deals changed"
    ids = tuple(one.opportunity.id for one in work.written)
    return BlockWritten(work.cells, ids, undo_offer(KIND, said=said, payload={"deals": steps}))


def _write_row(work: _Work, deal: Opportunity | None, cells: Sequence[Typed]) -> None:
    """One deal's cells in one edit; what a rule refuses is set aside until the others go through."""
    if deal is None:
        work.bad += [BadCell(one, "", _label(work, one), "This deal isn’t there any more") for one in cells]
        return
    wanted: dict[str, tuple[Typed, Cell, Any]] = {}
    for one in cells:
        try:
            cell = _cell(work, one)
            value = _value(work, cell, one, deal)
        except TwoReadings as problem:
            work.bad.append(BadCell(one, deal.name, _label(work, one), str(problem), has_two_readings=True))
            continue
        except Refused as refusal:
            work.bad.append(BadCell(one, deal.name, _label(work, one), refusal.reason))
            continue
        if value == cell.present(deal):
            continue
        if is_changed(cell, deal, was=one.was, value=value):
            theirs = theirs_of(cell, deal, today=work.desk.today, zone=work.desk.zone)
            work.changed.append(ChangedCell(one, deal.name, cell.label, theirs))
            continue
        wanted[one.field] = (one, cell, value)
    while wanted:
        try:
            written = opportunity_edit(deal.id, changes=_merged(wanted))
        except Refused as refusal:
            for name in _at_fault(refusal.field, wanted):
                one, cell, _ = wanted.pop(name)
                work.bad.append(BadCell(one, deal.name, cell.label, refusal.reason))
        else:
            work.written.append(written)
            work.cells += len(wanted)
            return


def _cell(work: _Work, one: Typed) -> Cell:
    cell = work.named[one.field]
    if cell is None:
        raise Refused(one.field, "This column is computed and can’t be typed into")
    return cell


def _label(work: _Work, one: Typed) -> str:
    cell = work.named[one.field]
    return cell.label if cell else one.field.capitalize()


def _value(work: _Work, cell: Cell, one: Typed, deal: Opportunity) -> Any:
    """What the text means in this cell; labels of choices mean their keys. Raises Refused and TwoReadings."""
    text = one.text.strip()
    if one.field in work.orders:
        text = day_text(text, order=work.orders[one.field])
    if cell.choices is not None:
        key = (one.field, deal.process_id)
        if key not in work.choices:
            work.choices[key] = cell.choices(deal)
        try:
            text = chosen(text, present=cell.write(deal), choices=work.choices[key], what=cell.label)
        except NotChosen as problem:
            raise Refused(one.field, str(problem)) from problem
    desk = work.desk
    return cell.read(text, Typing(deal, desk.organization, desk.today, desk.calendar))


def _merged(wanted: Mapping[str, tuple[Typed, Cell, Any]]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for _, cell, value in wanted.values():
        for column, new in cell.changes(value).items():
            changes[column] = {**changes.get(column, {}), **new} if column == "fields" else new
    return changes


def _at_fault(refused: str, wanted: Mapping[str, tuple[Typed, Cell, Any]]) -> list[str]:
    """The block's fields that a refusal names; all of the row where it names none of them."""
    named = [name for name, (_, cell, _) in wanted.items() if refused in (cell.column, _path(cell))]
    if not named and refused == "currency":
        named = [name for name in ("amount", "close") if name in wanted]
    return named or list(wanted)


def _path(cell: Cell) -> str:
    return f"fields.{cell.field.key}" if cell.field else cell.column
