"""Which weekly forecast left for whom?"""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class ForecastMail(TenantModel):
    """One per person and day, kept before its mail leaves: whatever dies after that, no second one goes."""

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    day = models.DateField()
    claimed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "person", "day"], name="forecast_mail_once_a_day"
            ),
        )
