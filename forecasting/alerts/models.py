"""Which change is told to whom, what fired, and what was posted where."""

from django.db import models
from django.db.models import F, Q

from forecasting.alerts.rules import DEAL_EVENTS, KINDS, SPANS
from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.opportunities.models import Opportunity


class AlertHook(TenantModel):
    """An address that alerts are posted to. It hears only of deals that `owner` may see.

    `sealed_secret` signs each post; the secret itself was shown once.
    """

    name = models.CharField(max_length=100)
    url = models.CharField(max_length=500)
    sealed_secret = models.TextField()
    owner = TenantForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)


class AlertRule(TenantModel):
    """A condition with thresholds, and who is told how. Without `owner` it is the organization's.

    `scope` is a branch, by its head; None is the whole organization. Amounts are corporate minor units,
    `times_hundredths` a coverage. It watches what happens from `since` on; until `until` everything was looked at.
    """

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=16, choices=[(kind.key, kind.label) for kind in KINDS])
    owner = TenantForeignKey(Person, models.CASCADE, null=True, blank=True, related_name="+")
    scope = TenantForeignKey(Person, models.CASCADE, null=True, blank=True, related_name="+")
    amount_minor = models.BigIntegerField(null=True, blank=True)
    percent = models.PositiveSmallIntegerField(null=True, blank=True)
    days = models.PositiveSmallIntegerField(null=True, blank=True)
    times_hundredths = models.PositiveIntegerField(null=True, blank=True)
    span = models.CharField(max_length=8, choices=SPANS, default="quarter")
    person_ids = models.JSONField(default=list, blank=True)
    tells_owner = models.BooleanField(default=False)
    tells_manager = models.BooleanField(default=False)
    in_app = models.BooleanField(default=True)
    by_mail = models.BooleanField(default=False)
    hook = TenantForeignKey(AlertHook, models.SET_NULL, null=True, blank=True, related_name="+")
    made_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    paused_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=[kind.key for kind in KINDS]), name="alert_kind"),
            models.CheckConstraint(condition=Q(until__gte=F("since")), name="alert_watched"),
            models.CheckConstraint(
                condition=Q(amount_minor__isnull=True) | Q(amount_minor__gt=0), name="alert_amount"
            ),
        )

    @property
    def is_event(self) -> bool:
        """About something that happened to a deal, rather than about how things stand."""
        return self.kind in DEAL_EVENTS


class AlertFired(TenantModel):
    """What a rule noticed, once: `key` names the event. `subject` is the deal, or the person or organization whose
    coverage it is.

    While `holds` the condition goes on holding, and the rule is silent about the subject. `is_quiet`: it held already
    when the rule began, so nobody was told.
    """

    rule = TenantForeignKey(AlertRule, models.CASCADE, related_name="fired")
    key = models.CharField(max_length=120, db_collation="C")
    subject = models.UUIDField()
    opportunity = TenantForeignKey(Opportunity, models.CASCADE, null=True, blank=True, related_name="+")
    text = models.CharField(max_length=300)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField()
    fired_at = models.DateTimeField()
    told_ids = models.JSONField(default=list)
    holds = models.BooleanField(default=False)
    is_quiet = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "rule", "key"], name="alert_fires_once"),
            models.UniqueConstraint(
                fields=["organization", "rule", "subject"],
                condition=Q(holds=True),
                name="alert_holds_once",
            ),
        )
        indexes = (models.Index(fields=["organization", "-fired_at", "id"], name="alert_fired_by_time"),)


class AlertDelivery(TenantModel):
    """One post to a hook with what came of it; its id is the message's, so that who gets it twice can tell."""

    hook = TenantForeignKey(AlertHook, models.CASCADE, related_name="+")
    fired = TenantForeignKey(AlertFired, models.CASCADE, null=True, blank=True, related_name="+")
    content = models.JSONField()
    state = models.CharField(
        max_length=8,
        choices=[("waiting", "Waiting"), ("sent", "Sent"), ("failed", "Failed")],
        default="waiting",
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["organization", "-created_at", "id"], name="alert_delivery_by_time"),)
