"""What did one import do? Counts of the file's rows, and the refused ones with line, column and reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from otc.imports.models import ImportRow
from otc.tenancy.context import use
from otc.tenancy.models import Organization

SHOWN_REFUSALS = 1_000


@dataclass(frozen=True)
class RefusedRow:
    """`line` counts from 1, the header's; `column` is native, or empty where the whole row is meant."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True)
class ImportReport:
    """read = created + updated + unchanged + refused. `is_applied` is false after a dry run or a strict refusal,
    where the counts say what would have been. `refused` holds the first SHOWN_REFUSALS; `refused_rows` all.
    `left_out_count` rows weren't meant by the mapping's `where` and are in no other count. `encoding` is told where
    it had to be guessed.
    """

    run_id: UUID
    kind: str
    file_name: str
    is_applied: bool
    read_count: int
    created_count: int
    updated_count: int
    unchanged_count: int
    refused_count: int
    refused: tuple[RefusedRow, ...]
    left_out_count: int = 0
    encoding: str = ""


def refused_rows(organization: Organization, *, run_id: UUID) -> Iterator[RefusedRow]:
    """Every refused row of a run by line, streamed."""
    with use(organization.id):
        rows = ImportRow.objects.filter(run_id=run_id).order_by("line")
        for row in rows.values_list("line", "refused_column", "refused_reason").iterator(chunk_size=2_000):
            yield RefusedRow(*row)


def report_lines(report: ImportReport) -> Iterator[str]:
    """The counts as a person reads them."""
    if report.encoding:
        yield f"{report.file_name} has no mark of its encoding and is not UTF-8: read as {report.encoding}"
    left_out = f"; {report.left_out_count:,} left out by the mapping" if report.left_out_count else ""
    state = "imported" if report.is_applied else "nothing applied; would be"
    yield (
        f"{report.file_name} ({report.kind}): {report.read_count:,} rows read; {state}: "
        f"{report.created_count:,} created, {report.updated_count:,} updated, "
        f"{report.unchanged_count:,} unchanged; {report.refused_count:,} refused{left_out}"
    )
