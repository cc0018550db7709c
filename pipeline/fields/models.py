"""Custom fields' values beside the deals, narrow and typed."""

from django.db import models
from django.db.models import Q

from otc.fields.models import CustomField
from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.opportunities.models import Opportunity


class OpportunityFieldValue(TenantModel):
    """The present value of one field of one deal, read from its attributes by a trigger; no row: not set.

    Under row-level security no jsonb operator may use an index; these columns may. Text is folded, a choice is
    its option's key, a number whole millionths, money minor units of the field's currency.
    """

    field = TenantForeignKey(CustomField, models.CASCADE, related_name="+")
    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="field_values")
    text = models.TextField(null=True, db_collation="C")
    number = models.BigIntegerField(null=True)
    day = models.DateField(null=True)
    person = TenantForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "field", "opportunity"], name="field_value_once"),
        )
        indexes = (
            models.Index(
                fields=["organization", "field", "text", "opportunity"],
                condition=Q(text__isnull=False),
                name="field_value_by_text",
            ),
            models.Index(
                fields=["organization", "field", "number", "opportunity"],
                condition=Q(number__isnull=False),
                name="field_value_by_number",
            ),
            models.Index(
                fields=["organization", "field", "day", "opportunity"],
                condition=Q(day__isnull=False),
                name="field_value_by_day",
            ),
            models.Index(
                fields=["organization", "field", "person", "opportunity"],
                condition=Q(person__isnull=False),
                name="field_value_by_person",
            ),
            models.Index(fields=["organization", "opportunity"], name="field_value_by_deal"),
        )
