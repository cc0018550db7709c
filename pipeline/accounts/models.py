"""Who buys: accounts and the people there."""

from typing import Any

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantManager, TenantModel


class StandingManager(TenantManager):
    """Records that stand: those merged into another are kept for the past, and found through `everything`."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(merged_into__isnull=True)


class Account(TenantModel):
    """A company that buys."""

    external_id = models.CharField(max_length=200, null=True, blank=True, db_collation="C")
    name = models.CharField(max_length=300)
    name_folded = models.CharField(max_length=300, db_collation="C")
    parent = TenantForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    industry = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=100, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    merged_into = TenantForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")

    objects = StandingManager()
    everything = TenantManager()

    class Meta:
        base_manager_name = "everything"
        default_manager_name = "objects"
        constraints = (
            models.UniqueConstraint(fields=["organization", "external_id"], name="account_external_id_once"),
        )
        indexes = (
            models.Index(fields=["organization", "name_folded", "id"], name="account_by_name"),
            models.Index(
                fields=["organization", "parent"],
                condition=models.Q(parent__isnull=False),
                name="account_by_parent",
            ),
            models.Index(
                fields=["organization", "industry", "id"],
                condition=~models.Q(industry=""),
                name="account_by_industry",
            ),
            models.Index(
                fields=["organization", "merged_into"],
                condition=models.Q(merged_into__isnull=False),
                name="account_merged",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Contact(TenantModel):
    """A person at an account."""

    external_id = models.CharField(max_length=200, null=True, blank=True, db_collation="C")
    account = TenantForeignKey(Account, models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=200)
    name_folded = models.CharField(max_length=200, db_collation="C")
    title = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=50, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    merged_into = TenantForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")

    objects = StandingManager()
    everything = TenantManager()

    class Meta:
        base_manager_name = "everything"
        default_manager_name = "objects"
        constraints = (
            models.UniqueConstraint(fields=["organization", "external_id"], name="contact_external_id_once"),
        )
        indexes = (
            models.Index(fields=["organization", "account"], name="contact_by_account"),
            models.Index(fields=["organization", "name_folded", "id"], name="contact_by_name"),
        )

    def __str__(self) -> str:
        return self.name
