"""One file that came in: its run, its staged rows, and the source rows that were seen before."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel


class ImportRun(TenantModel):
    """What one import did. Counts are rows of the file."""

    kind = models.CharField(max_length=16)
    file_name = models.CharField(max_length=255)
    is_dry_run = models.BooleanField(default=False)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    read_count = models.BigIntegerField(default=0)
    created_count = models.BigIntegerField(default=0)
    updated_count = models.BigIntegerField(default=0)
    unchanged_count = models.BigIntegerField(default=0)
    refused_count = models.BigIntegerField(default=0)


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
