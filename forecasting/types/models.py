"""Several forecasts beside each other, such as new business and renewals: each is a saved filter of deals."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class ForecastType(TenantModel):
    """`slug` is what addresses bear as `type`. A retired type is no longer offered; what was said of it stays."""

    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=50, db_collation="C")
    position = models.PositiveSmallIntegerField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("position", "id")
        constraints = (
            models.UniqueConstraint(fields=["organization", "slug"], name="forecast_type_slug_once"),
            models.CheckConstraint(condition=~models.Q(slug=""), name="forecast_type_has_slug"),
        )

    def __str__(self) -> str:
        return self.name


class ForecastTypeFilter(TenantModel):
    """Which deals are of the type from `known_from` on, until the next one: see forecasting/types/rules.py.

    Never changed: an instant of the past is summed by the filter of then.
    """

    type = TenantForeignKey(ForecastType, models.CASCADE, related_name="filters")
    conditions = models.JSONField()
    known_from = models.DateTimeField()
    set_by = TenantForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "type", "known_from"], name="forecast_type_filter_once"
            ),
        )
