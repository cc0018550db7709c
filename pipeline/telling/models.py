"""Up to when has somebody been told of a deal's changes?"""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from pipeline.opportunities.models import Opportunity


class DealTold(TenantModel):
    """One row per deal that changed since this was kept; whoever tells next begins at `until`."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    until = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "opportunity"], name="deal_told_once"),
        )
