"""How a deal is meant to go: processes, their stages and milestones, and the words a closing is booked under."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class Category(models.TextChoices):
    OMITTED = "omitted", "Omitted"
    PIPELINE = "pipeline", "Pipeline"
    BEST_CASE = "best_case", "Best case"
    MOST_LIKELY = "most_likely", "Most likely"
    COMMIT = "commit", "Commit"
    CLOSED = "closed", "Closed"


class Process(TenantModel):
    """An ordered set of stages. `gates_winning`: a win asks for what leaving the last stage would ask for."""

    name = models.CharField(max_length=100)
    is_default = models.BooleanField(default=False)
    gates_winning = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "name"], name="process_once"),
            models.UniqueConstraint(
                fields=["organization"], condition=models.Q(is_default=True), name="process_default_once"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Stage(TenantModel):
    """One step of a process. `category` and `win_percent` are what it proposes; no category is an unmapped stage.

    The rules are those of pipeline/process/rules.py. A retired stage keeps its deals of the past; its open ones went
    to `moved_to`.
    """

    process = TenantForeignKey(Process, models.CASCADE, related_name="stages")
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField()
    objective = models.CharField(max_length=300, blank=True)
    category = models.CharField(max_length=12, choices=Category.choices, null=True, blank=True)
    expected_days = models.PositiveIntegerField(default=21)
    win_percent = models.PositiveSmallIntegerField(null=True, blank=True)
    guidance = models.TextField(blank=True, default="", db_default="")
    aids = models.JSONField(default=list, db_default=[])
    required_fields = models.JSONField(default=list, db_default=[])
    may_be_skipped = models.BooleanField(default=True, db_default=True)
    may_go_back = models.BooleanField(default=True, db_default=True)
    approval_above_minor = models.BigIntegerField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    moved_to = TenantForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "process", "name"],
                condition=models.Q(retired_at__isnull=True),
                name="stage_once",
            ),
            models.UniqueConstraint(
                fields=["organization", "process", "position"],
                condition=models.Q(retired_at__isnull=True),
                name="stage_place_once",
            ),
            models.CheckConstraint(
                condition=models.Q(win_percent__isnull=True) | models.Q(win_percent__lte=100),
                name="stage_win_percent",
            ),
            models.CheckConstraint(
                condition=models.Q(approval_above_minor__isnull=True) | models.Q(approval_above_minor__gte=0),
                name="stage_approval_above",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Side(models.TextChoices):
    BUYER = "buyer"
    SELLER = "seller"


class Milestone(TenantModel):
    """An exit criterion of a stage. `due_days` count from entering the stage."""

    stage = TenantForeignKey(Stage, models.CASCADE, related_name="milestones")
    name = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField()
    side = models.CharField(max_length=8, choices=Side.choices, default=Side.SELLER)
    is_required = models.BooleanField(default=False)
    due_days = models.PositiveIntegerField(default=14)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "stage", "position"],
                condition=models.Q(retired_at__isnull=True),
                name="milestone_place_once",
            ),
        )

    def __str__(self) -> str:
        return self.name


class ProcessVersion(TenantModel):
    """A process as it stood from `made_at` on, whole (pipeline/process/document.py). Never changed."""

    process = TenantForeignKey(Process, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    changes = models.JSONField(default=list)
    person = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "process", "number"], name="process_version_once"
            ),
        )


class CloseReason(TenantModel):
    """Why a deal ended as it did; `feeds` says who learns from it."""

    name = models.CharField(max_length=200)
    name_folded = models.CharField(max_length=200, db_collation="C")
    parent = TenantForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    outcomes = models.JSONField(default=list)
    feeds = models.CharField(max_length=20, default="process")
    position = models.PositiveSmallIntegerField(default=100)
    # No closing is booked under it from then on; those that are keep it.
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("position", "name_folded")
        constraints = (
            models.UniqueConstraint(fields=["organization", "name_folded"], name="close_reason_once"),
        )

    def __str__(self) -> str:
        return self.name
