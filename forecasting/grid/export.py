"""The forecast as a file: every row and column as CSV, the grid as a workbook, what is shown on one sheet of PDF."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from django.http import HttpResponse

from forecasting.grid.report import GridReport
from forecasting.rollup.report import PersonRow
from otc.ui import format as fmt
from otc.ui.csv import csv_response, safe_cell
from pipeline.process.columns import COLUMNS, LABELS

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMN_WIDTH, NAME_WIDTH = 14, 32


def csv_file(grid: GridReport) -> HttpResponse:
    """Everybody with every column, in minor units, for whoever computes with it."""
    return csv_response(f"{file_name(grid)}.csv", csv_head(), csv_rows(grid))


def csv_head() -> list[str]:
    return [
        *("person_id", "person", "depth", "quota_minor"),
        *(f"{column}_minor" for column in COLUMNS),
        *("call_column", "call_minor"),
    ]


def csv_rows(grid: GridReport) -> list[list[Any]]:
    """People, unassigned and total with every column's amount as it is shown."""
    return [
        [row.person_id, row.name, row.depth, row.quota_minor, *finals(row), *_call(grid, row)]
        for row in everybody(grid)
    ]


def everybody(grid: GridReport) -> list[PersonRow]:
    return [*grid.now.rows, grid.now.unassigned, grid.now.total]


def finals(row: PersonRow) -> list[int]:
    return [row.amounts[column].final for column in COLUMNS]


def _call(grid: GridReport, row: PersonRow) -> tuple[str, int | None]:
    said = grid.calls.get(row.person_id) if row.person_id else None
    return (grid.layout.call_column, said.amount_minor) if said else ("", None)


def file_name(grid: GridReport) -> str:
    return f"forecast-{grid.now.period.key}" + (f"-{grid.type.slug}" if grid.type else "")


def said_of(grid: GridReport) -> str:
    """Whose numbers these are, of which period, as of when, in what."""
    question = grid.question
    typed = f" · {grid.type.name}" if grid.type else ""
    at = question.as_of.astimezone(question.zone)
    return (
        f"{question.organization.name} · Forecast {question.period.label}{typed} · as of "
        f"{fmt.moment(at, today=question.day)} · {question.currency}"
    )


def xlsx_file(grid: GridReport) -> HttpResponse:
    """A workbook of numbers: units of the currency, so that sums and charts work at once."""
    # A file is asked for once a week: what writes it need not be in every process's memory.
    from xlsxwriter import Workbook

    target = BytesIO()
    book = Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Forecast")
    bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0"})
    share = book.add_format({"num_format": "0 %"})
    sheet.write_string(0, 0, safe_cell(said_of(grid)), bold)
    head = ["Person", "Level", *xlsx_labels(grid)]
    for place, text in enumerate(head):
        sheet.write_string(2, place, text, bold)
    for line, row in enumerate(everybody(grid), start=3):
        sheet.write_string(line, 0, safe_cell(row.name), book.add_format({"indent": min(row.depth, 15)}))
        sheet.write_number(line, 1, row.depth)
        for place, value in enumerate(xlsx_values(grid, row), start=2):
            if value is not None:
                sheet.write_number(line, place, float(value), share if place == len(head) - 1 else money)
    sheet.freeze_panes(3, 1)
    sheet.set_column(0, 0, NAME_WIDTH)
    sheet.set_column(1, len(head) - 1, COLUMN_WIDTH)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    book.close()
    return _download(target.getvalue(), f"{file_name(grid)}.xlsx", EXCEL, rows=len(grid.now.rows) + 2)


def xlsx_labels(grid: GridReport) -> list[str]:
    focus = grid.layout.focus_label
    return [
        "Quota",
        *(LABELS[column] for column in COLUMNS),
        f"{focus}, reported",
        "Adjusted by",
        "Call",
        "Gap",
        "Call / quota",
    ]


def xlsx_values(grid: GridReport, row: PersonRow) -> Iterator[Any]:
    """One row's numbers in units; None where there is none."""
    currency, focus = grid.question.currency, grid.layout.focus
    shown = finals(row)
    reported = row.amounts[focus].rolled_up
    call, quota = _call(grid, row)[1], row.quota_minor
    gap = None if call is None or quota is None else call - quota
    amounts = [quota, *shown, reported, shown[list(COLUMNS).index(focus)] - reported, call, gap]
    for minor in amounts:
        yield None if minor is None else fmt.units(minor, currency=currency)
    yield call / quota if call is not None and quota else None


def pdf_file(grid: GridReport) -> HttpResponse:
    """What the page shows, on one sheet of A4."""
    from forecasting.grid.sheet import sheet_pdf

    return _download(sheet_pdf(grid), f"{file_name(grid)}.pdf", "application/pdf", rows=len(grid.rows))


def _download(content: bytes, name: str, content_type: str, *, rows: int) -> HttpResponse:
    response = HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
    # The audit says how many rows left the house.
    response.row_count = rows  # type: ignore[attr-defined]  # as otc.ui.csv does
    return response
