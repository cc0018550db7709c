"""What happened around a deal: calls, mails, meetings, notes."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.accounts.models import Contact
from pipeline.opportunities.models import Opportunity


class Activity(TenantModel):
    """One contact or note. `direction` is in, out or empty."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="activities")
    external_id = models.CharField(max_length=200, null=True, blank=True, db_collation="C")
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, default="note")
    direction = models.CharField(max_length=3, blank=True)
    subject = models.CharField(max_length=500, blank=True)
    person = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    contact = TenantForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "external_id"], name="activity_external_id_once"),
            models.CheckConstraint(
                condition=models.Q(direction__in=["", "in", "out"]), name="activity_direction"
            ),
        )
        indexes = (
            models.Index(fields=["organization", "opportunity", "-at"], name="activity_by_opportunity"),
        )
