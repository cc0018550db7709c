"""A list of deals under a name: its filters, columns, order and grouping."""

from django.db import models
from django.db.models import Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class Shared(models.TextChoices):
    NOBODY = "nobody", "Only me"
    BRANCH = "branch", "A team"
    EVERYONE = "everyone", "Everybody"


class DealView(TenantModel):
    """`query` is the list's address without page and day. `branch` is whose team sees it, where a team does."""

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    query = models.TextField(blank=True)
    shared = models.CharField(max_length=8, choices=Shared.choices, default=Shared.NOBODY)
    branch = TenantForeignKey(Person, models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "person", "name"], name="deal_view_name_once"),
            models.CheckConstraint(
                condition=Q(shared="branch", branch__isnull=False)
                | (~Q(shared="branch") & Q(branch__isnull=True)),
                name="deal_view_branch",
            ),
        )

    def __str__(self) -> str:
        return self.name
