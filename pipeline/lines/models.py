"""What is sold on a deal: its lines, from when to when."""

from django.db import models
from django.db.models import F, Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import FOREVER, Person
from pipeline.opportunities.models import Opportunity, Product


class Charge(models.TextChoices):
    ONCE = "once", "Once"
    MONTH = "month", "A month"
    YEAR = "year", "A year"


class DealLine(TenantModel):
    """A product on one deal in [valid_from, valid_to). A change ends a row and begins one that `replaces` it.

    `quantity_milli` are thousandths of a unit; prices are of one unit, once, a month or a year, in minor units of
    `currency`, the deal's. With `discount_bp` (basis points of the list price) the price follows from it.
    """

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    product = TenantForeignKey(Product, models.PROTECT, related_name="+")
    quantity_milli = models.BigIntegerField()
    list_price_minor = models.BigIntegerField(null=True, blank=True)
    discount_bp = models.PositiveIntegerField(null=True, blank=True)
    price_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    charge = models.CharField(max_length=5, choices=Charge.choices, default=Charge.ONCE)
    term_months = models.PositiveSmallIntegerField(null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    replaces = TenantForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    set_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    ended_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(default=FOREVER)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(valid_from__lt=F("valid_to")), name="deal_line_interval"),
            models.CheckConstraint(condition=Q(charge__in=Charge.values), name="deal_line_charge"),
            models.CheckConstraint(
                condition=Q(charge="once", term_months__isnull=True)
                | ~Q(charge="once") & Q(term_months__gte=1),
                name="deal_line_term",
            ),
            models.CheckConstraint(
                condition=Q(quantity_milli__gt=0, price_minor__gte=0), name="deal_line_positive"
            ),
            models.CheckConstraint(
                condition=Q(discount_bp__isnull=True) | Q(discount_bp__lte=10_000, list_price_minor__gte=0),
                name="deal_line_discount",
            ),
        )
        indexes = (models.Index(fields=["organization", "opportunity", "valid_from"], name="line_by_deal"),)
