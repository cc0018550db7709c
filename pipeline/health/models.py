"""How healthy each open deal was found, by which failed checks, and what the checks were held against."""

from django.db import models
from django.db.models import Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import FOREVER, Person
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Stage


class Health(TenantModel):
    """The latest score of a deal: 0 to 100, with the checks that failed as [{check, title, penalty, detail}].

    `checks` says the same in a number for counting: bit n is set where the check with that bit failed.
    """

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    score = models.PositiveSmallIntegerField()
    failed = models.JSONField(default=list)
    checks = models.IntegerField(default=0, db_default=0)
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


class HealthScale(TenantModel):
    """What the failed checks cost from `valid_from` on, where the organization chose otherwise than published.

    `penalties` is {check: points}; the checks of `off` are not made. One row without an end stands.
    """

    penalties = models.JSONField(default=dict)
    off = models.JSONField(default=list)
    set_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(default=FOREVER)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization"], condition=Q(valid_to=FOREVER), name="health_scale_stands_once"
            ),
        )


class HealthThreshold(TenantModel):
    """What was too long in a stage from `valid_from` on, in days; learned anew daily, a row where it moved.

    A value is empty where the stage's won deals say nothing of it: then the default holds.
    """

    stage = TenantForeignKey(Stage, models.CASCADE, related_name="+")
    won_deals = models.PositiveIntegerField()
    stalled_days = models.PositiveIntegerField(null=True)
    silent_days = models.PositiveIntegerField(null=True)
    least_days_to_close = models.PositiveIntegerField(null=True)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(default=FOREVER)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "stage"],
                condition=Q(valid_to=FOREVER),
                name="health_threshold_stands_once",
            ),
        )


class HealthDay(TenantModel):
    """One day's deals of an owner in a band, as the daily run left them: amounts in minor units of the
    organization's currency. `owner` empty: nobody's deals.
    """

    day = models.DateField()
    owner = TenantForeignKey(Person, models.CASCADE, null=True, blank=True, related_name="+")
    band = models.CharField(max_length=8, db_collation="C")
    deal_count = models.PositiveIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "day", "band", "owner"], nulls_distinct=False, name="health_day_once"
            ),
        )
