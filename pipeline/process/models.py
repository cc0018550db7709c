"""How a deal is meant to go: processes, their stages and milestones, and the words a closing is booked under."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel


class Category(models.TextChoices):
    OMITTED = "omitted", "Omitted"
    PIPELINE = "pipeline", "Pipeline"
    BEST_CASE = "best_case", "Best case"
    MOST_LIKELY = "most_likely", "Most likely"
    COMMIT = "commit", "Commit"
    CLOSED = "closed", "Closed"


class Process(TenantModel):
    """An ordered set of stages."""

    name = models.CharField(max_length=100)
    is_default = models.BooleanField(default=False)

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
    """One step of a process. `category` is what it proposes; null is an unmapped stage."""

    process = TenantForeignKey(Process, models.CASCADE, related_name="stages")
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField()
    objective = models.CharField(max_length=300, blank=True)
    category = models.CharField(max_length=12, choices=Category.choices, null=True, blank=True)
    expected_days = models.PositiveIntegerField(default=21)

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["organization", "process", "name"], name="stage_once"),
            models.UniqueConstraint(fields=["organization", "process", "position"], name="stage_place_once"),
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

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "stage", "position"], name="milestone_place_once"
            ),
        )

    def __str__(self) -> str:
        return self.name


class CloseReason(TenantModel):
    """Why a deal ended as it did; `feeds` says who learns from it."""

    name = models.CharField(max_length=200)
    name_folded = models.CharField(max_length=200, db_collation="C")
    parent = TenantForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    outcomes = models.JSONField(default=list)
    feeds = models.CharField(max_length=20, default="process")
    position = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ("position", "name_folded")
        constraints = (
            models.UniqueConstraint(fields=["organization", "name_folded"], name="close_reason_once"),
        )

    def __str__(self) -> str:
        return self.name
