"""History: how the number got here, week by week."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from forecasting.history.report import STEPS, HistoryPoint, HistoryReport, history_report
from forecasting.locks.note import lock_note
from forecasting.tabs import forecast_tabs
from forecasting.types.control import type_controls
from forecasting.types.queries import type_asked
from otc.question import BadQuestion, Question, ask
from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.charts import line
from otc.ui.controls import Choice, href_with
from otc.ui.csv import csv_response
from otc.ui.format import day_near, money_axis, money_short
from otc.ui.pages import page
from pipeline.process.columns import COLUMNS

SWITCH = (
    ("closed", "Closed"),
    ("commit_cumulative", "Commit"),
    ("most_likely_cumulative", "Most likely"),
    ("best_case_cumulative", "Best case"),
    ("open", "Open pipeline"),
)
FIVE = ("own", "rolled_up", "with_reports_adjustments", "seen", "final")
CALLS = ("commit_cumulative", "most_likely_cumulative", "best_case_cumulative")


@require_safe
@page("view_forecast")
@answers_bad_questions
def forecast_history(request: HttpRequest, slug: str) -> HttpResponse:
    """`/forecast/history/`: a line and its rows; also as CSV with `format=csv`."""
    question = ask(tenant_of(request), request.GET)
    step, column = request.GET.get("step") or "week", request.GET.get("column") or "commit_cumulative"
    if step not in STEPS:
        raise BadQuestion("step", f"“{step}” is none of: {', '.join(STEPS)}")
    if column not in dict(SWITCH):
        raise BadQuestion("column", f"“{column}” is none of: {', '.join(dict(SWITCH))}")
    type_ = type_asked(request.GET.get("type", ""))
    found = history_report(question, step=step, type_id=type_.id if type_ else None)
    if request.GET.get("format") == "csv":
        return csv_response(f"history-{question.period.key}.csv", csv_head(), csv_rows(found))
    context = bar(request, question)
    context["controls"] += type_controls(request, type_)
    rows = point_rows(request, question, found, column)
    context |= {
        "page_title": "History",
        "type": type_,
        "bar_note": lock_note(question, type_id=type_.id if type_ else None),
        "tabs": forecast_tabs(request, "forecast_history"),
        "found": found,
        "rows": list(reversed(rows)),
        "first": rows[0],
        "last": rows[-1],
        "moved_minor": rows[-1]["amounts"].final - rows[0]["amounts"].final,
        "column_label": dict(SWITCH)[column],
        "chart": chart(question, rows, label=dict(SWITCH)[column]),
        "column_choices": [
            Choice(label, href_with(request.path, request.GET, column=key), key == column)
            for key, label in SWITCH
        ],
        "step_choices": [
            Choice(f"By {name}", href_with(request.path, request.GET, step=name), name == step)
            for name in STEPS
        ],
    }
    return render(request, "forecasting/history/history.html", context)


def point_rows(
    request: HttpRequest, question: Question, found: HistoryReport, column: str
) -> list[dict[str, Any]]:
    """Each point with its change since the one before, and the grid of then."""
    grid, rows, before = reverse("forecast", args=[question.organization.slug]), [], None
    for point in found.points:
        amounts = point.amounts[column]
        as_of = None if point.as_of == question.now else point.as_of.isoformat()
        rows.append(
            {
                "point": point,
                "day": point.as_of.astimezone(question.zone).date(),
                "amounts": amounts,
                "adjusted_minor": amounts.final - amounts.rolled_up,
                "change_minor": None if before is None else amounts.final - before,
                "call_minor": point.calls.get(column),
                "href": href_with(grid, request.GET, as_of=as_of, step=None, column=None, format=None),
            }
        )
        before = amounts.final
    return rows


def chart(question: Question, rows: list[dict[str, Any]], *, label: str) -> Any:
    today = question.now.astimezone(question.zone).date()
    shown = [
        line.LinePoint(
            day_near(row["day"], today=today),
            float(row["amounts"].final),
            money_short(row["amounts"].final, currency=question.currency),
            href=row["href"],
        )
        for row in rows
    ]
    largest = max([point.value for point in shown] + [1.0])
    unit, tick_text = money_axis(largest, currency=question.currency)
    return line.draw(
        label=f"{label} by day", points=shown, low=0, high=largest, unit=unit, tick_text=tick_text
    )


def csv_head() -> list[str]:
    amounts = [f"{column}_{name}_minor" for column in COLUMNS for name in FIVE]
    return ["as_of", "quota_minor", *(f"call_{column}_minor" for column in CALLS), *amounts]


def csv_rows(found: HistoryReport) -> list[list[Any]]:
    return [csv_row(point) for point in found.points]


def csv_row(point: HistoryPoint) -> list[Any]:
    amounts = [getattr(point.amounts[column], name) for column in COLUMNS for name in FIVE]
    return [
        point.as_of.isoformat(),
        point.quota_minor,
        *(point.calls.get(column) for column in CALLS),
        *amounts,
    ]
