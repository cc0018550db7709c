"""The forecast page: people by columns along the reporting line, with what changed in every cell."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from forecasting.calls.models import Call
from forecasting.calls.queries import latest_calls
from forecasting.inspection.services import previous_visit, visit_note
from forecasting.rollup.report import PersonRow, RollupReport, rollup_report
from otc.money.queries import shown_minor
from otc.question import BadQuestion, Question, ask, since_instant
from otc.tenancy.lines import UNASSIGNED
from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import Choice, href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page
from pipeline.process.columns import COLUMNS

PAGE = "forecast"
VIEWS = {
    "cumulative": (
        ("closed", "Closed"),
        ("commit_cumulative", "Commit"),
        ("most_likely_cumulative", "Most likely"),
        ("best_case_cumulative", "Best case"),
        ("open", "Open pipeline"),
    ),
    "single": (
        ("closed", "Closed"),
        ("commit", "Commit"),
        ("most_likely", "Most likely"),
        ("best_case", "Best case"),
        ("pipeline", "Pipeline"),
    ),
}
NO_CATEGORY = ("no_category", "No category")


@dataclass(frozen=True)
class Cell:
    """One amount in corporate minor units, its change, and the address of its deals."""

    amount_minor: int
    change_minor: int
    href: str


@dataclass(frozen=True)
class GridRow:
    row: PersonRow
    cells: list[Cell]
    own_cells: list[Cell] | None
    attained: float | None
    call: Call | None = None
    call_minor: int | None = None


@page("view_forecast")
@answers_bad_questions
def forecast_page(request: HttpRequest, slug: str) -> HttpResponse:
    """`/forecast/`: also as CSV with `format=csv`."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    report = rollup_report(question.organization, period=question.period, **question.frame)
    if request.GET.get("format") == "csv":
        return csv_response(f"forecast-{question.period.key}.csv", csv_head(), csv_rows(report))
    view = request.GET.get("view") or "cumulative"
    if view not in VIEWS:
        raise BadQuestion("view", f"“{view}” is none of: {', '.join(VIEWS)}")
    last_visit = previous_visit(tenant.person, page=PAGE, now=tenant.now)
    since = since_instant(question, request.GET.get("since", ""), last_visit=last_visit)
    visit_note(tenant.person, page=PAGE, now=tenant.now)
    before = rollup_report(
        question.organization, period=question.period, **(question.frame | {"as_of": since[1]})
    )
    columns = shown_columns(report, view)
    context = bar(request, question, since=since)
    context |= {
        "page_title": "Forecast",
        "report": report,
        "columns": columns,
        "rows": with_calls(grid(report, before, columns, question), question),
        "unassigned": unassigned_row(report, before, columns, question),
        "total": grid_row(report.total, before.total, columns, question, key=question.counted_scope),
        "view_choices": [
            Choice("Cumulative", href_with(request.path, request.GET, view=None), view == "cumulative"),
            Choice("Each category", href_with(request.path, request.GET, view="single"), view == "single"),
        ],
        "commit_minor": report.total.amounts["commit_cumulative"].final,
        "commit_change_minor": change(report.total, before.total, "commit_cumulative"),
        "movers": movers(report, before),
        "can_call": not question.is_past and tenant.may("submit_call") and question.period.end > question.day,
        "since_day": since[1].astimezone(question.zone).date(),
    }
    return render(request, "forecasting/rollup/forecast.html", context)


def shown_columns(report: RollupReport, view: str) -> list[tuple[str, str]]:
    """The view's columns, and "no category" where it holds money."""
    columns = list(VIEWS[view])
    if report.total.amounts["no_category"].rolled_up:
        columns.append(NO_CATEGORY)
    return columns


def grid(
    report: RollupReport, before: RollupReport, columns: list[tuple[str, str]], question: Question
) -> list[GridRow]:
    """Every person in the order of the lines; a manager's own deals stand apart from the branch."""
    earlier = {row.person_id: row for row in before.rows}
    return [
        grid_row(row, earlier.get(row.person_id), columns, question, key=str(row.person_id))
        for row in report.rows
        if not row.is_unassigned
    ]


def with_calls(rows: list[GridRow], question: Question) -> list[GridRow]:
    """The rows with everybody's latest commit call as of the question's instant."""
    calls = latest_calls(question.period.key, as_of=question.as_of)
    said = {person_id: call.amount_minor for person_id, call in calls.items()}
    shown = shown_minor(
        said,
        own=question.organization.currency,
        currency=question.currency,
        day=question.period.last,
        known=question.known,
    )
    return [
        replace(row, call=calls.get(row.row.person_id), call_minor=shown.get(row.row.person_id))
        if row.row.person_id
        else row
        for row in rows
    ]


def unassigned_row(
    report: RollupReport, before: RollupReport, columns: list[tuple[str, str]], question: Question
) -> GridRow | None:
    """There whenever it holds money or deals."""
    holds = any(amounts.final for amounts in report.unassigned.amounts.values())
    if not holds and not report.unassigned.deal_count:
        return None
    return grid_row(report.unassigned, before.unassigned, columns, question, key=UNASSIGNED)


def grid_row(
    row: PersonRow,
    before: PersonRow | None,
    columns: list[tuple[str, str]],
    question: Question,
    *,
    key: str,
) -> GridRow:
    base, frame = reverse("deals", args=[question.organization.slug]), frame_query(question)

    def cell(column: str, *, is_own: bool = False) -> Cell:
        amounts = row.amounts[column]
        return Cell(
            amounts.own if is_own else amounts.final,
            0 if is_own else change(row, before, column),
            href_with(base, frame, scope=key, column=column),
        )

    own = None
    if row.reports and any(row.amounts[column].own for column, _ in columns):
        own = [cell(column, is_own=True) for column, _ in columns]
    closed = row.amounts["closed"].final
    return GridRow(
        row=row,
        cells=[cell(column) for column, _ in columns],
        own_cells=own,
        attained=None if not row.quota_minor else closed / row.quota_minor,
    )


def frame_query(question: Question) -> QueryDict:
    """The question as an address, so that the deals behind a number are those of the same instant."""
    query = QueryDict(mutable=True)
    query["period"] = question.period.key
    if question.is_past:
        query["as_of"] = question.as_of.isoformat()
    if question.frame["knowledge"] == "now":
        query["knowledge"] = "now"
    if question.org_chart == "now":
        query["org_chart"] = "now"
    if question.currency != question.organization.currency:
        query["currency"] = question.currency
    return query


def change(row: PersonRow, before: PersonRow | None, column: str) -> int:
    """What a cell gained since; a person who wasn't there then gained all of it."""
    return row.amounts[column].final - (before.amounts[column].final if before else 0)


def movers(report: RollupReport, before: RollupReport) -> list[tuple[str, int]]:
    """Who moved the commit: the top's direct reports (or the people shown) and unassigned, largest first."""
    earlier = {row.person_id: row for row in before.rows}
    tops = {row.person_id for row in report.rows if row.depth == 0}
    depth = 1 if len(tops) == 1 and any(row.depth == 1 for row in report.rows) else 0
    found = [
        (row.name.split()[0], change(row, earlier.get(row.person_id), "commit_cumulative"))
        for row in report.rows
        if row.depth == depth and not row.is_unassigned
    ]
    found.append(("unassigned", change(report.unassigned, before.unassigned, "commit_cumulative")))
    return sorted((mover for mover in found if mover[1]), key=lambda mover: -abs(mover[1]))[:3]


def csv_head() -> list[str]:
    return ["person_id", "person", "depth", "quota_minor", *(f"{column}_minor" for column in COLUMNS)]


def csv_rows(report: RollupReport) -> list[list[Any]]:
    """People, unassigned and total with every column's final amount."""
    rows = [*report.rows, report.unassigned, report.total]
    return [[row.person_id, row.name, row.depth, row.quota_minor, *finals(row.amounts)] for row in rows]


def finals(amounts: Mapping[str, Any]) -> list[int]:
    return [amounts[column].final for column in COLUMNS]
