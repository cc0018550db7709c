"""Which shape an organization's fiscal years have from which year on, and since when that is known."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from otc.calendar.shapes import Ending, MonthShape, NamedBy, Pattern, Shape, WeekShape
from otc.tenancy.fields import TenantModel
from otc.tenancy.models import FOREVER

MONTHS, WEEKS = "months", "weeks"


class FiscalCalendar(TenantModel):
    """Years from `from_year` on have this shape, known in [known_from, known_to).

    Until the first of them the organization's founding month counts. `month` is the first month of years of
    months and the last one of years of weeks; what only the other kind has is empty. `before` holds what the change
    moved in other rooms, by room, so that undo can put it back.
    """

    from_year = models.PositiveSmallIntegerField()
    basis = models.CharField(max_length=8, choices=((MONTHS, "Months"), (WEEKS, "Weeks")))
    month = models.PositiveSmallIntegerField()
    named_by = models.CharField(max_length=8, choices=[(way.value, way.value) for way in NamedBy])
    pattern = models.CharField(max_length=8, blank=True)
    weekday = models.PositiveSmallIntegerField(null=True, blank=True)
    ending = models.CharField(max_length=8, blank=True)
    known_from = models.DateTimeField(default=timezone.now)
    known_to = models.DateTimeField(default=FOREVER)
    before = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "from_year"], condition=Q(known_to=FOREVER), name="calendar_year_once"
            ),
            models.CheckConstraint(
                condition=Q(known_from__lt=models.F("known_to")), name="calendar_known_interval"
            ),
            models.CheckConstraint(condition=Q(month__range=(1, 12)), name="calendar_month"),
            models.CheckConstraint(
                condition=Q(basis=MONTHS, pattern="", ending="", weekday__isnull=True)
                | Q(
                    basis=WEEKS,
                    pattern__in=[pattern.value for pattern in Pattern],
                    ending__in=[ending.value for ending in Ending],
                    weekday__range=(0, 6),
                ),
                name="calendar_shape",
            ),
        )

    @property
    def shape(self) -> Shape:
        named_by = NamedBy(self.named_by)
        if self.basis == MONTHS:
            return MonthShape(self.month, named_by)
        weekday = self.weekday or 0
        return WeekShape(Pattern(self.pattern), self.month, weekday, Ending(self.ending), named_by)


def columns_of(shape: Shape) -> dict[str, object]:
    """The columns that hold a shape."""
    if isinstance(shape, MonthShape):
        return {"basis": MONTHS, "month": shape.start_month, "named_by": shape.named_by.value}
    return {
        "basis": WEEKS,
        "month": shape.end_month,
        "named_by": shape.named_by.value,
        "pattern": shape.pattern.value,
        "weekday": shape.end_weekday,
        "ending": shape.ending.value,
    }
