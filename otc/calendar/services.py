"""The only writers of an organization's fiscal calendar."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from uuid import UUID

from otc.audit.services import audit_append
from otc.calendar.holders import HOLDERS, shares_of
from otc.calendar.models import FiscalCalendar, columns_of
from otc.calendar.queries import calendar_of
from otc.calendar.report import CalendarReport, calendar_report
from otc.calendar.rules import FIRST_YEAR, CalendarRefused
from otc.calendar.shapes import Shape
from otc.tenancy.models import FOREVER, Organization

# A first calendar for all years was never otherwise: it counts as always having been known.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class WordNeeded(CalendarRefused):
    """Closed periods or things that hang on periods would change, and nobody said what becomes of them."""

    def __init__(self, report: CalendarReport) -> None:
        parts = [f"{held.count} {held.name}" for held in report.held]
        if report.closed_count:
            parts.insert(0, f"{report.closed_count} periods that ended already")
        super().__init__(
            f"This changes the days of {' and '.join(parts)}. Begin with a later year, or say that it is meant."
        )
        self.report = report


@dataclass(frozen=True)
class CalendarWritten:
    row: FiscalCalendar
    report: CalendarReport


def calendar_change(
    organization: Organization, *, shape: Shape, from_year: int, is_meant: bool, now: datetime, today: date
) -> CalendarWritten:
    """Give the years from `from_year` on another shape; 1900 means all years.

    With `is_meant` what hangs on changed periods goes with them: each room shares its own out (quotas by days) or
    keeps it. Raises CalendarRefused, and WordNeeded without it.
    """
    lock_calendar(organization)
    before = calendar_of(organization)
    after = before.changed(shape, from_year=from_year)
    report = calendar_report(before, after, today=today)
    if report.first_day is None:
        raise CalendarRefused("That is the calendar already.")
    if report.needs_word and not is_meant:
        raise WordNeeded(report)
    present = FiscalCalendar.objects.filter(from_year=from_year, known_to=FOREVER).first()
    if present is not None:
        _end(present, now)
    is_first = from_year == FIRST_YEAR and not FiscalCalendar.objects.exists()
    row = FiscalCalendar(
        from_year=from_year,
        known_from=BEGINNING if is_first else now,
        before={
            held.name: held.holder.share_out(held.keys, partial(shares_of, before=before, after=after))
            for held in report.held
        },
        **columns_of(shape),
    )
    row.save()
    row.refresh_from_db()
    _audit("calendar.changed", row, f"{shape}, {_since(from_year)}", first_day=report.first_day)
    return CalendarWritten(row, report)


def calendar_undo(organization: Organization, row_id: UUID, *, now: datetime) -> None:
    """Take the latest change back, with what it moved. Raises CalendarRefused when there was another since."""
    lock_calendar(organization)
    row = latest_change()
    if row is None or row.id != row_id:
        raise CalendarRefused("The calendar was changed again since; change it by hand.")
    replaced = FiscalCalendar.objects.filter(from_year=row.from_year, known_to=row.known_from).first()
    _end(row, now)
    if replaced is not None:
        FiscalCalendar(from_year=row.from_year, known_from=now, **columns_of(replaced.shape)).save()
    for holder in HOLDERS:
        if holder.name in row.before:
            holder.restore(row.before[holder.name])
    _audit("calendar.restored", row, f"Undone: {row.shape}, {_since(row.from_year)}", first_day=None)


def latest_change() -> FiscalCalendar | None:
    """The change that undo is about: the last row, while it still counts."""
    row: FiscalCalendar | None = FiscalCalendar.objects.order_by("-id").first()
    return row if row is not None and row.known_to == FOREVER else None


def lock_calendar(organization: Organization) -> None:
    """One change at a time."""
    Organization.objects.select_for_update().get(id=organization.id)


def _since(from_year: int) -> str:
    return "for all years" if from_year == FIRST_YEAR else f"from the fiscal year {from_year} on"


def _end(row: FiscalCalendar, now: datetime) -> None:
    row.known_to = now
    row.save(update_fields=["known_to"])


def _audit(action: str, row: FiscalCalendar, summary: str, *, first_day: date | None) -> None:
    detail = {"from_year": row.from_year, "shape": str(row.shape)}
    if first_day is not None:
        detail["first_day"] = first_day.isoformat()
    audit_append(action, subject_kind="calendar", subject_id=row.id, summary=summary, detail=detail)
