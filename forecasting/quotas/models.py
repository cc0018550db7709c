"""The target of a person for a period, in corporate minor units."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class Quota(TenantModel):
    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    period = models.CharField(max_length=8, db_collation="C")
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "period", "person"], name="quota_once"),
            models.CheckConstraint(condition=models.Q(amount_minor__gte=0), name="quota_not_negative"),
        )
