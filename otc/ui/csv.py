"""A report's rows as a CSV file that no spreadsheet runs as a formula."""

import csv
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from django.http import HttpResponse

RUNS_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Writer(Protocol):
    def write(self, text: str) -> object: ...


def safe_cell(value: Any) -> Any:
    """Text that a spreadsheet would run gets an apostrophe before it; numbers and days stay as they are.

    >>> safe_cell("=1+1")
    "'=1+1"
    """
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(RUNS_AS_FORMULA):
        return f"'{value}"
    return value


def csv_response(filename: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """A download in UTF-8 with a byte-order mark, so that spreadsheets read it rightly."""
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
    # The audit says how many rows left the house.
    response.row_count = write_rows(response, head, rows)  # type: ignore[attr-defined]  # Django's way
    return response


def write_rows(target: _Writer, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """The head and every row, each cell made safe. Returns the number of rows."""
    target.write("\ufeff")
    writer = csv.writer(target)
    writer.writerow(head)
    count = 0
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        count += 1
    return count
