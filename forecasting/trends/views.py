"""The trends page: the period by week beside the four before it, what is open made of age, and of a few large deals."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from forecasting.trends import picture
from forecasting.trends.make_up import MakeUp
from forecasting.trends.narrowing import PARAMETER
from forecasting.trends.picture import MEASURES
from forecasting.trends.report import Trends, trends_report
from forecasting.trends.rules import COLUMNS, Point
from otc.question import BadQuestion, Question, ask
from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import Choice, href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page

CSV_HEAD = ("period", "week", "at", "is_present", "quota_minor", "open_minor", *COLUMNS)
SHOWN_LARGEST = 5


@page("view_inspection")
@answers_bad_questions
def trends_page(request: HttpRequest, slug: str) -> HttpResponse:
    """`/trends/`: also as CSV with `format=csv`; `measure` is what the first chart and the table show."""
    question = ask(tenant_of(request), request.GET)
    knowledge, measure = request.GET.get("knowledge") or "then", request.GET.get("measure") or "open"
    if measure not in MEASURES:
        raise BadQuestion("measure", f"“{measure}” is none of: {', '.join(MEASURES)}")
    trends = trends_report(question, knowledge=knowledge)
    if request.GET.get("format") == "csv":
        return csv_response(f"trends-{question.period.key}.csv", CSV_HEAD, csv_rows(trends))
    context = bar(request, question)
    context |= {
        "page_title": "Trends",
        "trends": trends,
        "finding": picture.finding(trends),
        "measure": MEASURES[measure].label,
        "measures": [
            Choice(one.label, href_with(request.path, request.GET, measure=key), key == measure)
            for key, one in MEASURES.items()
        ],
        "when": picture.when(trends),
        "metrics": metrics(trends, knowledge),
        "chart": picture.chart_of(trends, measure, knowledge=knowledge),
        "won_chart": picture.chart_of(trends, "won", knowledge=knowledge),
        "created_chart": picture.chart_of(trends, "created", knowledge=knowledge),
        "rows": table(trends, measure, knowledge=knowledge),
        "make_up": trends.make_up,
        "ages": ages(trends.make_up, open_href=open_href(question, knowledge)),
        "deals_href": open_href(question, knowledge),
        "largest": trends.make_up.deals[:SHOWN_LARGEST],
        "accounts": [
            (account, account_href(question, account.id))
            for account in trends.make_up.accounts[:SHOWN_LARGEST]
        ],
        "largest_share": trends.make_up.share_of_largest(SHOWN_LARGEST),
        "accounts_share": trends.make_up.share_of_largest_accounts(SHOWN_LARGEST),
    }
    return render(request, "forecasting/trends/trends.html", context)


def metrics(trends: Trends, knowledge: str) -> list[dict[str, Any]]:
    """The figures in a row: the last point of each measure, and how far it is from the past periods' mean."""
    point = trends.current.last
    if point is None:
        return []
    found = []
    for key, verb in (("open", "open"), ("won", "won"), ("created", "created since its start")):
        compared = picture.beside(trends, key)
        found.append(
            {
                "minor": MEASURES[key].of(point.sums),
                "href": picture.point_href(trends, key, point, knowledge=knowledge),
                "verb": verb,
                "beside": compared if compared and compared.mean_minor is not None else None,
            }
        )
    return found


def table(trends: Trends, measure: str, *, knowledge: str) -> list[dict[str, Any]]:
    """A row per week, latest first, with a cell per period; each cell opens its deals."""
    periods = (trends.current, *trends.pasts)
    weekly = [
        {point.sample.week: point for point in trend.points if not point.is_present} for trend in periods
    ]
    rows: list[dict[str, Any]] = [
        {
            "label": "Start" if week == 0 else f"Week {week}",
            "cells": [_cell(trends, measure, points.get(week), knowledge) for points in weekly],
        }
        for week in range(max((p.weeks for p in (t.period for t in periods)), default=0), -1, -1)
    ]
    last = trends.current.last
    if last is not None and last.is_present:
        label = "That day" if trends.question.is_past else "Now"
        cells = [_cell(trends, measure, last, knowledge), *({"text": ""} for _ in trends.pasts)]
        rows.insert(0, {"label": label, "cells": cells, "is_present": True})
    return [row for row in rows if any(cell["text"] not in ("", "–") for cell in row["cells"])]


def _cell(trends: Trends, measure: str, point: Point | None, knowledge: str) -> dict[str, str]:
    if point is None:
        return {"text": "–"}
    return {
        "text": picture.text_of(measure, point, currency=trends.question.currency),
        "href": picture.point_href(trends, measure, point, knowledge=knowledge),
    }


def ages(made: MakeUp, *, open_href: str) -> list[dict[str, Any]]:
    largest = max((age.amount_minor for age in made.ages), default=0)
    return [
        {
            "label": age.band.label,
            "age": age,
            "share": age.amount_minor / largest if largest else 0,
            "href": f"{open_href}&{urlencode({PARAMETER: age.band.first})}",
        }
        for age in made.ages
    ]


def open_href(question: Question, knowledge: str) -> str:
    return picture.deals_href(question, "open", period=question.period, at=None, knowledge=knowledge)


def account_href(question: Question, account_id: Any) -> str:
    """The account's open deals of the period."""
    if account_id is None:
        return ""
    return f"{open_href(question, 'then')}&{urlencode({'account_id': account_id})}"


def csv_rows(trends: Trends) -> list[tuple[Any, ...]]:
    """A row per point: the period's and those of the four before it."""
    return [
        (
            trend.period.key,
            point.sample.week,
            point.sample.at.isoformat(),
            point.is_present,
            point.quota_minor,
            point.sums.open_minor,
            *point.sums.by_column.values(),
        )
        for trend in (trends.current, *trends.pasts)
        for point in trend.points
    ]
