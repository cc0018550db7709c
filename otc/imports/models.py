"""One file that came in: its run, its staged rows, and the source rows that were seen before."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel


class ImportState(models.TextChoices):
    """Where an import stands. A running one is checking (a dry run) or applying."""

    UPLOADED = "uploaded", "Waiting for its mapping"
    CHECKING = "checking", "Being checked"
    CHECKED = "checked", "Checked, not applied"
    APPLYING = "applying", "Being applied"
    APPLIED = "applied", "Applied"
    FAILED = "failed", "Not usable"
    CANCELLED = "cancelled", "Cancelled"


RUNNING = (ImportState.CHECKING, ImportState.APPLYING)


class ImportRun(TenantModel):
    """One file and what its import did. Counts are rows of the file: after a dry run, what they would be.

    `stored_as` names the uploaded file in the private folder, empty once it is deleted and for a command's.
    `row_estimate` is its count of lines; `progress_count` rows of it were read so far, in `phase`.
    """

    kind = models.CharField(max_length=16, blank=True)
    file_name = models.CharField(max_length=255)
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.APPLIED)
    person = TenantForeignKey("otc.Person", models.SET_NULL, null=True, blank=True, related_name="+")
    is_dry_run = models.BooleanField(default=False)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    stored_as = models.CharField(max_length=40, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    row_estimate = models.BigIntegerField(default=0)
    encoding = models.CharField(max_length=20, blank=True)
    system = models.CharField(max_length=40, blank=True)
    signature = models.CharField(max_length=64, blank=True, db_collation="C")
    mapping = models.JSONField(default=dict, blank=True)
    creates_missing = models.BooleanField(default=False)
    phase = models.CharField(max_length=10, blank=True)
    progress_count = models.BigIntegerField(default=0)
    is_cancel_asked = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    differences = models.JSONField(default=list, blank=True)
    read_count = models.BigIntegerField(default=0)
    created_count = models.BigIntegerField(default=0)
    updated_count = models.BigIntegerField(default=0)
    unchanged_count = models.BigIntegerField(default=0)
    refused_count = models.BigIntegerField(default=0)
    left_out_count = models.BigIntegerField(default=0)

    class Meta(TenantModel.Meta):
        indexes = (models.Index(fields=["organization", "-started_at"], name="import_run_by_time"),)

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING


class SavedMapping(TenantModel):
    """The mapping that was last used for files with this header (`signature`); the next one starts with it."""

    kind = models.CharField(max_length=16)
    signature = models.CharField(max_length=64, db_collation="C")
    system = models.CharField(max_length=40, blank=True)
    mapping = models.JSONField(default=dict)
    creates_missing = models.BooleanField(default=False)
    person = TenantForeignKey("otc.Person", models.SET_NULL, null=True, blank=True, related_name="+")
    used_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = (
            models.UniqueConstraint(fields=["organization", "signature"], name="saved_mapping_once"),
        )


class ImportRow(TenantModel):
    """A staged row of a running import: its line in the file, its cells, and why it was refused, if it was."""

    run = TenantForeignKey(ImportRun, models.CASCADE, related_name="+")
    line = models.BigIntegerField()
    external_id = models.CharField(max_length=200, db_collation="C")
    fingerprint = models.CharField(max_length=64, db_collation="C")
    cells = models.JSONField()
    refused_column = models.CharField(max_length=200, blank=True)
    refused_reason = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "run", "line"], name="import_row_line_once"),
        )


class ImportedSource(TenantModel):
    """The fingerprint of the last applied source row per kind and key: an unchanged row is skipped on a rerun."""

    kind = models.CharField(max_length=16)
    external_id = models.CharField(max_length=200, db_collation="C")
    fingerprint = models.CharField(max_length=64, db_collation="C")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "kind", "external_id"], name="source_once"),
        )
