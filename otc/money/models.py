"""What a unit of another currency is worth, from which day on, and since when that is known."""

from django.db import models
from django.utils import timezone

from otc.tenancy.fields import TenantModel
from otc.tenancy.models import FOREVER


class Rate(TenantModel):
    """Corporate units per one unit of `currency`, in force from `valid_from` until the currency's next rate.

    Known in [known_from, known_to): a correction ends what was known and adds a row, a withdrawal only ends it.
    """

    currency = models.CharField(max_length=3)
    valid_from = models.DateField()
    known_from = models.DateTimeField(default=timezone.now)
    known_to = models.DateTimeField(default=FOREVER)
    rate = models.DecimalField(max_digits=20, decimal_places=10)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "currency", "valid_from", "known_from"], name="rate_once"
            ),
            models.UniqueConstraint(
                fields=["organization", "currency", "valid_from"],
                condition=models.Q(known_to=FOREVER),
                name="rate_current_once",
            ),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="rate_positive"),
            models.CheckConstraint(
                condition=models.Q(known_from__lt=models.F("known_to")), name="rate_known_interval"
            ),
        )
