"""What an organization keeps about deals, accounts and contacts beside the columns that everybody has."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from otc.fields.rules import Field, option_of
from otc.tenancy.fields import TenantModel


class FieldObject(models.TextChoices):
    DEAL = "deal", "Deal"
    ACCOUNT = "account", "Account"
    CONTACT = "contact", "Contact"


class FieldKind(models.TextChoices):
    TEXT = "text", "Text"
    NUMBER = "number", "Number"
    MONEY = "money", "Money"
    DATE = "date", "Date"
    CHOICE = "choice", "Choice"
    PERSON = "person", "Person"


class CustomField(TenantModel):
    """A typed field. Its values stand in the record's `attributes` under `attribute`, so versions carry them.

    `key` names it in addresses, files and the API, and never changes. `before` is the definition before the last
    change: what undo puts back.
    """

    object = models.CharField(max_length=8, choices=FieldObject.choices)
    key = models.CharField(max_length=40, db_collation="C")
    attribute = models.CharField(max_length=200, db_collation="C")
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=FieldKind.choices)
    options = models.JSONField(default=list, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    decimals = models.PositiveSmallIntegerField(default=0)
    minimum = models.DecimalField(max_digits=19, decimal_places=6, null=True, blank=True)
    maximum = models.DecimalField(max_digits=19, decimal_places=6, null=True, blank=True)
    max_length = models.PositiveSmallIntegerField(default=200)
    required_from = models.DateField(null=True, blank=True)
    help_text = models.CharField(max_length=300, blank=True)
    position = models.PositiveSmallIntegerField()
    is_active = models.BooleanField(default=True)
    before = models.JSONField(null=True, blank=True)
    # What its values are being converted to by a job.
    pending = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "object", "key"], name="field_key_once"),
            models.UniqueConstraint(
                fields=["organization", "object", "attribute"], name="field_attribute_once"
            ),
            models.CheckConstraint(condition=Q(object__in=FieldObject.values), name="field_object"),
            models.CheckConstraint(condition=Q(kind__in=FieldKind.values), name="field_kind"),
            models.CheckConstraint(
                condition=Q(kind="money") & ~Q(currency="") | ~Q(kind="money") & Q(currency=""),
                name="field_money_has_currency",
            ),
        )

    def __str__(self) -> str:
        return self.label

    @property
    def definition(self) -> Field:
        """The field as the rules know it."""
        return Field(
            id=self.id,
            object=self.object,
            key=self.key,
            attribute=self.attribute,
            label=self.label,
            kind=self.kind,
            options=tuple(option_of(option) for option in self.options),
            currency=self.currency,
            decimals=self.decimals,
            minimum=_decimal(self.minimum),
            maximum=_decimal(self.maximum),
            max_length=self.max_length,
            required_from=self.required_from,
            help_text=self.help_text,
            position=self.position,
            is_active=self.is_active,
        )


def _decimal(value: Decimal | str | None) -> Decimal | None:
    return None if value is None else Decimal(value).normalize()
