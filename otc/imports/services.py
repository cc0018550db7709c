"""The way in: one file, one transaction, rows applied set by set."""

from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from otc.audit.services import audit_append
from otc.imports.kinds import ImportJob, Kind
from otc.imports.mapping import NO_MAPPING, ColumnMapping, bind
from otc.imports.models import ImportRun
from otc.imports.reader import CsvFile, open_csv
from otc.imports.report import SHOWN_REFUSALS, ImportReport, refused_rows
from otc.imports.staging import counts, keep_refused, refuse_repeated, remember_sources, stage_rows
from otc.tenancy.context import use
from otc.tenancy.models import Organization


def run_import(
    organization: Organization,
    *,
    kind: Kind,
    path: Path,
    mapping: ColumnMapping = NO_MAPPING,
    is_dry_run: bool = False,
    creates_missing: bool = False,
    is_strict: bool = False,
    now: datetime | None = None,
) -> ImportReport:
    """Import one CSV file. Raises ImportFileError or MappingError where the file as a whole can't be used.

    A row that can't be applied is refused and the rest applies; with `is_strict` nothing is applied then. A dry
    run does everything and takes it back. `creates_missing` creates records that the file names and nobody
    knows; the mapping may ask for it column by column.
    """
    now = now or timezone.now()
    with (
        open_csv(path, encoding=mapping.encoding, delimiter=mapping.delimiter) as source,
        use(organization.id, channel="import"),
        connection.cursor() as cursor,
    ):
        binding = bind(mapping, header=source.header, columns=kind.columns, keeps_others=kind.keeps_others)
        run = ImportRun(kind=kind.name, file_name=source.name[:255], is_dry_run=is_dry_run)
        run.save()
        creatable = kind.creatable if creates_missing else frozenset(mapping.create_missing) & kind.creatable
        job = ImportJob(cursor, organization, run.id, now, binding, creatable, mapping)
        result = _import_rows(job, source, kind=kind, is_dry_run=is_dry_run, is_strict=is_strict)
        _finish(run, result)
        refused = tuple(islice(refused_rows(organization, run_id=run.id), SHOWN_REFUSALS))
    return ImportReport(
        run_id=run.id,
        kind=kind.name,
        file_name=source.name,
        is_applied=result["is_applied"],
        read_count=result["read"],
        created_count=result["created"],
        updated_count=result["updated"],
        unchanged_count=result["unchanged"],
        refused_count=result["refused"],
        refused=refused,
    )


def _import_rows(
    job: ImportJob, source: CsvFile, *, kind: Kind, is_dry_run: bool, is_strict: bool
) -> dict[str, Any]:
    """Stage, refuse, apply; what was applied is taken back in a dry run and after a strict refusal."""
    # One import at a time in an organization: two files could create the same name twice.
    job.sql("SELECT pg_advisory_xact_lock(hashtextextended('import:' || %(organization)s::text, 0))")
    read_count = stage_rows(job, source.rows, kind=kind)
    if kind.key_column is not None:
        refuse_repeated(job, column=kind.key_column)
    kind.resolve(job)
    keep_refused(job)
    is_applied = not is_dry_run and not (is_strict and counts(job)["refused"])
    with transaction.atomic():
        kind.apply(job)
        remember_sources(job, kind=kind)
        result = counts(job)
        if not is_applied:
            transaction.set_rollback(True)
    job.sql("SET LOCAL enable_nestloop = DEFAULT; SET LOCAL work_mem = DEFAULT")
    return {**result, "read": read_count, "is_applied": is_applied}


def _finish(run: ImportRun, result: dict[str, Any]) -> None:
    run.finished_at = timezone.now()
    run.read_count = result["read"]
    run.created_count = result["created"]
    run.updated_count = result["updated"]
    run.unchanged_count = result["unchanged"]
    run.refused_count = result["refused"]
    run.save()
    counts_by_name = {name: result[name] for name in ("read", "created", "updated", "unchanged", "refused")}
    audit_append(
        "import.applied" if result["is_applied"] else "import.tried",
        subject_kind="import",
        subject_id=run.id,
        summary=f"{run.kind} from {run.file_name}: {result['created']} new, {result['updated']} changed, "
        f"{result['refused']} refused{'' if result['is_applied'] else ', nothing applied'}",
        detail={"kind": run.kind, "file": run.file_name, "is_dry_run": run.is_dry_run, **counts_by_name},
    )
