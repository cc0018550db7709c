"""A file of deals that somebody asked for: how far it is, where it lies, until when."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class ExportState(models.TextChoices):
    WAITING = "waiting", "Waiting for its turn"
    READING = "reading", "Reading the deals"
    WRITING = "writing", "Writing the file"
    DONE = "done", "Ready"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


RUNNING = (ExportState.WAITING, ExportState.READING, ExportState.WRITING)


class DealExport(TenantModel):
    """`query` is the list's address; `stored_as` names the file in the private folder, empty once it is deleted.

    `row_count` deals of `total_count` are written. Nobody but `person` may open it, and not after `expires_at`.
    """

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    query = models.TextField(blank=True)
    format = models.CharField(max_length=4, choices=[("csv", "CSV"), ("xlsx", "XLSX")])
    state = models.CharField(max_length=9, choices=ExportState.choices, default=ExportState.WAITING)
    is_cancel_asked = models.BooleanField(default=False)
    row_count = models.BigIntegerField(default=0)
    total_count = models.BigIntegerField(null=True, blank=True)
    stored_as = models.CharField(max_length=40, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["organization", "person", "-asked_at"], name="deal_export_by_person"),
        )

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING

    @property
    def file_name(self) -> str:
        """What the file is called where it is downloaded."""
        return f"deals-{self.asked_at:%Y-%m-%d}.{self.format}"
