"""What people put on top of a forecast: steps that are never changed. Of a cell and role the latest counts."""

from django.db import models
from django.db.models import F, Q

from forecasting.rollup.rules import ADJUSTABLE
from forecasting.types.models import ForecastType
from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class StepKind(models.TextChoices):
    ABSOLUTE = "absolute", "Instead of the amount below"
    DELTA = "delta", "On top of the amount below"
    WITHDRAWN = "withdrawn", "Withdrawn"


class AdjustmentStep(TenantModel):
    """`author` adjusts `person` in a column of a period (2026-Q4), in corporate minor units; `is_own` on themselves.

    `type` is empty for the forecast of all deals. `base_minor` is the amount below when it was made: what the author
    saw. `expires_on` is the last day on which it counts. The application's role may insert and read steps only.
    """

    period = models.CharField(max_length=8, db_collation="C")
    type = TenantForeignKey(ForecastType, models.PROTECT, null=True, blank=True, related_name="+")
    column = models.CharField(max_length=24)
    person = TenantForeignKey(Person, models.PROTECT, related_name="+")
    author = TenantForeignKey(Person, models.PROTECT, related_name="+")
    is_own = models.BooleanField()
    kind = models.CharField(max_length=10, choices=StepKind.choices)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=500)
    expires_on = models.DateField(null=True, blank=True)
    base_minor = models.BigIntegerField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "period", "type", "column", "person", "is_own", "made_at"],
                nulls_distinct=False,
                name="adjustment_once",
            ),
            models.CheckConstraint(condition=Q(column__in=sorted(ADJUSTABLE)), name="adjustment_column"),
            models.CheckConstraint(condition=Q(kind__in=StepKind.values), name="adjustment_kind"),
            models.CheckConstraint(
                condition=~Q(kind="absolute") | Q(amount_minor__gte=0), name="adjustment_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(is_own=True, person=F("author")) | Q(Q(is_own=False), ~Q(person=F("author"))),
                name="adjustment_own_is_by_oneself",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="adjustment_says_why"),
        )
