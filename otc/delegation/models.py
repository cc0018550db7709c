"""Who stands in for an absent manager, from which day to which."""

from django.db import models
from django.db.models import F, Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class Delegation(TenantModel):
    """`delegate` sees and may do for `manager`'s branch what the manager may, on the organization's days
    `first_on` to `last_on`, both included, unless it was taken back before (`ended_at`).
    """

    manager = TenantForeignKey(Person, models.CASCADE, related_name="+")
    delegate = TenantForeignKey(Person, models.CASCADE, related_name="+")
    first_on = models.DateField()
    last_on = models.DateField()
    named_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(first_on__lte=F("last_on")), name="delegation_interval"),
            models.CheckConstraint(condition=~Q(manager=F("delegate")), name="delegation_not_to_self"),
        )
        indexes = (
            models.Index(fields=["organization", "delegate", "last_on"], name="delegation_by_delegate"),
            models.Index(fields=["organization", "manager", "last_on"], name="delegation_by_manager"),
        )
