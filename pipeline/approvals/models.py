"""Asking the manager whether a deal may go on: above an amount a stage wants that."""

from django.db import models
from django.db.models import Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Stage


class ApprovalState(models.TextChoices):
    ASKED = "asked", "Asked"
    GRANTED = "granted", "Granted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"
    OVERTAKEN = "overtaken", "Overtaken"


class ApprovalRequest(TenantModel):
    """May this deal enter `stage`, worth `amount_minor` (corporate)? `changes` is what happens when it is granted.

    `from_stage` is where the deal stood when it was asked; `asked_of` is empty where nobody is above the owner.
    """

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="approval_requests")
    stage = TenantForeignKey(Stage, models.PROTECT, related_name="+")
    from_stage = TenantForeignKey(Stage, models.PROTECT, null=True, blank=True, related_name="+")
    asked_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    asked_of = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    changes = models.JSONField(default=dict)
    note = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=ApprovalState.choices, default=ApprovalState.ASKED)
    decided_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "opportunity"],
                condition=Q(state="asked"),
                name="approval_asked_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[value for value, _ in ApprovalState.choices]), name="approval_state"
            ),
            models.CheckConstraint(
                condition=Q(state="asked", decided_at__isnull=True)
                | (~Q(state="asked") & Q(decided_at__isnull=False)),
                name="approval_decided",
            ),
        )
        indexes = (
            models.Index(fields=["organization", "state", "-asked_at"], name="approval_by_state"),
            models.Index(fields=["organization", "opportunity"], name="approval_by_deal"),
        )

    @property
    def is_asked(self) -> bool:
        return bool(self.state == ApprovalState.ASKED)
