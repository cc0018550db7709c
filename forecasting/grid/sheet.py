"""The forecast on one sheet of A4: what the page shows, smaller the more rows stand open."""

import logging
from dataclasses import dataclass
from pathlib import Path

from fpdf import FPDF

from forecasting.grid.report import GridReport
from forecasting.grid.rules import Node, Rest
from forecasting.quotas.rules import Coverage, State
from forecasting.rollup.report import PersonRow
from otc.ui import format as fmt

FONTS = Path(__file__).with_name("fonts")
MARGIN, HEAD, FOOT = 10.0, 22.0, 6.0
NAME_WIDTH, INDENT = 58.0, 2.5
TALLEST, MOST_ROWS = 5.6, 80
POINTS_PER_MM = 2.35
QUIET = (107, 105, 99)
INK = (27, 26, 24)

# Embedding a font names every table of it.
logging.getLogger("fontTools").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Line:
    """A row of the sheet: a name, how deep it stands, and the texts of its cells."""

    name: str
    depth: int
    cells: tuple[str, ...]
    is_bold: bool = False


def sheet_pdf(grid: GridReport) -> bytes:
    """One page in landscape. Past eighty rows the others are counted, not shown: what isn't legible isn't printed."""
    lines, heads = sheet_lines(grid), sheet_heads(grid)
    if len(lines) > MOST_ROWS:
        left_out = len(lines) - MOST_ROWS + 1
        total = lines[-1]
        lines = [*lines[: MOST_ROWS - 1], Line(f"{left_out} rows more in the other files", 0, ()), total]
    pdf = FPDF(orientation="landscape", format="A4")
    pdf.set_creation_date(grid.question.now)
    pdf.set_title(f"Forecast {grid.question.period.label}")
    pdf.set_auto_page_break(False)
    pdf.set_margins(MARGIN, MARGIN, MARGIN)
    pdf.add_font("Inter", "", FONTS / "Inter-Regular.ttf")
    pdf.add_font("Inter", "B", FONTS / "Inter-SemiBold.ttf")
    pdf.add_page()
    _title(pdf, grid)
    height = min(TALLEST, (pdf.h - 2 * MARGIN - HEAD - FOOT) / (len(lines) + 1.5))
    width = (pdf.epw - NAME_WIDTH) / len(heads)
    pdf.set_xy(MARGIN, MARGIN + HEAD - 4)
    pdf.set_font("Inter", "", min(7.0, height * POINTS_PER_MM))
    _row(pdf, Line(f"Person · k {grid.question.currency}", 0, tuple(heads)), width=width, height=height * 1.4)
    for line in lines:
        pdf.set_font("Inter", "B" if line.is_bold else "", height * POINTS_PER_MM * 0.72)
        _row(pdf, line, width=width, height=height)
    return bytes(pdf.output())


def sheet_heads(grid: GridReport) -> list[str]:
    heads = ["Quota"]
    for column, label in grid.layout.columns:
        heads += [f"{label}, rep.", "Adjusted", f"{label}, final"] if column == grid.layout.focus else [label]
    return [*heads, "Call", "Gap", "Coverage"]


def sheet_lines(grid: GridReport) -> list[Line]:
    """The rows that stand open on the page, unassigned where it holds anything, and the total."""
    lines = [_line_of(entry, grid) for entry in grid.rows]
    unassigned = grid.now.unassigned
    if unassigned.deal_count or any(amounts.final for amounts in unassigned.amounts.values()):
        lines.append(Line("Unassigned", 0, _cells(unassigned, grid)))
    return [*lines, Line("Total", 0, _total(grid), is_bold=True)]


def _line_of(entry: Node | Rest, grid: GridReport) -> Line:
    if isinstance(entry, Rest):
        return Line(f"{entry.count} more", entry.depth, ())
    row = grid.people[entry.person]
    return Line(row.name, row.depth, _cells(row, grid), is_bold=bool(row.reports))


def _cells(row: PersonRow, grid: GridReport) -> tuple[str, ...]:
    currency = grid.question.currency
    cells = [fmt.money_k(row.quota_minor, currency=currency)]
    for column, _ in grid.layout.columns:
        cells += _shown(row.amounts[column].final, row, column, grid)
    said = grid.calls.get(row.person_id) if row.person_id else None
    call = said.amount_minor if said else None
    gap = None if call is None or row.quota_minor is None else call - row.quota_minor
    cells += [fmt.money_k(call, currency=currency), fmt.money_k(gap, currency=currency, plus=True)]
    return (*cells, _coverage(row.coverage))


def _total(grid: GridReport) -> tuple[str, ...]:
    total, currency = grid.now.total, grid.question.currency
    cells = [fmt.money_k(total.quota_minor, currency=currency)]
    for column, _ in grid.layout.columns:
        cells += _shown(grid.now.total.amounts[column].final, total, column, grid)
    return (*cells, "", "", _coverage(total.coverage))


def _shown(amount_minor: int, row: PersonRow, column: str, grid: GridReport) -> list[str]:
    currency = grid.question.currency
    final = fmt.money_k(amount_minor, currency=currency)
    if column != grid.layout.focus:
        return [final]
    reported = row.amounts[column].rolled_up
    effect = amount_minor - reported
    changed = fmt.money_k(effect, currency=currency, plus=True) if effect else ""
    return [fmt.money_k(reported, currency=currency), changed, final]


def _coverage(coverage: Coverage) -> str:
    if coverage.state == State.RATIO:
        return fmt.times(coverage.remaining)
    return "met" if coverage.state == State.MET else fmt.NOT_APPLICABLE


def _title(pdf: FPDF, grid: GridReport) -> None:
    question, currency = grid.question, grid.question.currency
    focus, quota = grid.now.total.amounts[grid.layout.focus].final, grid.now.total.quota_minor
    answer = f"{grid.layout.focus_label} {question.period.label}: {fmt.money_short(focus, currency=currency)}"
    if quota:
        answer += f" of {fmt.money_short(quota, currency=currency)}"
    at = fmt.moment(question.as_of.astimezone(question.zone), today=question.day)
    pdf.set_text_color(*INK)
    pdf.set_font("Inter", "B", 15)
    pdf.cell(0, 8, answer, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Inter", "", 8)
    pdf.set_text_color(*QUIET)
    pdf.cell(0, 4, f"{question.organization.name} · as of {at} · thousand {currency}")
    pdf.set_text_color(*INK)


def _row(pdf: FPDF, line: Line, *, width: float, height: float) -> None:
    pdf.set_draw_color(233, 232, 229)
    pdf.set_x(MARGIN + line.depth * INDENT)
    pdf.cell(
        NAME_WIDTH - line.depth * INDENT, height, _cut(pdf, line.name, NAME_WIDTH - line.depth * INDENT - 2)
    )
    for text in line.cells:
        pdf.cell(width, height, _cut(pdf, text, width), align="R")
    pdf.line(MARGIN, pdf.get_y() + height, MARGIN + pdf.epw, pdf.get_y() + height)
    pdf.set_xy(MARGIN, pdf.get_y() + height)


def _cut(pdf: FPDF, text: str, width: float) -> str:
    if pdf.get_string_width(text) <= width:
        return text
    while text and pdf.get_string_width(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"
