"""The way in: one file, one transaction, rows applied set by set."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from otc.audit.services import audit_append
from otc.fields.importing import field_columns, with_readers
from otc.imports.binding import Binding, bind
from otc.imports.blocks import stage_rows
from otc.imports.columns import FieldColumn
from otc.imports.differences import differences, records_before
from otc.imports.formats import settle_formats
from otc.imports.kinds import ImportJob, Kind
from otc.imports.mapping import NO_MAPPING, ColumnMapping
from otc.imports.models import ImportRow, ImportRun, ImportState
from otc.imports.names_shown import shown_name
from otc.imports.progress import APPLYING, CHECKING, FINISHING, Progress
from otc.imports.reader import CsvFile, SourceRow, open_csv
from otc.imports.report import SHOWN_REFUSALS, ImportReport, refused_rows
from otc.imports.staging import counts, keep_refused, refuse_repeated, remember_sources
from otc.imports.unfold import unfolded
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
    run: ImportRun | None = None,
    model: Any = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import one CSV file. Raises ImportFileError or MappingError where the file as a whole can't be used.

    A row that can't be applied is refused and the rest applies; with `is_strict` nothing is applied then. A dry
    run does everything and takes it back. `creates_missing` creates records that the file names and nobody
    knows; the mapping may ask for it column by column. `run` is the upload that this carries out, else a new one is
    kept; `model` is the record's, for examples of what changes; `progress` may raise Cancelled.
    """
    now, progress = now or timezone.now(), progress or Progress()
    person_id = run.person_id if run else None
    with use(organization.id):
        fields = field_columns(kind.name)
    name = run.file_name if run else None
    with (
        _opened(path, kind=kind, mapping=mapping, fields=fields, name=name) as (source, binding),
        use(organization.id, person_id=person_id, channel="import"),
        connection.cursor() as cursor,
    ):
        binding = with_readers(binding, zone=ZoneInfo(organization.timezone))
        run = run or _new_run(kind, source, is_dry_run=is_dry_run)
        creatable = kind.creatable if creates_missing else frozenset(mapping.create_missing) & kind.creatable
        job = ImportJob(cursor, organization, run.id, now, binding, creatable, mapping)
        result = _import_rows(
            job, source, kind=kind, model=model, progress=progress, is_dry_run=is_dry_run, is_strict=is_strict
        )
        _finish(run, result, source)
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
        left_out_count=progress.left_out_count,
        encoding=source.encoding.label if source.encoding.is_guess else "",
    )


@contextmanager
def _opened(
    path: Path, *, kind: Kind, mapping: ColumnMapping, fields: Sequence[FieldColumn], name: str | None
) -> Iterator[tuple[CsvFile, Binding]]:
    """The open file and the mapping tied to it, every format settled."""
    options = {"delimiter": mapping.delimiter, "name": name}
    with open_csv(path, encoding=mapping.encoding, **options) as opened:
        source = unfolded(opened, mapping.unfold) if mapping.unfold else opened
        binding = bind(
            mapping,
            header=source.header,
            columns=kind.columns,
            keeps_others=kind.keeps_others,
            fields=fields,
        )

        def rows() -> Iterator[SourceRow]:
            with open_csv(path, encoding=source.encoding.name, **options) as again:
                yield from (unfolded(again, mapping.unfold) if mapping.unfold else again).rows

        yield source, settle_formats(binding, columns=[*kind.columns, *fields], rows=rows)


def _new_run(kind: Kind, source: CsvFile, *, is_dry_run: bool) -> ImportRun:
    state = ImportState.CHECKING if is_dry_run else ImportState.APPLYING
    run = ImportRun(kind=kind.name, file_name=shown_name(source.name), is_dry_run=is_dry_run, state=state)
    run.save()
    return run


def _import_rows(
    job: ImportJob,
    source: CsvFile,
    *,
    kind: Kind,
    model: Any,
    progress: Progress,
    is_dry_run: bool,
    is_strict: bool,
) -> dict[str, Any]:
    """Stage, refuse, apply; what was applied is taken back in a dry run and after a strict refusal."""
    # One import at a time in an organization: two files could create the same name twice.
    job.sql("SELECT pg_advisory_xact_lock(hashtextextended('import:' || %(organization)s::text, 0))")
    read_count = stage_rows(job, progress.counted(_meant(job.binding, source.rows, progress)), kind=kind)
    progress.enter(CHECKING)
    if kind.key_column is not None:
        refuse_repeated(job, column=kind.key_column)
    kind.resolve(job)
    _forget_refused(job.run_id)
    keep_refused(job)
    is_applied = not is_dry_run and not (is_strict and counts(job)["refused"])
    before = records_before(job, model) if model is not None and is_dry_run else {}
    progress.enter(APPLYING)
    with transaction.atomic():
        kind.apply(job)
        remember_sources(job, kind=kind)
        result = counts(job)
        changes = differences(model, before, kind_name=kind.name) if before else []
        if not is_applied:
            transaction.set_rollback(True)
    job.sql("SET LOCAL enable_nestloop = DEFAULT; SET LOCAL work_mem = DEFAULT")
    progress.enter(FINISHING)
    return {
        **result,
        "read": read_count,
        "left_out": progress.left_out_count,
        "is_applied": is_applied,
        "differences": [change.as_row() for change in changes],
    }


def _meant(binding: Binding, rows: Iterator[SourceRow], progress: Progress) -> Iterator[SourceRow]:
    """The rows that the mapping's `where` means; a row of another width can't be asked and stays."""
    if binding.keeps is None:
        return rows
    return _kept(binding, rows, progress)


def _kept(binding: Binding, rows: Iterator[SourceRow], progress: Progress) -> Iterator[SourceRow]:
    assert binding.keeps is not None
    for row in rows:
        if row.fault or binding.keeps(row.cells):
            yield row
        else:
            progress.left_out_count += 1


def _forget_refused(run_id: UUID) -> None:
    """Rows that a dry run of the same upload refused."""
    ImportRow.objects.filter(run_id=run_id).delete()


def _finish(run: ImportRun, result: dict[str, Any], source: CsvFile) -> None:
    run.finished_at = timezone.now()
    run.state = ImportState.APPLIED if result["is_applied"] else ImportState.CHECKED
    run.read_count = result["read"]
    run.created_count = result["created"]
    run.updated_count = result["updated"]
    run.unchanged_count = result["unchanged"]
    run.refused_count = result["refused"]
    run.left_out_count = result["left_out"]
    run.differences = result["differences"]
    run.encoding = source.encoding.label
    run.error = run.phase = ""
    run.progress_count = result["read"] + result["left_out"]
    run.save()
    counts_by_name = {
        name: result[name] for name in ("read", "created", "updated", "unchanged", "refused", "left_out")
    }
    audit_append(
        "import.applied" if result["is_applied"] else "import.tried",
        subject_kind="import",
        subject_id=run.id,
        summary=f"{run.kind} from {run.file_name}: {result['created']} new, {result['updated']} changed, "
        f"{result['refused']} refused{'' if result['is_applied'] else ', nothing applied'}",
        detail={"kind": run.kind, "file": run.file_name, "is_dry_run": run.is_dry_run, **counts_by_name},
    )
