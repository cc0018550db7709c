"""A period's forecast as it was locked: its instant, its grid as it was shown, and who opened it again and why."""

from django.db import models
from django.db.models import Q

from forecasting.types.models import ForecastType
from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class Lock(TenantModel):
    """From `locked_at` until it is unlocked nobody calls or adjusts the period. `first` and `end` are its days under
    the calendar of then; `locked_by` is empty where the period's end did it.

    `kept_at` is empty until the grid stands in LockedRow: edits that began before `locked_at` end first. `rules` says
    by which rules that grid was summed. The application's role may set these three once, and nothing else.
    """

    period = models.CharField(max_length=8, db_collation="C")
    label = models.CharField(max_length=40)
    first = models.DateField()
    end = models.DateField()
    locked_at = models.DateTimeField()
    locked_by = TenantForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    # Empty: the whole period, with every type.
    type = TenantForeignKey(ForecastType, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    currency = models.CharField(max_length=3)
    kept_at = models.DateTimeField(null=True, blank=True)
    rules = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "period", "type", "locked_at"], nulls_distinct=False, name="lock_once"
            ),
            models.CheckConstraint(condition=Q(first__lt=models.F("end")), name="lock_has_days"),
        )


class Unlock(TenantModel):
    """The end of a lock: once, with a reason. Locking again makes another lock; the grid of this one stays."""

    lock = TenantForeignKey(Lock, models.CASCADE, related_name="unlocks")
    unlocked_at = models.DateTimeField()
    unlocked_by = TenantForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "lock"], name="unlock_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="unlock_says_why"),
        )


class RowKind(models.TextChoices):
    PERSON = "person"
    UNASSIGNED = "unassigned"
    TOTAL = "total"


class LockedRow(TenantModel):
    """One line of a type's grid as it was shown: `amounts` are the five amounts by column, own, rolled up, with the
    reports' adjustments, seen and final; `calls` the latest call by column. All are minor units of the lock's currency.
    """

    lock = TenantForeignKey(Lock, models.CASCADE, related_name="rows")
    # Empty: of all deals.
    type = TenantForeignKey(ForecastType, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=10, choices=RowKind.choices)
    place = models.PositiveIntegerField()
    person = TenantForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    manager = TenantForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=200)
    title = models.CharField(max_length=200, blank=True)
    depth = models.PositiveSmallIntegerField()
    is_unassigned = models.BooleanField()
    deal_count = models.PositiveIntegerField()
    without_amount = models.PositiveIntegerField(default=0)
    quota_minor = models.BigIntegerField(null=True, blank=True)
    amounts = models.JSONField()
    calls = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "lock", "type", "place"], nulls_distinct=False, name="locked_row_once"
            ),
            models.CheckConstraint(
                condition=Q(kind=RowKind.PERSON, person__isnull=False)
                | Q(kind__in=[RowKind.UNASSIGNED, RowKind.TOTAL], person__isnull=True),
                name="locked_row_person",
            ),
        )
