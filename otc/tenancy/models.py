"""Who is served and who works there: organizations, their people, and who reports to whom from when to when."""

from datetime import UTC, datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import UUID7

from otc.tenancy.fields import TenantForeignKey, TenantModel

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


class Role(models.TextChoices):
    REP = "rep"
    MANAGER = "manager"
    EXECUTIVE = "executive"
    ADMINISTRATOR = "administrator"
    INTEGRATION = "integration"
    OPERATIONS = "operations", "Revenue operations"


class Visibility(models.TextChoices):
    LINE = "line", "By reporting line"
    TEAM = "team", "By reporting line, deal team and splits"
    OPEN = "open", "Everyone sees every deal"


class SecondFactor(models.TextChoices):
    OPTIONAL = "optional", "Up to each person"
    ANY = "any", "Required: an authenticator app or a passkey"
    PASSKEY = "passkey", "Required: a passkey"


class Organization(models.Model):
    """The tenant; owns everything. Its fence lets through its own row and, by membership, its people's."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    timezone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="USD")
    fiscal_year_start_month = models.PositiveSmallIntegerField(default=1)
    visibility = models.CharField(max_length=8, choices=Visibility.choices, default=Visibility.TEAM)
    # Changes with every custom field's definition: what was read of them under it may be kept.
    fields_stamp = models.UUIDField(null=True, blank=True)
    # The same of the fiscal calendar's rows; the database changes it. Empty while there are none.
    calendar_stamp = models.UUIDField(null=True, blank=True)
    # Whether a deal was ever split; the database says so with the first one.
    splits_deals = models.BooleanField(default=False, db_default=False, editable=False)
    second_factor = models.CharField(
        max_length=8, choices=SecondFactor.choices, default=SecondFactor.OPTIONAL
    )
    # From which corporate amount and chance of being won a deal is big; no amount: none is.
    big_deal_minor = models.BigIntegerField(null=True, blank=True)
    big_deal_percent = models.PositiveSmallIntegerField(default=0, db_default=0)
    session_idle_minutes = models.PositiveIntegerField(null=True, blank=True)
    session_length_hours = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(session_idle_minutes__gte=5) & Q(session_length_hours__gte=1),
                name="organization_session_limits",
            ),
            models.CheckConstraint(
                condition=(Q(big_deal_minor__isnull=True) | Q(big_deal_minor__gt=0))
                & Q(big_deal_percent__lte=100),
                name="organization_big_deal",
            ),
            models.CheckConstraint(
                condition=Q(fiscal_year_start_month__range=(1, 12)), name="organization_start_month"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Person(TenantModel):
    """Someone of the organization: owns deals, holds a role, may have a sign-in."""

    external_id = models.CharField(max_length=200, null=True, blank=True)
    name = models.CharField(max_length=200)
    name_folded = models.CharField(max_length=200, db_collation="C")
    email = models.CharField(max_length=254, blank=True)
    title = models.CharField(max_length=200, blank=True)
    territory = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.REP)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # The currency in which they see amounts; empty is the organization's.
    shown_currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    # The columns of the deals list that they chose, comma-separated; empty for the usual ones.
    deal_columns = models.CharField(max_length=1000, blank=True, default="", db_default="")
    # A saved view of the pipeline's, which this package doesn't know; one that is gone means the usual list.
    default_deal_view = models.UUIDField(null=True, blank=True)
    joined_on = models.DateField(null=True, blank=True)
    left_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "user"], name="person_user_once"),
            models.UniqueConstraint(fields=["organization", "external_id"], name="person_external_id_once"),
        )
        indexes = (models.Index(fields=["organization", "name_folded"], name="person_by_name"),)

    def __str__(self) -> str:
        return self.name


class ReportingLine(TenantModel):
    """`person` reports to `manager` in [valid_from, valid_to); a null manager declares a top."""

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    manager = TenantForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(default=FOREVER)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "person", "valid_from"], name="line_starts_once"),
            models.UniqueConstraint(
                fields=["organization", "person"], condition=Q(valid_to=FOREVER), name="line_current_once"
            ),
            models.CheckConstraint(condition=Q(valid_from__lt=models.F("valid_to")), name="line_interval"),
            models.CheckConstraint(
                condition=Q(manager__isnull=True) | ~Q(manager=models.F("person")), name="line_not_to_self"
            ),
        )
        indexes = (models.Index(fields=["organization", "manager", "valid_to"], name="line_by_manager"),)
