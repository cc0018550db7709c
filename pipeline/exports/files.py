"""The file that an export grows: CSV as a spreadsheet reads it, or XLSX a row at a time. Text stays text in both."""

import csv
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from otc.ui.csv import safe_cell

# A sheet of XLSX ends here; more rows go on in another.
MOST_SHEET_ROWS = 1_048_576
LONGEST_CELL = 32_767


class Growing(Protocol):
    """A file that takes one line after the other and is whole once it is closed."""

    def write(self, cells: Sequence[Any]) -> None: ...

    def close(self) -> None: ...


class CsvFile:
    """UTF-8 with a byte-order mark; what would run as a formula gets an apostrophe."""

    def __init__(self, path: Path, head: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._file.write("\ufeff")
        self._writer = csv.writer(self._file)
        self.write(head)

    def write(self, cells: Sequence[Any]) -> None:
        self._writer.writerow([safe_cell(cell) for cell in cells])

    def close(self) -> None:
        self._file.close()


class XlsxFile:
    """Numbers and days as such, everything else as text, which a spreadsheet never runs."""

    def __init__(self, path: Path, head: Sequence[str]) -> None:
        # Loaded by the worker that needs it, not by every page.
        from xlsxwriter import Workbook

        options = {"constant_memory": True, "tmpdir": str(path.parent), "default_date_format": "yyyy-mm-dd"}
        self._book = Workbook(str(path), options)
        self._bold = self._book.add_format({"bold": True})
        self._head = head
        self._begin_sheet()

    def _begin_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 2)
        for place, name in enumerate(self._head):
            self._sheet.write_string(0, place, name, self._bold)
        self._row = 1

    def write(self, cells: Sequence[Any]) -> None:
        if self._row >= MOST_SHEET_ROWS:
            self._begin_sheet()
        for place, cell in enumerate(cells):
            if cell is None or cell == "":
                continue
            if isinstance(cell, (int, float, Decimal)):
                self._sheet.write_number(self._row, place, cell)
            elif isinstance(cell, date):
                self._sheet.write_datetime(self._row, place, cell)
            else:
                self._sheet.write_string(self._row, place, str(cell)[:LONGEST_CELL])
        self._row += 1

    def close(self) -> None:
        self._book.close()


FILES: dict[str, Callable[[Path, Sequence[str]], Growing]] = {"csv": CsvFile, "xlsx": XlsxFile}
