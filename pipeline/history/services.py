"""How history comes in: rows are staged, and one checked function of the database writes the versions."""

from collections.abc import Iterable
from uuid import UUID, uuid4

from django.db import connection

from pipeline.history.models import HistoryRow


def enter_history(rows: Iterable[HistoryRow]) -> int:
    """Stage full states of deals and enter them; returns how many versions were written.

    Per deal, the last row must be the deal's present state unless it was edited here since. Raises
    IntegrityError (naming deal and instant) for history in the future, after a live edit, or ending elsewhere.
    """
    run = uuid4()
    HistoryRow.objects.bulk_create((_of_run(row, run) for row in rows), batch_size=2000)
    return enter_staged(run)


def enter_staged(run: UUID) -> int:
    """Enter what was staged under `run` in pipeline_historyrow."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pipeline_enter_history(%s)", [str(run)])
        written: int = cursor.fetchone()[0]
    return written


def _of_run(row: HistoryRow, run: UUID) -> HistoryRow:
    row.run = run
    return row


def renew_statistics() -> None:
    """Let PostgreSQL look at the pipeline's tables again, after much came in: else it plans for empty ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pipeline_analyze()")
