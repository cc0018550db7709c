"""Who works on a deal beside its owner, and between whom its amount is split."""

from django.db import models
from django.db.models import F, Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import FOREVER, Person
from pipeline.opportunities.models import Opportunity


class DealTeamMember(TenantModel):
    """`person` is on the deal's team in [valid_from, valid_to), as `part`, e.g. "Sales engineer"."""

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    part = models.CharField(max_length=60)
    added_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    removed_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(default=FOREVER)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "opportunity", "person"],
                condition=Q(valid_to=FOREVER),
                name="team_member_once",
            ),
            models.CheckConstraint(condition=Q(valid_from__lte=F("valid_to")), name="team_member_interval"),
        )
        indexes = (
            models.Index(
                fields=["organization", "person", "opportunity"],
                condition=Q(valid_to=FOREVER),
                name="team_member_by_person",
            ),
            models.Index(fields=["organization", "opportunity", "valid_from"], name="team_member_by_deal"),
        )


class SplitKind(models.TextChoices):
    REVENUE = "revenue", "Revenue"
    OVERLAY = "overlay", "Overlay"


class Split(TenantModel):
    """`person` has `share_bp` basis points of the deal's amount in [valid_from, valid_to).

    The present revenue splits of a deal sum to 10,000 or there are none; the database checks it at commit.
    Overlay splits are beside that, for people who helped.
    """

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=SplitKind.choices)
    share_bp = models.PositiveIntegerField()
    set_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(default=FOREVER)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "opportunity", "kind", "person"],
                condition=Q(valid_to=FOREVER),
                name="split_once",
            ),
            models.CheckConstraint(condition=Q(share_bp__range=(1, 10_000)), name="split_share"),
            models.CheckConstraint(condition=Q(kind__in=SplitKind.values), name="split_kind"),
            models.CheckConstraint(condition=Q(valid_from__lte=F("valid_to")), name="split_interval"),
        )
        indexes = (
            models.Index(
                fields=["organization", "person", "opportunity"],
                condition=Q(valid_to=FOREVER),
                name="split_by_person",
            ),
            models.Index(fields=["organization", "opportunity", "valid_from"], name="split_by_deal"),
        )

    @property
    def share_percent(self) -> str:
        """As people write it: “25 %”."""
        return f"{self.share_bp / 100:g} %"
