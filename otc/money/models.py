"""What a unit of another currency is worth, from which day on, and since when that is known."""

from django.db import models
from django.utils import timezone

from otc.tenancy.fields import TenantModel


class Rate(TenantModel):
    """Corporate units per one unit of `currency`, in force from `valid_from`, known since `known_from`."""

    currency = models.CharField(max_length=3)
    valid_from = models.DateField()
    known_from = models.DateTimeField(default=timezone.now)
    rate = models.DecimalField(max_digits=20, decimal_places=10)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "currency", "valid_from", "known_from"], name="rate_once"
            ),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="rate_positive"),
        )
