"""The refused rows of a run as a file that can be mended and brought in again."""

from collections.abc import Iterator, Sequence

from otc.imports.models import ImportRow, ImportRun
from otc.imports.reader import REFUSAL_COLUMNS, open_csv
from otc.imports.uploads import stored_path
from otc.ui.csv import RUNS_AS_FORMULA

MOST_ROWS = 50_000


def refused_file(run: ImportRun) -> tuple[Sequence[str], Iterator[Sequence[str]]]:
    """Head and rows: line, column and reason, then the row as it came, while its file is kept."""
    refused = ImportRow.objects.filter(run_id=run.id).order_by("line")
    told = refused.values_list("line", "refused_column", "refused_reason")[:MOST_ROWS]
    path = stored_path(run.organization_id, run.stored_as) if run.stored_as else None
    if path is None or not path.is_file():
        return REFUSAL_COLUMNS, ((str(line), column, reason) for line, column, reason in told)
    encoding, delimiter = run.mapping.get("encoding"), run.mapping.get("delimiter")
    with open_csv(path, encoding=encoding, delimiter=delimiter, name=run.file_name) as source:
        head = (*REFUSAL_COLUMNS, *source.header)

    def rows() -> Iterator[Sequence[str]]:
        waiting = iter(told.iterator(chunk_size=2_000))
        wanted = next(waiting, None)
        with open_csv(path, encoding=encoding, delimiter=delimiter, name=run.file_name) as again:
            for row in again.rows:
                if wanted is None:
                    return
                if row.line == wanted[0]:
                    yield (str(wanted[0]), wanted[1], wanted[2], *map(escaped, row.cells))
                    wanted = next(waiting, None)

    return head, rows()


def escaped(cell: str) -> str:
    """A cell whose apostrophe isn't lost when the file comes back: one more where it looks like a safe formula."""
    return f"'{cell}" if cell[:1] == "'" and cell.lstrip("'").startswith(RUNS_AS_FORMULA) else cell
