"""Who on the buyer's side plays which part in a deal, from when to when."""

from django.db import models
from django.db.models import F, Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import FOREVER
from pipeline.accounts.models import Contact
from pipeline.opportunities.models import Opportunity


class Part(models.TextChoices):
    CHAMPION = "champion", "Champion"
    ECONOMIC_BUYER = "economic_buyer", "Economic buyer"
    DECISION_MAKER = "decision_maker", "Decision maker"
    INFLUENCER = "influencer", "Influencer"
    USER = "user", "User"
    BLOCKER = "blocker", "Blocker"


class Influence(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class Stance(models.TextChoices):
    SUPPORTER = "supporter", "Supporter"
    NEUTRAL = "neutral", "Neutral"
    OPPONENT = "opponent", "Opponent"
    UNKNOWN = "unknown", "Unknown"


class BuyingRole(TenantModel):
    """A contact's part in one deal in [valid_from, valid_to). A contact may play several, each once at a time."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="buying_roles")
    contact = TenantForeignKey(Contact, models.CASCADE, related_name="+")
    role = models.CharField(max_length=16, choices=Part.choices)
    influence = models.CharField(max_length=8, choices=Influence.choices, default=Influence.MEDIUM)
    stance = models.CharField(max_length=12, choices=Stance.choices, default=Stance.UNKNOWN)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(default=FOREVER)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "opportunity", "contact", "role", "valid_from"],
                name="buying_role_starts_once",
            ),
            models.UniqueConstraint(
                fields=["organization", "opportunity", "contact", "role"],
                condition=Q(valid_to=FOREVER),
                name="buying_role_current_once",
            ),
            models.CheckConstraint(condition=Q(valid_from__lt=F("valid_to")), name="buying_role_interval"),
            models.CheckConstraint(condition=Q(role__in=Part.values), name="buying_role_role"),
            models.CheckConstraint(condition=Q(influence__in=Influence.values), name="buying_role_influence"),
            models.CheckConstraint(condition=Q(stance__in=Stance.values), name="buying_role_stance"),
        )
