"""Which calendar does an organization have, as known at an instant?"""

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from otc.calendar.models import FiscalCalendar
from otc.calendar.rules import FIRST_YEAR, Calendar, Era
from otc.calendar.shapes import MonthShape
from otc.tenancy.models import FOREVER, Organization


def calendar_of(organization: Organization, *, known: datetime | None = None) -> Calendar:
    """The calendar of the organization in context, as known at `known` (None: now). One query."""
    rows = (
        FiscalCalendar.objects.filter(known_to=FOREVER)
        if known is None
        else FiscalCalendar.objects.filter(known_from__lte=known, known_to__gt=known)
    )
    return _with_beginning(_eras(rows), organization.fiscal_year_start_month)


def calendar_stamped(organization: Organization) -> Calendar:
    """The present calendar of an organization whose row was read in this request: no query for a known stamp."""
    eras = _kept(organization.calendar_stamp) if organization.calendar_stamp else ()
    return _with_beginning(eras, organization.fiscal_year_start_month)


@lru_cache(maxsize=512)
def _kept(stamp: UUID) -> tuple[Era, ...]:
    """A stamp is random and new with every change, so it names one organization's calendar at one time."""
    return _eras(FiscalCalendar.objects.filter(known_to=FOREVER))


def _eras(rows: Any) -> tuple[Era, ...]:
    return tuple(Era(row.from_year, row.shape) for row in rows.order_by("from_year"))


def _with_beginning(eras: tuple[Era, ...], start_month: int) -> Calendar:
    """Before the first era years are months, as the organization began."""
    if not eras or eras[0].from_year > FIRST_YEAR:
        eras = (Era(FIRST_YEAR, MonthShape(start_month)), *eras)
    return Calendar(eras)
