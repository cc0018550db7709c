"""What an organization looks for in a deal: its scorecards, each a version that stays."""

from django.db import models
from django.db.models import F, Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class Scorecard(TenantModel):
    """Written once. The highest `number` counts; one without criteria asks for nothing.

    `criteria` is a list of what `pipeline.fit.rules.criterion_of` reads. From `fair_percent` of the points on a deal
    fits fairly, from `good_percent` on well.
    """

    number = models.PositiveIntegerField()
    criteria = models.JSONField(default=list, blank=True)
    fair_percent = models.PositiveSmallIntegerField(default=40)
    good_percent = models.PositiveSmallIntegerField(default=70)
    made_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "number"], name="scorecard_number_once"),
            models.CheckConstraint(
                condition=Q(fair_percent__lt=F("good_percent"), good_percent__lte=100), name="scorecard_bands"
            ),
        )
