"""The flow from stage to stage or category to category, and the deals behind each cell."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from forecasting.flow.places import name_of, place_of, word_of
from forecasting.flow.report import BUCKET, BY, GROUP, Cell, FlowReport, Place, flow_report
from forecasting.inspection.services import previous_visit
from forecasting.waterfall import groups
from forecasting.waterfall.queries import page_of
from forecasting.waterfall.rules import LEAVING, REVALUING
from forecasting.waterfall.views import ROWS_A_PAGE, choice, page_number, places
from otc.question import Question, ask, since_instant
from otc.tenancy.middleware import tenant_of
from otc.ui import format as fmt
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import Choice, href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page

CSV_HEAD = (*("from_kind", "from_key", "from", "to_kind", "to_key", "to", "count", "amount_minor"),)
BY_LABELS = {"stage": "Stages", "category": "Categories"}


@page("view_inspection")
@answers_bad_questions
def flow_matrix(request: HttpRequest, slug: str) -> HttpResponse:
    """`/flow/matrix/`: also as CSV with `format=csv`; `start` and `end` open a cell's deals."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    last_visit = previous_visit(tenant.person, page="inspection", now=tenant.now)
    since = since_instant(question, request.GET.get("since", "period"), last_visit=last_visit)
    by = choice(request, "by", BY) or BY[0]
    opened = opened_of(request, by=by)
    report = flow_report(
        question.organization, period=question.period, since=since[1], by=by, **question.frame
    )
    names = groups.ordered(report.groups, by=by, today=question.day)
    if request.GET.get("format") == "csv":
        return csv_response(f"flow-{by}-{question.period.key}.csv", CSV_HEAD, csv_rows(report, dict(names)))
    context = bar(request, question, since=since)
    context |= {
        "page_title": "Flow",
        "finding": finding(report, dict(names)),
        "since_day": since[1].astimezone(question.zone).date(),
        "places": places(request),
        "by_choices": [
            Choice(label, href_with(request.path, request.GET, by=key, start=None, end=None), key == by)
            for key, label in BY_LABELS.items()
        ],
        "by": by,
        "matrix": matrix(request, report, names),
        "opened": shown(request, report, *opened, names=dict(names), question=question) if opened else None,
        "is_path": False,
        "unconvertible_sums": report.unconvertible_sums,
    }
    return render(request, "forecasting/flow/matrix.html", context)


def opened_of(request: HttpRequest, *, by: str) -> tuple[Place, Place] | None:
    """The cell whose deals are asked for. Raises BadQuestion."""
    start, end = request.GET.get("start", ""), request.GET.get("end", "")
    if not start and not end:
        return None
    return place_of(start, parameter="start", by=by), place_of(end, parameter="end", by=by)


def matrix(request: HttpRequest, report: FlowReport, names: list[tuple[str | None, str]]) -> dict[str, Any]:
    """Rows and columns with their cells; the largest cell off the diagonal sets how strong the others look."""
    columns: list[Place] = [(GROUP, key) for key, _ in names] + [(BUCKET, way) for way in report.ways_out]
    starts: list[Place] = [(GROUP, key) for key, _ in names] + [(BUCKET, way) for way in report.ways_in]
    moving = [abs(cell.amount_minor) for (start, end), cell in report.cells.items() if start != end]
    largest = max(moving, default=0)
    by_key = dict(names)

    def drawn(start: Place, end: Place) -> dict[str, Any]:
        cell = report.cell(start, end)
        return {
            "cell": cell,
            "is_same": start == end,
            "is_edge": end == (BUCKET, report.ways_out[0]) if report.ways_out else False,
            "shade": shade(cell, largest) if start != end else 0,
            "href": href_with(request.path, request.GET, start=word_of(start), end=word_of(end), page=None)
            + "#deals",
        }

    return {
        "columns": [
            {"name": name_of(end, by_key), "is_edge": report.ways_out[:1] == [end[1]] and end[0] == BUCKET}
            for end in columns
        ],
        "rows": [
            {
                "name": name_of(start, by_key),
                "is_group": start[0] == GROUP,
                "is_first_bucket": start[0] == BUCKET and start[1] == report.ways_in[0],
                "cells": [drawn(start, end) for end in columns],
                "total": report.row(start),
            }
            for start in starts
        ],
        "totals": [
            {"cell": report.column(end), "is_edge": report.ways_out[:1] == [end[1]] and end[0] == BUCKET}
            for end in columns
        ],
        "opening": sum((report.row((GROUP, key)) for key, _ in names), Cell()),
        "closing": sum((report.column((GROUP, key)) for key, _ in names), Cell()),
    }


def shade(cell: Cell, largest: int) -> int:
    """1 to 4 by size beside the largest, 0 for nothing."""
    if not cell.amount_minor or not largest:
        return 0
    return min(4, 1 + 4 * abs(cell.amount_minor) // (largest + 1))


def finding(report: FlowReport, names: dict[str | None, str]) -> str:
    """The largest move between two groups, else the largest way out."""
    moves = [
        (cell.amount_minor, start, end)
        for (start, end), cell in report.cells.items()
        if start != end and start[0] == GROUP and cell.amount_minor
    ]
    if not moves:
        return "Nothing moved between these two days"
    amount, start, end = max(moves, key=lambda move: (move[0], str(move[1])))
    money = fmt.money_short(amount, currency=report.currency)
    if end[0] == BUCKET:
        verb = "was" if end[1] in (LEAVING[0], LEAVING[1]) else "left as"
        return f"{money} of {name_of(start, names)} {verb} {name_of(end, names).lower()}"
    return f"{money} went from {name_of(start, names)} to {name_of(end, names)}"


def shown(
    request: HttpRequest,
    report: FlowReport,
    start: Place,
    end: Place,
    *,
    names: dict[str | None, str],
    question: Question,
) -> dict[str, Any]:
    """A cell's deals, a page of them; its sum and count are of all."""
    number, cell = page_number(request), report.cell(start, end)
    lines, has_more = page_of(
        report.lines(start, end, offset=number * ROWS_A_PAGE, limit=ROWS_A_PAGE + 1), ROWS_A_PAGE
    )
    href = partial(href_with, request.path, request.GET)
    joined = "in" if start[1] in REVALUING else "to"
    return {
        "label": f"{name_of(start, names)} {joined} {name_of(end, names)}",
        "total": cell,
        "rows": [{"line": line, "day": line.at.astimezone(question.zone).date()} for line in lines],
        "note": f"{len(lines)} of {fmt.plural(cell.count, 'deal')}; the sum counts all of them",
        "previous_href": href(page=str(number - 1)) + "#deals" if number else "",
        "next_href": href(page=str(number + 1)) + "#deals" if has_more else "",
        "close_href": href(start=None, end=None, page=None),
    }


def csv_rows(report: FlowReport, names: dict[str | None, str]) -> Iterable[tuple[Any, ...]]:
    """A row a cell."""
    for (start, end), cell in sorted(report.cells.items(), key=lambda item: str(item[0])):
        yield (*start, name_of(start, names), *end, name_of(end, names), cell.count, cell.amount_minor)
