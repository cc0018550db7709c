"""The health page: how the open deals lie in the bands, which checks fail, and the deals behind each number."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from otc.question import Question, ask
from otc.tenancy.middleware import tenant_of
from otc.ui import format as fmt
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.charts import bars, line
from otc.ui.charts.svg import Chart
from otc.ui.controls import Tab, href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page
from pipeline.health.listing import HealthRow
from pipeline.health.report import ROWS_A_PAGE, Asked, HealthReport, all_rows, health_report
from pipeline.health.rules import BANDS, TITLES, most_of

CSV_HEAD = (
    *("id", "deal", "account", "owner", "stage", "category", "amount_minor", "currency", "corporate_minor"),
    *("close_date", "health", "failed", "why"),
)
SICK_BELOW = 60


@page("view_health")
@answers_bad_questions
def health(request: HttpRequest, slug: str) -> HttpResponse:
    """`/health/`: `band` and `check` narrow the deals; also as CSV with `format=csv`."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    asked = asked_of(request.GET)
    if request.GET.get("format") == "csv":
        rows = all_rows(question, asked=asked)
        return csv_response(f"health-{question.day.isoformat()}.csv", CSV_HEAD, map(csv_row, rows))
    context = bar(request, question)
    report = health_report(question, asked=asked)
    context |= {
        # A deal's health has no period: it is about every open deal.
        "controls": context["controls"][:1],
        "bar_note": "",
        "page_title": "Health",
        "report": report,
        "rows": [shown_row(row) for row in report.rows],
        "bands": [band_row(request, one, report) for one in report.bands],
        "checks": [check_row(request, one, report) for one in report.worst_checks],
        "worst": report.worst_checks[0] if report.worst_checks else None,
        "tabs": tabs(request, report),
        "check_title": TITLES.get(asked.check, ""),
        "all_href": href_with(request.path, request.GET, check=None, band=None, page=None) + "#deals",
        "sick_href": href_with(request.path, request.GET, check=None, band="critical", page=None) + "#deals",
        "trend": trend(report, question),
        "pager": pager(request, report),
        "settings_href": reverse("health_settings", args=[slug]) if tenant.may("manage_health") else "",
    }
    return render(request, "pipeline/health/health.html", context)


def asked_of(query: QueryDict) -> Asked:
    """The list's own controls from the address; raises BadQuestion."""
    number = query.get("page") or "0"
    return Asked(
        band=query.get("band") or "",
        check=query.get("check") or "",
        sort=query.get("sort") or "health",
        page=int(number) if number.isdecimal() and len(number) < 7 else -1,
    )


def shown_row(row: HealthRow) -> dict[str, Any]:
    return {
        "deal": row,
        "is_sick": row.score is not None and row.score < SICK_BELOW,
        "why": row.why,
    }


def band_row(request: HttpRequest, one: Any, report: HealthReport) -> dict[str, Any]:
    share = one.sum.count / report.total.count if report.total.count else 0
    return {
        "band": one.band,
        "range": f"{one.band.least} to {most_of(one.band)}",
        "sum": one.sum,
        "share": share,
        "bar": bars.small_bar(share, is_bad=one.band.least < SICK_BELOW),
        "href": href_with(request.path, request.GET, band=one.band.key, check=None, page=None) + "#deals",
    }


def check_row(request: HttpRequest, one: Any, report: HealthReport) -> dict[str, Any]:
    largest = max((other.sum.count for other in report.checks), default=0)
    return {
        "check": one.check,
        "penalty": one.penalty,
        "sum": one.sum,
        "bar": bars.value_bar(one.sum.count, largest=largest),
        "href": href_with(request.path, request.GET, check=one.check.key, band=None, page=None) + "#deals",
        "is_asked": one.check.key == report.asked.check,
    }


def tabs(request: HttpRequest, report: HealthReport) -> list[Tab]:
    """All open deals, and each band; with a check asked, everything else stays."""

    def href(band: str | None) -> str:
        return href_with(request.path, request.GET, band=band, check=None, page=None) + "#deals"

    is_plain = not report.asked.band and not report.asked.check
    found = [Tab("All open", href(None), report.total.count, is_plain)]
    return found + [
        Tab(one.band.label, href(one.band.key), one.sum.count, one.band.key == report.asked.band)
        for one in report.bands
    ]


def trend(report: HealthReport, question: Question) -> Chart | None:
    """The share of open deals at 60 or above, week by week, as kept each day; None before two weeks were kept."""
    today = question.now.astimezone(question.zone).date()
    well = {band.key for band in BANDS if band.least >= SICK_BELOW}
    points = []
    for day in sorted({one.day for one in report.days}):
        of_day = [one for one in report.days if one.day == day]
        count = sum(one.deal_count for one in of_day)
        share = sum(one.deal_count for one in of_day if one.band in well) / count
        text = f"{fmt.percent(share)} of {fmt.plural(count, 'deal')}"
        points.append(line.LinePoint(fmt.day(day, today=today), share, text))
    if len(points) < 2:
        return None
    return line.draw(
        label="Share of open deals at 60 or above", points=points, low=0, high=1, tick_text="{:.0%}"
    )


def pager(request: HttpRequest, report: HealthReport) -> dict[str, str]:
    number = report.asked.page
    return {
        "previous": href_with(request.path, request.GET, page=str(number - 1)) + "#deals" if number else "",
        "next": href_with(request.path, request.GET, page=str(number + 1)) + "#deals"
        if report.has_more
        else "",
        "note": f"{len(report.rows)} of {report.shown.count} deals on this page; every sum counts all of them."
        if report.shown.count > ROWS_A_PAGE
        else "",
    }


def csv_row(row: HealthRow) -> tuple[Any, ...]:
    return (
        *(row.opportunity_id, row.name, row.account_name, row.owner_name, row.stage_name, row.category),
        *(row.amount_minor, row.currency, row.corporate_minor, row.close_date, row.score),
        *("; ".join(one["title"] for one in row.failed), row.why),
    )
