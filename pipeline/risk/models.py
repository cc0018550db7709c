"""What past deals in the same place came to, and what that says of each open deal."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Stage


class StageRate(TenantModel):
    """Of the deals that stood open in `stage`, `band` days before their close date: how many ended how by it."""

    stage = TenantForeignKey(Stage, models.CASCADE, related_name="+")
    band = models.CharField(max_length=12)
    won_count = models.BigIntegerField(default=0)
    lost_count = models.BigIntegerField(default=0)
    slip_count = models.BigIntegerField(default=0)
    computed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "stage", "band"], name="stage_rate_once"),
        )


class RiskTurn(TenantModel):
    """What the chances of a deal said until `at`: that it slips (p_slip > 0.5), that it is won (p_won >= 0.5).

    Kept by the database whenever a risk is written or taken away and one of the two turns. At an instant the first
    turn after it counts; where there is none, the risk that stands.
    """

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    slips = models.BooleanField()
    wins = models.BooleanField()

    class Meta:
        indexes = (
            models.Index(fields=["organization", "at"], name="risk_turn_by_time"),
            models.Index(fields=["organization", "opportunity", "at"], name="risk_turn_by_deal"),
        )


class Risk(TenantModel):
    """p_won + p_lost + p_slip = 1 by the close date that stood at `computed_at`; empty where it has none."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    p_won = models.FloatField(null=True)
    p_lost = models.FloatField(null=True)
    p_slip = models.FloatField(null=True)
    close_date = models.DateField(null=True)
    model = models.CharField(max_length=40)
    reasons = models.JSONField(default=list)
    computed_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "opportunity"], name="risk_once"),)
        # A period's scores without their rows.
        indexes = (
            models.Index(
                fields=["organization", "close_date", "opportunity"],
                include=["p_slip", "p_won"],
                name="risk_by_close",
            ),
        )
