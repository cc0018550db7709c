"""Who might buy: a lead before it is an opportunity, and the checklist that it is qualified by."""

from django.db import models
from django.db.models import Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.accounts.models import Account, Contact
from pipeline.opportunities.models import Opportunity


class LeadState(models.TextChoices):
    OPEN = "open", "Open"
    CONVERTED = "converted", "Converted"
    RETURNED = "returned", "Returned"


class ReturnReason(models.TextChoices):
    NO_FIT = "no_fit", "No fit"
    NO_NEED = "no_need", "No need"
    NO_BUDGET = "no_budget", "No budget"
    TOO_EARLY = "too_early", "Too early"
    NOT_REACHED = "not_reached", "Not reached"
    DOUBLE = "double", "Known already"
    OTHER = "other", "Other"


class Lead(TenantModel):
    """A company or person that may want something. `name` is what it is about; converted, it has a deal."""

    external_id = models.CharField(max_length=200, null=True, blank=True, db_collation="C")
    name = models.CharField(max_length=300)
    name_folded = models.CharField(max_length=300, db_collation="C")
    company = models.CharField(max_length=300, blank=True)
    contact_name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=50, blank=True)
    source = models.CharField(max_length=100, blank=True)
    campaign = models.CharField(max_length=200, blank=True)
    fit_note = models.CharField(max_length=2000, blank=True)
    owner = TenantForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=LeadState.choices, default=LeadState.OPEN)
    return_reason = models.CharField(max_length=12, choices=ReturnReason.choices, blank=True)
    return_note = models.CharField(max_length=500, blank=True)
    account = TenantForeignKey(Account, models.SET_NULL, null=True, blank=True, related_name="+")
    contact = TenantForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="+")
    opportunity = TenantForeignKey(Opportunity, models.SET_NULL, null=True, blank=True, related_name="leads")
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "external_id"], name="lead_external_id_once"),
            models.CheckConstraint(condition=Q(state__in=LeadState.values), name="lead_state"),
            models.CheckConstraint(
                condition=(Q(state="open") & Q(decided_at__isnull=True))
                | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="lead_decided",
            ),
            models.CheckConstraint(
                condition=Q(state="returned", return_reason__in=ReturnReason.values)
                | (~Q(state="returned") & Q(return_reason="")),
                name="lead_return_reason",
            ),
        )
        indexes = (
            models.Index(fields=["organization", "state", "-created_at", "id"], name="lead_by_state"),
            models.Index(fields=["organization", "owner", "state"], name="lead_by_owner"),
            models.Index(
                fields=["organization", "opportunity"],
                condition=Q(opportunity__isnull=False),
                name="lead_by_deal",
            ),
        )

    def __str__(self) -> str:
        return self.name


class LeadCheck(TenantModel):
    """One question of the organization's checklist, worth `points` of a lead's fit."""

    text = models.CharField(max_length=200)
    points = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveSmallIntegerField(default=100)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("position", "id")
        constraints = (models.CheckConstraint(condition=Q(points__range=(1, 100)), name="lead_check_points"),)

    def __str__(self) -> str:
        return self.text


class LeadMark(TenantModel):
    """A question of the checklist that holds for a lead. No row: not known, or no."""

    lead = TenantForeignKey(Lead, models.CASCADE, related_name="marks")
    check_asked = TenantForeignKey(LeadCheck, models.CASCADE, related_name="+")
    marked_at = models.DateTimeField()
    marked_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "lead", "check_asked"], name="lead_mark_once"),
        )
