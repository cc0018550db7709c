"""The win/loss page: how often, against whom, why, by whom and for what, and whether it gets better."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from otc.question import BadQuestion, Question, ask
from otc.tenancy.middleware import tenant_of
from otc.ui import format as fmt
from otc.ui.bar import answers_bad_questions, bar, no_rate_href, period_choices
from otc.ui.charts import interval, trend
from otc.ui.charts.bars import value_bar
from otc.ui.controls import Choice, choice_control, href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page
from postmortem.winloss.report import GROUPS, Group, WinLossReport, winloss_report
from postmortem.winloss.rules import Row, wilson

TABLES = (
    ("person", "Person"),
    ("product", "Product"),
    ("competitor", "Competitor"),
    ("manager", "Manager"),
    ("source", "Source"),
)
QUARTERS_SHOWN = 8
CSV_HEAD = (
    *("group", "id", "won", "lost", "no_decision", "won_minor", "lost_minor", "no_decision_minor"),
    *("win_rate", "low", "high", "win_rate_by_amount", "cycle_days"),
)
NOBODY = {"person": "Unassigned", "manager": "No manager", "reason": "Not given"}


@page("view_winloss")
@answers_bad_questions
def winloss_page(request: HttpRequest, slug: str) -> HttpResponse:
    """`/winloss/`: all time unless `period` says otherwise; `group` picks the table; CSV with `format=csv`."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    group = request.GET.get("group") or "person"
    if group not in GROUPS:
        raise BadQuestion("group", f"“{group}” is none of: {', '.join(GROUPS)}")
    table = asked_report(request, question, group_by=group)
    if request.GET.get("format") == "csv":
        return csv_response(f"winloss-by-{group}.csv", CSV_HEAD, csv_rows(table, group))
    quarters = winloss_report(question.organization, group_by="quarter", period=None, **question.frame)
    reasons = asked_report(request, question, group_by="reason")
    context = bar(request, question)
    context["controls"][1] = window_control(request, question)
    context |= {
        "page_title": "Win/loss",
        "bar_note": "",
        "no_rate_href": no_rate_href(
            question,
            state="closed",
            **({"period": question.period.key} if request.GET.get("period") else {}),
        ),
        "report": table,
        "total": table.total,
        "says_money": not has_no_lost_money(table.total),
        "window": question.period.label if request.GET.get("period") else "all time",
        "metrics": metrics(table.total),
        "reasons": reason_rows(reasons),
        "reason_finding": reason_finding(reasons),
        "rows": [group_cells(entry, group, table.total) for entry in table.groups],
        "group_label": dict(TABLES).get(group, group.title()),
        "group_choices": [
            Choice(label, href_with(request.path, request.GET, group=key), key == group)
            for key, label in TABLES
        ],
        "trend": trend_chart(request, quarters),
        "trend_finding": trend_finding(quarters),
    }
    return render(request, "postmortem/winloss/winloss.html", context)


def asked_report(request: HttpRequest, question: Question, *, group_by: str) -> WinLossReport:
    """The report of the asked window; all time where the address names no period."""
    period = question.period if request.GET.get("period") else None
    return winloss_report(question.organization, group_by=group_by, period=period, **question.frame)


def window_control(request: HttpRequest, question: Question) -> Any:
    return choice_control(
        path=request.path,
        query=request.GET,
        key="period",
        label="Closed in",
        current=question.period.key if request.GET.get("period") else "",
        options=[("", "All time"), *period_choices(question.period)],
        prefix="Closed",
    )


def metrics(total: Row) -> list[dict[str, Any]]:
    """Four figures with their intervals in words and as a line."""
    closed = total.closed
    return [
        rate_metric("Win rate, by count", closed.won, closed.count, "win_rate"),
        {
            "label": "Win rate, by amount",
            "value": "–" if has_no_lost_money(total) else fmt.percent(total.win_rate_by_amount),
            "term": "win_rate_by_amount",
            "context": "deals not won have no amount" if has_no_lost_money(total) else "",
            "picture": "",
        },
        rate_metric(
            "Ended without a decision",
            closed.no_decision,
            closed.count,
            "no_decision",
        ),
        {
            "label": "Cycle, median",
            "value": fmt.age(round(total.cycle_days)) if total.cycle_days is not None else "–",
            "term": "cycle_time",
            "context": f"of {fmt.thousands(closed.won)} won",
            "picture": "",
        },
    ]


def has_no_lost_money(total: Row) -> bool:
    """Deals were not won, and none of them has an amount: then a share of money says nothing."""
    closed = total.closed
    return closed.won < closed.count and not closed.lost_minor and not closed.no_decision_minor


def rate_metric(label: str, part: int, count: int, term: str) -> dict[str, Any]:
    bounds = wilson(part, count=count)
    if bounds is None:
        return {"label": label, "value": "–", "term": term, "context": "nothing closed", "picture": ""}
    line = interval.draw(interval.Interval(bounds[0], part / count, bounds[1]))
    context = (
        f"{bounds[0] * 100:.0f} to {bounds[1] * 100:.0f} %, {fmt.thousands(part)} of {fmt.thousands(count)}"
    )
    return {
        "label": label,
        "value": fmt.percent(part / count),
        "term": term,
        "context": context,
        "picture": line,
    }


def reason_rows(report: WinLossReport) -> list[dict[str, Any]]:
    """Reasons of deals that were not won, the most frequent first, each with the length of its bar."""
    found = [
        (
            group.name or NOBODY["reason"],
            group.row.closed.lost + group.row.closed.no_decision,
            group.row.closed,
        )
        for group in report.groups
    ]
    found = sorted((entry for entry in found if entry[1]), key=lambda entry: (-entry[1], entry[0]))
    most = found[0][1] if found else 1
    return [
        {
            "name": name,
            "count": count,
            "lost_minor": closed.lost_minor + closed.no_decision_minor,
            "no_decision": closed.no_decision,
            "bar": value_bar(count, largest=most),
        }
        for name, count, closed in found
    ]


def reason_finding(report: WinLossReport) -> str:
    """What took the most deals and what the most money."""
    rows = reason_rows(report)
    if not rows:
        return "Nothing was lost"
    by_money = max(rows, key=lambda entry: entry["lost_minor"])
    first = rows[0]["name"]
    first = first[0].upper() + first[1:]
    if not by_money["lost_minor"]:
        return f"{first} took the most deals; none of them had an amount"
    if by_money["name"] == rows[0]["name"]:
        return f"{first} took the most deals and the most money"
    return f"{first} took the most deals, {by_money['name'].lower()} the most money"


def group_cells(group: Group, by: str, total: Row) -> dict[str, Any]:
    """One row of the table; below 20 closed deals no rate is claimed."""
    row = group.row
    line = ""
    if row.interval and row.win_rate is not None:
        line = interval.draw(interval.Interval(row.interval[0], float(row.win_rate), row.interval[1]))
    return {
        "name": group.name or NOBODY.get(by, "None named"),
        "key": group.key,
        "row": row,
        "line": line,
        "is_too_few": row.closed.count < 20,
        "low": None if row.interval is None else row.interval[0],
        "high": None if row.interval is None else row.interval[1],
    }


def trend_chart(request: HttpRequest, report: WinLossReport) -> Any:
    """Win rates of the latest quarters; the last four are the subject."""
    shown = [group for group in report.groups if group.key and group.row.interval][-QUARTERS_SHOWN:]
    points = [
        trend.RatePoint(
            label=group.name,
            low=group.row.interval[0],
            point=float(group.row.win_rate or 0),
            high=group.row.interval[1],
            text=fmt.percent(group.row.win_rate),
            note=f"n {fmt.thousands(group.row.closed.count)}",
            href=href_with(request.path, request.GET, period=group.key),
            is_subject=index >= len(shown) - 4,
        )
        for index, group in enumerate(shown)
        if group.row.interval
    ]
    return trend.draw(label="Win rate by quarter", points=points)


def trend_finding(report: WinLossReport) -> str:
    """From where to where the win rate went, and whether the intervals allow to say so."""
    shown = [group.row for group in report.groups if group.key and group.row.interval][-QUARTERS_SHOWN:]
    if len(shown) < 2:
        return "One quarter says nothing about a trend"
    first, last = shown[0], shown[-1]
    text = f"From {fmt.percent(first.win_rate)} to {fmt.percent(last.win_rate)}"
    assert first.interval and last.interval
    overlap = first.interval[0] <= last.interval[1] and last.interval[0] <= first.interval[1]
    return text + ("; the intervals overlap, so not yet a claim" if overlap else "; more than chance")


def csv_rows(report: WinLossReport, by: str) -> list[tuple[Any, ...]]:
    """Every group and the total."""
    rows = [(group.name or NOBODY.get(by, ""), group.key, group.row) for group in report.groups]
    return [csv_row(name, key, row) for name, key, row in [*rows, ("Total", None, report.total)]]


def csv_row(name: str, key: Any, row: Row) -> tuple[Any, ...]:
    closed = row.closed
    low, high = row.interval or (None, None)
    rate = None if row.win_rate is None else float(row.win_rate)
    by_amount = None if row.win_rate_by_amount is None else float(row.win_rate_by_amount)
    return (
        *(name, key, closed.won, closed.lost, closed.no_decision),
        *(closed.won_minor, closed.lost_minor, closed.no_decision_minor),
        *(rate, low, high, by_amount, row.cycle_days),
    )
