"""Which digest left for whom on which day?"""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class Digest(TenantModel):
    """One per person and day, kept before its mail leaves: whatever dies after that, no second one goes.

    It tells of (since, until]. `sent_at` is empty where nobody knows whether it arrived: the next one tells of that
    time again.
    """

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    day = models.DateField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "person", "day"], name="digest_once_a_day"),
        )
