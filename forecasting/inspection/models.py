"""When a person last looked at the pipeline, so that the next look shows what changed since."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class LastVisit(TenantModel):
    """The visit before the current one (`previous_at`) is what "my last visit" means."""

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    page = models.CharField(max_length=20)
    at = models.DateTimeField()
    previous_at = models.DateTimeField(null=True)
    # What was chosen last to compare with: monday, period, visit or a day.
    since = models.CharField(max_length=10, blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "person", "page"], name="visit_once"),)
