"""What is planned with an account: goals, people to know, next touches."""

from django.db import models
from django.db.models import Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.accounts.models import Account, Contact


class AccountPlan(TenantModel):
    """The goals with one account, in words."""

    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    goals = models.CharField(max_length=4000, blank=True)
    changed_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "account"], name="account_plan_once"),)


class PlanPerson(TenantModel):
    """Somebody at an account whom one wants to know, and why."""

    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    contact = TenantForeignKey(Contact, models.CASCADE, related_name="+")
    why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "account", "contact"], name="plan_person_once"),
        )


class PlannedTouch(TenantModel):
    """What somebody wants to do with an account on a day, e.g. “Call about the depot”."""

    account = TenantForeignKey(Account, models.CASCADE, related_name="+")
    text = models.CharField(max_length=300)
    on = models.DateField()
    owner = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=~Q(text=""), name="planned_touch_text"),)
        indexes = (
            models.Index(fields=["organization", "account", "on"], name="touch_by_account"),
            models.Index(
                fields=["organization", "owner", "on"], condition=Q(done_at__isnull=True), name="touch_due"
            ),
        )
