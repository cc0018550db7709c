"""What is paid for what is won: plans with their day, which are never changed."""

from django.db import models
from django.db.models import Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person, Role


class Cycle(models.TextChoices):
    MONTH = "month", "Month"
    QUARTER = "quarter", "Quarter"
    YEAR = "year", "Year"


class PayPlan(TenantModel):
    """`tiers` are pairs [from, rate] in basis points: of the quota, and of what is won. It pays the periods of its
    `cycle` that begin on `starts_on` or later, until the next plan of the same person, or role.

    Of the same person, or role, and day the latest counts; a withdrawn one says that there is none. The application's
    role may insert and read plans only.
    """

    person = TenantForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    role = models.CharField(max_length=16, choices=Role.choices, blank=True, default="")
    starts_on = models.DateField()
    cycle = models.CharField(max_length=8, choices=Cycle.choices)
    tiers = models.JSONField()
    is_withdrawn = models.BooleanField(default=False)
    reason = models.CharField(max_length=500)
    made_by = TenantForeignKey(Person, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "person", "role", "starts_on", "made_at"],
                nulls_distinct=False,
                name="pay_plan_once",
            ),
            models.CheckConstraint(
                condition=(Q(person__isnull=True) & ~Q(role="")) | Q(person__isnull=False, role=""),
                name="pay_plan_of_one",
            ),
            models.CheckConstraint(condition=Q(cycle__in=Cycle.values), name="pay_plan_cycle"),
            models.CheckConstraint(condition=~Q(reason=""), name="pay_plan_says_why"),
        )
