"""The deal as it stands now, and the state that every version of it repeats."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.accounts.models import Account
from pipeline.process.models import Category, CloseReason, Milestone, Process, Stage


class Outcome(models.TextChoices):
    WON = "won", "Won"
    LOST = "lost", "Lost"
    NO_DECISION = "no_decision", "No decision"


class Product(TenantModel):
    """Something that is sold."""

    external_id = models.CharField(max_length=200, null=True, blank=True, db_collation="C")
    name = models.CharField(max_length=200)
    name_folded = models.CharField(max_length=200, db_collation="C")
    family = models.CharField(max_length=200, blank=True)
    list_price_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    attributes = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "external_id"], name="product_external_id_once"),
            models.UniqueConstraint(fields=["organization", "name_folded"], name="product_once"),
        )

    def __str__(self) -> str:
        return self.name


class Competitor(TenantModel):
    """Whom a deal is fought against."""

    name = models.CharField(max_length=200)
    name_folded = models.CharField(max_length=200, db_collation="C")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "name_folded"], name="competitor_once"),
        )

    def __str__(self) -> str:
        return self.name


class DealState(TenantModel):
    """Everything of a deal that a report sums, filters or groups by. Versions hold exactly these columns.

    `split_people` have `split_shares` of the amount, in basis points, the largest first; empty where the owner has it
    whole. The database takes both over from the splits, and nothing else writes them.
    """

    name = models.CharField(max_length=300)
    account = TenantForeignKey(Account, models.PROTECT, null=True, blank=True, related_name="+")
    owner = TenantForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    process = TenantForeignKey(Process, models.PROTECT, null=True, blank=True, related_name="+")
    stage = TenantForeignKey(Stage, models.PROTECT, null=True, blank=True, related_name="+")
    category = models.CharField(max_length=12, choices=Category.choices, null=True, blank=True)
    category_set_by_person = models.BooleanField(default=False)
    amount_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    close_date = models.DateField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    reason = TenantForeignKey(CloseReason, models.PROTECT, null=True, blank=True, related_name="+")
    competitor = TenantForeignKey(Competitor, models.PROTECT, null=True, blank=True, related_name="+")
    product = TenantForeignKey(Product, models.PROTECT, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=100, blank=True)
    next_step = models.CharField(max_length=500, blank=True)
    next_step_on = models.DateField(null=True, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    split_people = ArrayField(models.UUIDField(), null=True, blank=True, editable=False)
    split_shares = ArrayField(models.IntegerField(), null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_open(self) -> bool:
        return self.outcome is None and self.deleted_at is None


class Opportunity(DealState):
    """One possible sale. Its history is written by the database, never by code."""

    external_id = models.CharField(max_length=200, null=True, blank=True, db_collation="C")
    name_folded = models.CharField(max_length=300, db_collation="C")
    created_at = models.DateTimeField()
    # Whether the amount is what the deal's lines come to: its own versions say what it was.
    amount_follows_lines = models.BooleanField(default=False, db_default=False)
    milestones = models.ManyToManyField(Milestone, through="OpportunityMilestone", related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "external_id"], name="opportunity_external_id_once"
            ),
            models.CheckConstraint(
                condition=Q(outcome__isnull=True, closed_at__isnull=True)
                | Q(outcome__isnull=False, closed_at__isnull=False),
                name="opportunity_closed_at",
            ),
            models.CheckConstraint(
                condition=Q(outcome="won", category="closed")
                | (~Q(outcome="won") | Q(outcome__isnull=True))
                & (~Q(category="closed") | Q(category__isnull=True)),
                name="opportunity_won_is_closed",
            ),
            models.CheckConstraint(
                condition=Q(outcome__isnull=True) | Q(outcome__in=["won", "lost", "no_decision"]),
                name="opportunity_outcome",
            ),
            models.CheckConstraint(
                condition=Q(category__isnull=True) | Q(category__in=[value for value, _ in Category.choices]),
                name="opportunity_category",
            ),
        )
        indexes = (
            models.Index(
                fields=["organization", "owner", "close_date", "id"],
                condition=Q(outcome__isnull=True, deleted_at__isnull=True),
                name="opportunity_open_by_owner",
            ),
            models.Index(
                fields=["organization", "owner", "close_date", "id"],
                condition=Q(outcome__isnull=False, deleted_at__isnull=True),
                name="opportunity_closed_by_owner",
            ),
            models.Index(
                fields=["organization", "close_date", "id"],
                condition=Q(deleted_at__isnull=True),
                name="opportunity_by_close_date",
            ),
            models.Index(fields=["organization", "owner", "id"], name="opportunity_by_owner"),
            models.Index(fields=["organization", "account", "id"], name="opportunity_by_account"),
            models.Index(fields=["organization", "name_folded", "id"], name="opportunity_by_name"),
            models.Index(fields=["organization", "created_at", "id"], name="opportunity_by_creation"),
        )

    def __str__(self) -> str:
        return self.name


class MarkState(TenantModel):
    """A milestone that was met or waived, when and by whom, and its evidence.

    `noted_by` wrote `note` and `url` at `noted_at` where that was after the marking. `ticked_by` is the recipient of a
    close plan who ticked it; then `marked_by` is nobody of ours. `restored_by` put it back by Undo at `restored_at`.
    """

    milestone = TenantForeignKey(Milestone, models.PROTECT, related_name="+")
    met_at = models.DateTimeField(null=True, blank=True)
    waived_at = models.DateTimeField(null=True, blank=True)
    marked_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    ticked_by = models.CharField(max_length=200, blank=True, default="", db_default="")
    note = models.CharField(max_length=2000, blank=True)
    url = models.CharField(max_length=2000, blank=True, default="", db_default="")
    noted_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    noted_at = models.DateTimeField(null=True, blank=True)
    restored_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    restored_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def marked_at(self) -> datetime:
        """When it was met or waived; one of both is set."""
        at = self.met_at or self.waived_at
        assert at is not None
        return at

    @property
    def stands_since(self) -> datetime:
        """Since when this mark stands without a break."""
        return self.restored_at or self.marked_at


class OpportunityMilestone(MarkState):
    """The mark that stands. No row: the milestone is open."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="milestone_marks")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "opportunity", "milestone"], name="mark_once"),
            models.CheckConstraint(
                condition=Q(met_at__isnull=True, waived_at__isnull=False)
                | Q(met_at__isnull=False, waived_at__isnull=True),
                name="mark_met_or_waived",
            ),
        )


class EndedMark(MarkState):
    """A mark that stood until `ended_at`, when the milestone was opened again or marked anew. Never changed."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    ended_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(met_at__isnull=True, waived_at__isnull=False)
                | Q(met_at__isnull=False, waived_at__isnull=True),
                name="ended_mark_met_or_waived",
            ),
        )
        indexes = (
            models.Index(fields=["organization", "opportunity", "-ended_at"], name="ended_mark_by_deal"),
        )
