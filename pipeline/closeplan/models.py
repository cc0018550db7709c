"""What a buyer is shown of a deal, by which links, and what was ticked and said there."""

from django.db import models
from django.db.models import Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Milestone


class ClosePlan(TenantModel):
    """What is chosen for the buyer: the title, which of our people, which of our milestones (lists of ids)."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    title = models.CharField(max_length=200)
    person_ids = models.JSONField(default=list)
    milestone_ids = models.JSONField(default=list)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "opportunity"], name="close_plan_once"),
        )


class ClosePlanLink(TenantModel):
    """A link for one recipient: only its hash is kept; it opens the plan until it ends or is revoked."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    recipient = models.CharField(max_length=200)
    token_hash = models.CharField(max_length=64)
    made_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "token_hash"], name="close_plan_hash_once"),
        )
        indexes = (
            models.Index(fields=["token_hash"], name="close_plan_by_hash"),
            models.Index(fields=["organization", "opportunity"], name="close_plan_link_by_deal"),
        )


class PlanAct(models.TextChoices):
    MET = "met"
    OPEN = "open"
    COMMENT = "comment"


class ClosePlanEvent(TenantModel):
    """One tick or comment, by a link's recipient or by one of our people; never edited.

    `undoes` is the tick that a person took back with this one.
    """

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    link = TenantForeignKey(ClosePlanLink, models.CASCADE, null=True, blank=True, related_name="+")
    person = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    milestone = TenantForeignKey(Milestone, models.PROTECT, null=True, blank=True, related_name="+")
    act = models.CharField(max_length=8, choices=PlanAct.choices)
    text = models.TextField(blank=True)
    undoes = TenantForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(act="comment") & ~Q(text="")
                | Q(act__in=["met", "open"], milestone__isnull=False),
                name="close_plan_event_whole",
            ),
        )
        indexes = (
            models.Index(fields=["organization", "opportunity", "-at"], name="close_plan_event_by_deal"),
        )
