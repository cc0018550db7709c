"""The target of a person for a period, with the time in which it was the target; how a new one ramps up, and
how a year is spread over its months or quarters.
"""

from datetime import UTC, datetime

from django.db import models
from django.db.models import F, Q

from forecasting.types.models import ForecastType
from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import FOREVER, Person

# The first quota of a period counts for every day before it, too: there was none that it took the place of.
EVER = datetime(1900, 1, 1, tzinfo=UTC)


class Quota(TenantModel):
    """What `person` is to win in `period`, in corporate minor units, in [valid_from, valid_to). A manager's is that of
    the team. `type` None: of all deals. Another amount closes the interval and begins the next one.

    What was mistyped is corrected: the wrong one is known until known_to, the right one, of the same days,
    from then.
    """

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    period = models.CharField(max_length=8, db_collation="C")
    type = TenantForeignKey(
        ForecastType, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    amount_minor = models.BigIntegerField()
    valid_from = models.DateTimeField(default=EVER)
    valid_to = models.DateTimeField(default=FOREVER)
    known_from = models.DateTimeField(default=EVER, db_default=EVER)
    known_to = models.DateTimeField(default=FOREVER, db_default=FOREVER)
    set_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "period", "person", "type", "valid_from"],
                condition=Q(known_to=FOREVER),
                name="quota_starts_once",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["organization", "period", "person", "type"],
                condition=Q(valid_to=FOREVER, known_to=FOREVER),
                name="quota_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="quota_not_negative"),
            models.CheckConstraint(condition=Q(valid_from__lt=F("valid_to")), name="quota_interval"),
            models.CheckConstraint(condition=Q(known_from__lt=F("known_to")), name="quota_known"),
        )


class QuotaRamp(TenantModel):
    """From `starts_on` on the person is asked for `shares[n]` percent of a quota in the n-th month, then for all of it;
    for nothing before. The latest counts from when it was said.
    """

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    starts_on = models.DateField()
    shares = models.JSONField()
    said_at = models.DateTimeField()
    set_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "person", "said_at"], name="quota_ramp_once"),
        )


class QuotaSeason(TenantModel):
    """How the organization spreads a year: `weights` of its twelve fiscal months or its four quarters (`kind`), none
    for alike. The latest counts from when it was said.
    """

    kind = models.CharField(max_length=8)
    weights = models.JSONField()
    said_at = models.DateTimeField()
    set_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "said_at"], name="quota_season_once"),
            models.CheckConstraint(condition=Q(kind__in=["month", "quarter"]), name="quota_season_kind"),
        )
