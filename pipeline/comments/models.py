"""What colleagues say to each other on a deal."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.opportunities.models import Opportunity


class DealComment(TenantModel):
    """Plain text. `mentions` are [start, end, person's id] of each @Name in it, in characters."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    author = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    text = models.TextField()
    mentions = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(text=""), name="deal_comment_says_something"),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("text"), 10_000), name="deal_comment_length"
            ),
        )
        indexes = (
            models.Index(fields=["organization", "opportunity", "-created_at"], name="comment_by_deal"),
        )
