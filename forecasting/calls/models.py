"""The number that a person submits for a period: never changed, the latest counts."""

from django.db import models
from django.db.models import Q

from forecasting.types.models import ForecastType
from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class CallColumn(models.TextChoices):
    """Calls are cumulative: each includes what is closed and what is surer."""

    COMMIT = "commit_cumulative", "Commit"
    MOST_LIKELY = "most_likely_cumulative", "Most likely"
    BEST_CASE = "best_case_cumulative", "Best case"


class Call(TenantModel):
    """What `person` expects of `period` (2026-Q4) in a column, in corporate minor units. The application's role
    may insert and read calls, and nothing else.
    """

    person = TenantForeignKey(Person, models.PROTECT, related_name="+")
    period = models.CharField(max_length=8, db_collation="C")
    # Empty: of all deals.
    type = TenantForeignKey(ForecastType, models.PROTECT, null=True, blank=True, related_name="+")
    column = models.CharField(max_length=24, choices=CallColumn.choices, default=CallColumn.COMMIT)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    note = models.CharField(max_length=500, blank=True)
    submitted_at = models.DateTimeField()
    submitted_by = TenantForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "period", "person", "type", "column", "submitted_at"],
                nulls_distinct=False,
                name="call_once",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="call_not_negative"),
            models.CheckConstraint(condition=Q(column__in=CallColumn.values), name="call_column"),
        )


class ReminderKind(models.TextChoices):
    BEFORE = "before", "Before the deadline"
    AFTER = "after", "After it"
    ASKED = "asked", "Asked for by a manager"


class CallReminder(TenantModel):
    """That `person` was reminded of a call: once per `day` and kind. `day` is the deadline's, or the one on which a
    manager asked.
    """

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=ReminderKind.choices)
    day = models.DateField()
    reminded_at = models.DateTimeField()
    reminded_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "person", "kind", "day"], name="call_reminder_once"
            ),
        )
