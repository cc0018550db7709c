"""What may be edited in place, how a typed value is understood, and how the present one is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_date

from otc.calendar.rules import Calendar
from otc.fields.queries import field_book, people_choices
from otc.fields.rules import Field, NotAccepted, read_text, stored
from otc.fields.shown import typed_of
from otc.fields.writing import reading_of
from otc.tenancy.models import Organization, Person
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from otc.ui.dates import DayNotUnderstood, parse_day
from otc.ui.format import currency_decimals
from pipeline.fields.forms import INPUT, field_choices
from pipeline.opportunities.gates import stage_in_process
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import OPEN_CATEGORIES, Refused, one_line
from pipeline.process.models import Category, Process
from pipeline.process.queries import process_stages

# Each asks where the deal stood there.
MOST_SWITCHES = 10


@dataclass(frozen=True)
class Typing:
    """Where a value is typed: the deal, the organization, its day and its fiscal calendar."""

    deal: Opportunity
    organization: Organization
    today: date
    calendar: Calendar


@dataclass(frozen=True)
class Cell:
    """One editable field. `read` turns typed text into the value to write; it raises Refused.

    `kind` is date, amount, text or choice. `needs_open` fields stay as they are once the deal is closed.
    """

    column: str
    label: str
    kind: str
    read: Callable[[str, Typing], Any]
    write: Callable[[Opportunity], str]
    choices: Callable[[Opportunity], Sequence[tuple[str, str]]] | None = None
    needs_open: bool = False
    field: Field | None = None

    def present(self, deal: Opportunity) -> Any:
        """What stands there now."""
        return getattr(deal, self.column) if self.field is None else stored(self.field, deal.attributes)

    def changes(self, value: Any) -> dict[str, Any]:
        """What opportunity_edit takes."""
        return {self.column: value} if self.field is None else {"fields": {self.field.key: value}}

    def currency(self, deal: Opportunity) -> str:
        """What a typed amount is in."""
        return deal.currency if self.field is None else self.field.currency


def _day(column: str) -> Callable[[str, Typing], date | None]:
    """As typed: "+2w" counts from the day that stands there, or from today once that passed."""

    def read(text: str, typing: Typing) -> date | None:
        if not text.strip():
            return None
        stands = getattr(typing.deal, column)
        try:
            return parse_day(
                text,
                today=typing.today,
                base=max(stands, typing.today) if stands else None,
                calendar=typing.calendar,
            )
        except DayNotUnderstood as problem:
            raise Refused(column, str(problem)) from problem

    return read


def _amount(text: str, typing: Typing) -> int | None:
    if not text.strip():
        return None
    try:
        return parse_amount(text, currency=typing.deal.currency)
    except AmountNotUnderstood as problem:
        raise Refused("amount_minor", str(problem)) from problem


def _reference(column: str, what: str) -> Callable[[str, Typing], UUID | None]:
    def read(text: str, typing: Typing) -> UUID | None:
        if not text:
            return None
        try:
            return UUID(text)
        except ValueError as problem:
            raise Refused(column, f"There is no such {what}") from problem

    return read


def _words(text: str, typing: Typing) -> str:
    return one_line(text, field="next_step")


def _name(text: str, typing: Typing) -> str:
    return one_line(text, field="name")


def _category(text: str, typing: Typing) -> str:
    return text


def written_amount(amount_minor: int | None, *, currency: str) -> str:
    """What an amount's editor begins with, as short as it reads back: "386000", "12.5"."""
    if amount_minor is None:
        return ""
    places = currency_decimals(currency)
    whole, rest = divmod(amount_minor, 10**places)
    return f"{whole}.{rest:0{places}d}".rstrip("0") if rest else str(whole)


def _written_amount(deal: Opportunity) -> str:
    return written_amount(deal.amount_minor, currency=deal.currency)


def _stages(deal: Opportunity) -> list[tuple[str, str]]:
    return [*own_stages(deal), *switches(deal)]


def own_stages(deal: Opportunity) -> list[tuple[str, str]]:
    """The stages of the deal's process."""
    return [(str(stage.id), stage.name) for stage in process_stages(deal.process_id)]


def switches(deal: Opportunity) -> list[tuple[str, str]]:
    """For each other process the stage that the deal would stand in there."""
    others = Process.objects.exclude(id=deal.process_id).order_by("name", "id")[:MOST_SWITCHES]
    found = [
        (process, stage_in_process(deal.id, here_id=deal.stage_id, process_id=process.id))
        for process in others
    ]
    return [(str(stage.id), f"Switch to {process.name}: {stage.name}") for process, stage in found if stage]


def _categories(deal: Opportunity) -> list[tuple[str, str]]:
    return [(category, Category(category).label) for category in OPEN_CATEGORIES]


def _owners(deal: Opportunity) -> list[tuple[str, str]]:
    people = Person.objects.filter(left_on__isnull=True).exclude(role="integration").order_by("name_folded")
    return [("", "Nobody"), *((str(person.id), person.name) for person in people)]


def _iso(column: str) -> Callable[[Opportunity], str]:
    def write(deal: Opportunity) -> str:
        day: date | None = getattr(deal, column)
        return day.isoformat() if day else ""

    return write


CELLS: dict[str, Cell] = {
    "name": Cell("name", "Name", "text", _name, lambda deal: deal.name),
    "stage": Cell(
        "stage_id",
        "Stage",
        "choice",
        _reference("stage_id", "stage"),
        lambda deal: str(deal.stage_id or ""),
        _stages,
        needs_open=True,
    ),
    "amount": Cell("amount_minor", "Amount", "amount", _amount, _written_amount),
    "close": Cell("close_date", "Close date", "date", _day("close_date"), _iso("close_date")),
    "category": Cell(
        "category",
        "Category",
        "choice",
        _category,
        lambda deal: deal.category or "",
        _categories,
        needs_open=True,
    ),
    "next": Cell("next_step", "Next step", "text", _words, lambda deal: deal.next_step),
    "next-on": Cell("next_step_on", "Next step’s day", "date", _day("next_step_on"), _iso("next_step_on")),
    "owner": Cell(
        "owner_id",
        "Owner",
        "choice",
        _reference("owner_id", "person"),
        lambda deal: str(deal.owner_id or ""),
        _owners,
    ),
}


CELL_KINDS = {"date": "date", "money": "amount", "choice": "choice", "person": "choice"}


def cell_named(name: str) -> Cell | None:
    """The cell of a column, or of the active custom field `field-<key>`; None for any other name."""
    if name in CELLS:
        return CELLS[name]
    found = field_book("deal").by_key(name.removeprefix(INPUT)) if name.startswith(INPUT) else None
    return field_cell(found) if found is not None and found.is_active else None


def field_cell(found: Field) -> Cell:
    """A custom field, edited where it stands."""

    def read(text: str, typing: Typing) -> Any:
        # A retired option or somebody who left may stay.
        if text == typed_of(found, stored(found, typing.deal.attributes)):
            return stored(found, typing.deal.attributes)
        try:
            return read_text(
                found, text, reading=reading_of(today=typing.today, calendar=lambda: typing.calendar)
            )
        except NotAccepted as problem:
            raise Refused(f"fields.{found.key}", problem.reason) from problem

    def choices(deal: Opportunity) -> Sequence[tuple[str, str]]:
        people = people_choices() if found.kind == "person" else []
        return field_choices(found, stored(found, deal.attributes), people=people)

    return Cell(
        "fields",
        found.label,
        CELL_KINDS.get(found.kind, "text"),
        read,
        lambda deal: typed_of(found, stored(found, deal.attributes)),
        choices if found.kind in ("choice", "person") else None,
        field=found,
    )


def base_day(cell: Cell, deal: Opportunity) -> str:
    """The ISO day that “+2w” counts from: the one that stands there now."""
    return cell.write(deal) if cell.kind == "date" and parse_date(cell.write(deal) or "x") else ""
