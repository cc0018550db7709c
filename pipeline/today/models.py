"""What somebody answered about a deal on Today: so it isn't asked again at once, and can be taken back."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.opportunities.models import Opportunity
from pipeline.today.rules import ANSWERS


class DealAnswer(TenantModel):
    """`person` answered the `reasons` for which `opportunity` stood in a queue, on the organization's day `on`.

    Before `holds_until` it isn't asked again: a snooze holds for whoever snoozed, the others for everybody.
    Somebody else's change of the deal ends it earlier. `said` is what the answer did, in words.
    """

    opportunity = TenantForeignKey(Opportunity, models.CASCADE, related_name="+")
    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in ANSWERS])
    said = models.CharField(max_length=300)
    reasons = models.JSONField(default=list)
    at = models.DateTimeField()
    on = models.DateField()
    holds_until = models.DateField()
    # An UndoStep, as a plain id: those are forgotten after a month, and nothing here has to be found for that.
    step = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(kind__in=ANSWERS), name="deal_answer_kind"),
            models.CheckConstraint(
                condition=models.Q(holds_until__gt=models.F("on")), name="deal_answer_holds"
            ),
        )
        indexes = (
            models.Index(fields=["organization", "opportunity", "holds_until"], name="deal_answer_by_deal"),
            models.Index(fields=["organization", "person", "on"], name="deal_answer_by_person"),
        )
