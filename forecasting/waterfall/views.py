"""The flow page: where the pipeline went between two days, and the deals behind each step."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from forecasting.inspection.services import previous_visit
from forecasting.waterfall import picture
from forecasting.waterfall.report import GROUPS, WaterfallReport, waterfall_report
from forecasting.waterfall.rules import Bucket, Total
from otc.question import BadQuestion, Question, ask, since_instant
from otc.tenancy.middleware import tenant_of
from otc.ui import format as fmt
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import Tab, href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page

ENDS = ("opening", "closing")
ROWS_A_STEP, ROWS_A_PAGE = 10, 50
CSV_HEAD = ("bucket", "deal_id", "deal", "account", "owner", "before_minor", "after_minor", "amount_minor")


@page("view_inspection")
@answers_bad_questions
def flow_page(request: HttpRequest, slug: str) -> HttpResponse:
    """`/flow/`: also as CSV with `format=csv`; `bucket` opens one step's deals."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    last_visit = previous_visit(tenant.person, page="inspection", now=tenant.now)
    since = since_instant(question, request.GET.get("since", "period"), last_visit=last_visit)
    report = flow_report(question, since=since[1])
    totals = steps(report)
    if request.GET.get("format") == "csv":
        rows = (row for name, total in totals.items() for row in csv_rows(name, total, report))
        return csv_response(f"flow-{question.period.key}.csv", CSV_HEAD, rows)
    chosen = request.GET.get("bucket", "")
    if chosen and chosen not in {*Bucket, *ENDS}:
        raise BadQuestion("bucket", f"“{chosen}” is none of: {', '.join([*ENDS, *Bucket])}")
    context = bar(request, question, since=since)
    context |= {
        "page_title": "Flow",
        "chart": chart_of(request, report, question, since[1]),
        "finding": picture.finding(report),
        "unit": picture.unit(report)[0].upper() + picture.unit(report)[1:],
        "opening_minor": report.waterfall.opening.amount_minor,
        "closing_minor": report.waterfall.closing.amount_minor,
        "change_minor": report.waterfall.closing.amount_minor - report.waterfall.opening.amount_minor,
        "causes": picture.causes(report),
        "since_day": since[1].astimezone(question.zone).date(),
        "bookings": [booking for booking in report.waterfall.bookings if booking.lines],
        "bookings_minor": report.waterfall.change_of_bookings_minor,
        "unconvertible": len(report.waterfall.unconvertible),
        "unconvertible_sums": report.unconvertible_sums,
        "tabs": tabs(request, totals, chosen),
        "steps": [
            shown_step(request, name, total, report, is_chosen=name == chosen)
            for name, total in totals.items()
            if chosen == name or (not chosen and name not in ENDS)
        ],
    }
    return render(request, "forecasting/waterfall/flow.html", context)


def shown_step(
    request: HttpRequest, name: str, total: Total[Any], report: WaterfallReport, *, is_chosen: bool
) -> dict[str, Any]:
    """A step with its largest deals; the chosen one in pages. Its sum and count are of all its deals."""
    lines = picture.named_lines(total, report)
    number, size = page_number(request) if is_chosen else 0, ROWS_A_PAGE if is_chosen else ROWS_A_STEP
    shown = lines[number * size : (number + 1) * size]
    href = partial(href_with, request.path, request.GET)
    return {
        "label": label_of(name),
        "total": total,
        "lines": shown,
        "note": f"{len(shown)} of {len(lines)} deals; the sum counts all of them",
        "previous_href": href(page=str(number - 1)) if number else "",
        "next_href": href(page=str(number + 1)) if is_chosen and (number + 1) * size < len(lines) else "",
        "more_count": 0 if is_chosen else len(lines) - len(shown),
        "more_href": href(bucket=name, page=None) + "#steps",
    }


def page_number(request: HttpRequest) -> int:
    """The page asked for, from 0. Raises BadQuestion."""
    text = request.GET.get("page") or "0"
    if not text.isdecimal() or len(text) > 6:
        raise BadQuestion("page", "Pages are counted from 0")
    return int(text)


def flow_report(question: Question, *, since: Any, group_by: str | None = None) -> WaterfallReport:
    """The waterfall that a question asks for, from `since` to its instant."""
    if group_by is not None and group_by not in GROUPS:
        raise BadQuestion("group_by", f"“{group_by}” is none of: {', '.join(GROUPS)}")
    return waterfall_report(
        question.organization, period=question.period, since=since, group_by=group_by, **question.frame
    )


def steps(report: WaterfallReport) -> dict[str, Total[Any]]:
    """Both ends and every bucket that isn't empty, by name, in the order of the chart."""
    falls = report.waterfall
    buckets = {str(bucket.name): bucket for bucket in falls.buckets if bucket.lines}
    return {"opening": falls.opening, **buckets, "closing": falls.closing}


def label_of(name: str) -> str:
    """A step's name as people read it."""
    return {"opening": "Open at the start", "closing": "Open at the end"}.get(name) or picture.LABELS[
        Bucket(name)
    ]


def chart_of(request: HttpRequest, report: WaterfallReport, question: Question, since: Any) -> Any:
    today = question.now.astimezone(question.zone).date()
    first = since.astimezone(question.zone).date()
    return picture.draw(
        report,
        first=fmt.day(first, today=today),
        last=fmt.day(question.day, today=today),
        href=lambda bucket: href_with(request.path, request.GET, bucket=bucket) + "#steps",
    )


def tabs(request: HttpRequest, totals: dict[str, Total[Any]], chosen: str) -> list[Tab]:
    every = Tab("Every step", href_with(request.path, request.GET, bucket=None, page=None), None, not chosen)
    return [
        every,
        *(
            Tab(
                label_of(name),
                href_with(request.path, request.GET, bucket=name, page=None),
                len(total.lines),
                name == chosen,
            )
            for name, total in totals.items()
        ),
    ]


def csv_rows(name: str, total: Total[Any], report: WaterfallReport) -> list[tuple[Any, ...]]:
    rows = []
    for entry in picture.named_lines(total, report):
        deal, line = entry["deal"], entry["line"]
        rows.append(
            (
                *(
                    name,
                    "" if entry["is_hidden"] else entry["id"],
                    deal.name,
                    deal.account_name,
                    deal.owner_name,
                ),
                *(line.before_minor, line.after_minor, line.amount_minor),
            )
        )
    return rows
