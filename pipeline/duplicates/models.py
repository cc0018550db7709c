"""Which two records may be one, which are said not to be, and which were merged."""

from django.db import models
from django.db.models import F, Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class RecordKind(models.TextChoices):
    ACCOUNT = "account", "Account"
    CONTACT = "contact", "Contact"
    OPPORTUNITY = "opportunity", "Deal"


class DuplicatePair(TenantModel):
    """Two records of a kind, `first_id` < `second_id`, that look like one: `score` in 0..100, `reasons` in words.

    One that somebody said is none stays, so that it is never proposed again.
    """

    kind = models.CharField(max_length=12, choices=RecordKind.choices)
    first_id = models.UUIDField()
    second_id = models.UUIDField()
    score = models.PositiveSmallIntegerField()
    reasons = models.JSONField(default=list)
    found_at = models.DateTimeField()
    dismissed_at = models.DateTimeField(null=True, blank=True)
    dismissed_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "kind", "first_id", "second_id"], name="duplicate_pair_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=RecordKind.values), name="duplicate_pair_kind"),
            models.CheckConstraint(condition=Q(first_id__lt=F("second_id")), name="duplicate_pair_order"),
            models.CheckConstraint(condition=Q(score__range=(0, 100)), name="duplicate_pair_score"),
        )
        indexes = (
            models.Index(
                fields=["organization", "kind", "-score", "id"],
                condition=Q(dismissed_at__isnull=True),
                name="duplicate_pair_by_score",
            ),
            models.Index(fields=["organization", "second_id"], name="duplicate_pair_by_second"),
        )


class Merge(TenantModel):
    """`gone` became part of `kept`: what moved, and how both stood before and after, as undoing needs it.

    `moved` has the ids of rows by “model.field”; `before` and `after` have the columns of both records.
    """

    kind = models.CharField(max_length=12, choices=RecordKind.choices)
    kept_id = models.UUIDField()
    gone_id = models.UUIDField()
    kept_name = models.CharField(max_length=300)
    gone_name = models.CharField(max_length=300)
    moved = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    merged_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    merged_at = models.DateTimeField()
    undone_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=RecordKind.values), name="merge_kind"),
            models.CheckConstraint(condition=~Q(kept_id=F("gone_id")), name="merge_of_two"),
        )
        indexes = (
            models.Index(fields=["organization", "-merged_at", "id"], name="merge_by_time"),
            models.Index(fields=["organization", "gone_id"], name="merge_by_gone"),
        )
