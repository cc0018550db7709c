"""The job table: work that must happen, written in the transaction that needs it. Ids only, no payload."""

from django.db import models
from django.db.models.functions import UUID7

from otc.tenancy.fields import TenantModel


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(TenantModel):
    """One piece of work per (kind, key). `generation` counts requests: asked again while running, it runs again."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=100)
    subject = models.UUIDField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=JobState.choices, default=JobState.QUEUED)
    generation = models.BigIntegerField(default=1)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    done_count = models.BigIntegerField(default=0)
    total_count = models.BigIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "kind", "key"], name="job_once"),)
        indexes = (
            models.Index(fields=["due_at"], name="job_queued", condition=models.Q(state="queued")),
            models.Index(fields=["lease_until"], name="job_leased", condition=models.Q(state="running")),
        )
