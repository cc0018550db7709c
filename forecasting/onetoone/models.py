"""What a rep and their manager said to each other, and what they agreed to do."""

from django.db import models
from django.db.models import Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class OneToOne(TenantModel):
    """The notes of one talk with `person`, on a day. Only the person and their line above read them."""

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    held_on = models.DateField()
    notes = models.TextField(max_length=10_000)
    written_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    written_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "person", "held_on"],
                condition=Q(deleted_at__isnull=True),
                name="one_to_one_a_day",
            ),
        )


class AgreedAction(TenantModel):
    """What `owner` does by a day, as agreed in the one-to-ones with `person`; it returns until it is done."""

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    owner = TenantForeignKey(Person, models.CASCADE, related_name="+")
    text = models.CharField(max_length=300)
    due_on = models.DateField()
    agreed_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    agreed_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=~Q(text=""), name="agreed_action_says_something"),)
        indexes = (models.Index(fields=["organization", "person", "due_on"], name="agreed_action_by_person"),)
