"""Where else a deal's papers are: links with names."""

from django.db import models
from django.db.models import Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.opportunities.models import Opportunity


class DealLink(TenantModel):
    """A named https address on a deal, until `removed_at`."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    url = models.CharField(max_length=2000)
    added_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    added_at = models.DateTimeField()
    removed_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(url__startswith="https://"), name="deal_link_is_https"),
        )
        indexes = (models.Index(fields=["organization", "opportunity", "added_at"], name="link_by_deal"),)
