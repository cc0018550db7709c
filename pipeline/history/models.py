"""Every state a deal was ever in, on two clocks: when it was true, and when the system knew it."""

from django.db import models
from django.db.models import F, Q

from otc.tenancy.fields import TenantForeignKey
from otc.tenancy.models import FOREVER, Person
from pipeline.opportunities.models import DealState, Opportunity

# Between whom a deal is split is of its state too, but no edit of the deal writes it.
SPLIT_COLUMNS = ("split_people", "split_shares")
STATE_COLUMNS: tuple[str, ...] = tuple(
    str(field.column)
    for field in Opportunity._meta.local_fields
    if field.name in {f.name for f in DealState._meta.local_fields}
    and field.name not in {"id", "organization", *SPLIT_COLUMNS}
)


def _reference() -> models.UUIDField:
    return models.UUIDField(null=True, blank=True)


class Channel(models.TextChoices):
    UI = "ui"
    API = "api"
    IMPORT = "import"
    TASK = "task"


class Provenance(models.TextChoices):
    LIVE = "live"
    IMPORTED = "imported"
    RECONSTRUCTED = "reconstructed"
    CORRECTED = "corrected"


CURRENT = Q(valid_to=FOREVER, known_to=FOREVER)


class OpportunityVersion(DealState):
    """True in [valid_from, valid_to), held by the system in [known_from, known_to). Written by the trigger
    and the checked history function only; the application's role may only read it. `acted_for` is the manager
    for whom the actor stood in.
    """

    opportunity = TenantForeignKey(Opportunity, models.PROTECT, related_name="versions")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(default=FOREVER)
    known_from = models.DateTimeField()
    known_to = models.DateTimeField(default=FOREVER)
    actor = TenantForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    acted_for = TenantForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    provenance = models.CharField(max_length=13, choices=Provenance.choices)

    class Meta:
        constraints = (
            # Serves every way to a deal’s versions, whatever is known at the time that is asked about.
            # known_to has few values and goes first: PostgreSQL reckons with a look-up for each value before a bound.
            models.UniqueConstraint(
                fields=["organization", "opportunity", "known_to", "valid_from"], name="version_starts_once"
            ),
            models.UniqueConstraint(
                fields=["organization", "opportunity"],
                condition=Q(known_to=FOREVER, valid_to=FOREVER),
                name="version_current_once",
            ),
            models.CheckConstraint(condition=Q(valid_from__lt=F("valid_to")), name="version_valid"),
            models.CheckConstraint(condition=Q(known_from__lt=F("known_to")), name="version_known"),
        )
        indexes = (
            # Both ends of the interval: what didn't stand at an instant is passed over without its row.
            models.Index(
                fields=["organization", "close_date", "valid_from", "valid_to"], name="version_close_span"
            ),
            models.Index(
                fields=["organization", "owner", "close_date", "valid_from", "valid_to"],
                name="version_owner_close_span",
            ),
            # What stands: the reports of today read these rows only, of everybody or of a branch.
            models.Index(
                fields=["organization", "close_date"], condition=CURRENT, name="version_now_by_close"
            ),
            models.Index(
                fields=["organization", "owner", "close_date"], condition=CURRENT, name="version_now_by_owner"
            ),
            models.Index(
                fields=["organization", "close_date", "valid_from", "valid_to"],
                condition=Q(split_people__isnull=False),
                name="version_split_span",
            ),
            # What ended or was corrected between two instants: all that a comparison has to read beside it.
            models.Index(
                fields=["organization", "valid_to", "close_date"],
                condition=Q(valid_to__lt=FOREVER),
                name="version_by_end",
            ),
            models.Index(
                fields=["organization", "known_to"],
                condition=Q(known_to__lt=FOREVER),
                name="version_by_correction",
            ),
        )


class HistoryRow(DealState):
    """Staging for the checked history function: one full state per deal and instant, of one run.

    What it names are plain ids: the function asks for all of them at once whether they are there. A deal that
    doesn't exist yet is made from its last row, which has `created_at`, `name_folded` and maybe `external_id`.
    """

    account = owner = process = stage = reason = competitor = product = None
    account_id = _reference()
    owner_id = _reference()
    process_id = _reference()
    stage_id = _reference()
    reason_id = _reference()
    competitor_id = _reference()
    product_id = _reference()
    run = models.UUIDField()
    opportunity_id = models.UUIDField()
    at = models.DateTimeField()
    actor_id = _reference()
    provenance = models.CharField(max_length=13, choices=Provenance.choices)
    external_id = models.CharField(max_length=200, null=True, blank=True, db_collation="C")
    name_folded = models.CharField(max_length=300, null=True, blank=True, db_collation="C")
    created_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "run", "opportunity_id", "at"], name="history_row_once"
            ),
            models.CheckConstraint(
                condition=Q(provenance__in=["imported", "reconstructed"]), name="history_row_provenance"
            ),
        )
