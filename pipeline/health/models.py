"""How healthy each open deal was found, and by which failed checks."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from pipeline.opportunities.models import Opportunity


class Health(TenantModel):
    """The latest score of a deal: 0 to 100, with the checks that failed as [{check, title, penalty, detail}]."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    score = models.PositiveSmallIntegerField()
    failed = models.JSONField(default=list)
    computed_at = models.DateTimeField()
    computed_on = models.DateField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "opportunity"], name="health_once"),)


class HealthChange(TenantModel):
    """A score that moved: from what to what, and which checks began to fail or passed again, by their titles."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    before = models.PositiveSmallIntegerField()
    after = models.PositiveSmallIntegerField()
    failing = models.JSONField(default=list)
    passing = models.JSONField(default=list)

    class Meta:
        indexes = (models.Index(fields=["organization", "opportunity", "-at"], name="health_change_by_deal"),)
