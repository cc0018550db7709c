"""Which calendar does an organization have, as known at an instant?"""

from datetime import datetime

from otc.calendar.models import FiscalCalendar
from otc.calendar.rules import FIRST_YEAR, Calendar, Era
from otc.calendar.shapes import MonthShape
from otc.tenancy.models import FOREVER, Organization


def calendar_of(organization: Organization, *, known: datetime | None = None) -> Calendar:
    """The calendar of the organization in context, as known at `known` (None: now). One query."""
    rows = FiscalCalendar.objects.all()
    rows = (
        rows.filter(known_to=FOREVER)
        if known is None
        else rows.filter(known_from__lte=known, known_to__gt=known)
    )
    eras = [Era(row.from_year, row.shape) for row in rows.order_by("from_year")]
    if not eras or eras[0].from_year > FIRST_YEAR:
        eras.insert(0, Era(FIRST_YEAR, MonthShape(organization.fiscal_year_start_month)))
    return Calendar(tuple(eras))
