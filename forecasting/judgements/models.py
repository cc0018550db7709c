"""How managers judge deals of their reports: steps. Of a deal, person and column the latest counts."""

from django.db import models
from django.db.models import F, Q

from forecasting.rollup.rules import ADJUSTABLE
from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.opportunities.models import Opportunity


class Verdict(models.TextChoices):
    IN = "in", "In my call"
    OUT = "out", "Out of my call"
    AMOUNT = "amount", "In at my amount"
    DATE = "date", "Closes on my date"
    WITHDRAWN = "withdrawn", "Withdrawn"


class DealJudgement(TenantModel):
    """`author`, the manager of `person`, judges the person's part of `opportunity` in a column of a period (2026-Q4).

    `amount_minor` (corporate minor units, of the person's part) belongs to AMOUNT, `close_date` to DATE. The
    application's role may insert and read steps only.
    """

    period = models.CharField(max_length=8, db_collation="C")
    column = models.CharField(max_length=24)
    person = TenantForeignKey(Person, models.PROTECT, related_name="+")
    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    author = TenantForeignKey(Person, models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    amount_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    close_date = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=500)
    made_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "period", "column", "person", "opportunity", "made_at"],
                name="judgement_once",
            ),
            models.CheckConstraint(condition=Q(column__in=sorted(ADJUSTABLE)), name="judgement_column"),
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="judgement_verdict"),
            models.CheckConstraint(
                condition=Q(verdict="amount", amount_minor__gte=0)
                | Q(~Q(verdict="amount"), amount_minor__isnull=True),
                name="judgement_amount",
            ),
            models.CheckConstraint(
                condition=Q(verdict="date", close_date__isnull=False)
                | Q(~Q(verdict="date"), close_date__isnull=True),
                name="judgement_date",
            ),
            models.CheckConstraint(condition=~Q(person=F("author")), name="judgement_by_the_manager"),
            models.CheckConstraint(condition=~Q(reason=""), name="judgement_says_why"),
        )
