"""The flow page: where the pipeline went between two days, by group if asked, and the deals behind each step."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from forecasting.inspection.services import previous_visit
from forecasting.waterfall import groups, picture
from forecasting.waterfall.queries import Line, page_of
from forecasting.waterfall.report import (
    ENDPOINT,
    GROUPS,
    MODES,
    PATH,
    WEEK,
    WaterfallReport,
    waterfall_report,
)
from forecasting.waterfall.rules import STEPS, Waterfall
from otc.question import BadQuestion, Question, ask, since_instant
from otc.tenancy.middleware import tenant_of
from otc.ui import format as fmt
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import Choice, choice_control, href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page

ROWS_A_PAGE = 50
CSV_HEAD = (
    *("bucket", "group", "moved_at", "deal_id", "deal", "account", "owner"),
    *("before_minor", "after_minor", "amount_minor"),
)
MODE_LABELS = {ENDPOINT: "Two days compared", PATH: "Every move between"}


@dataclass(frozen=True)
class Opened:
    """The step whose deals are shown, of one group if `is_of_group`; which page of them."""

    step: str
    group: str | None
    is_of_group: bool
    page: int


@page("view_inspection")
@answers_bad_questions
def flow_page(request: HttpRequest, slug: str) -> HttpResponse:
    """`/flow/`: also as CSV with `format=csv`; `bucket` opens one step's deals, with `key` those of one group."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    last_visit = previous_visit(tenant.person, page="inspection", now=tenant.now)
    since = since_instant(question, request.GET.get("since", "period"), last_visit=last_visit)
    group_by = choice(request, "group_by", GROUPS)
    mode = choice(request, "mode", MODES) or ENDPOINT
    opened = opened_of(request, group_by=group_by)
    is_csv = request.GET.get("format") == "csv"
    report = waterfall_report(
        question.organization,
        period=question.period,
        since=since[1],
        group_by=group_by,
        mode=mode,
        movers=0 if is_csv else picture.NAMED_CAUSES,
        **question.frame,
    )
    names = groups.ordered(report.groups, by=group_by, today=question.day) if group_by else []
    if is_csv:
        rows = csv_rows(all_lines(report, opened), names=dict(names))
        return csv_response(f"flow-{question.period.key}.csv", CSV_HEAD, rows)
    context = bar(request, question, since=since)
    context |= answer(report, question, since[1]) | controls(request, group_by=group_by, mode=mode)
    context |= {
        "page_title": "Flow",
        "chart": chart_of(request, report, question, since[1]),
        "steps": shown_steps(request, report),
        "bookings": [one for one in report.waterfall.bookings if one.count],
        "table": group_table(request, report, names) if group_by else None,
        "opened": shown(request, report, opened, names=dict(names), zone=question.zone) if opened else None,
    }
    return render(request, "forecasting/waterfall/flow.html", context)


def choice(request: HttpRequest, name: str, allowed: Iterable[str]) -> str | None:
    """One of the allowed words from the address, or None. Raises BadQuestion."""
    text = request.GET.get(name) or None
    if text is not None and text not in allowed:
        raise BadQuestion(name, f"“{text}” is none of: {', '.join(allowed)}")
    return text


def opened_of(request: HttpRequest, *, group_by: str | None) -> Opened | None:
    step, key = request.GET.get("bucket", ""), request.GET.get("key", "")
    if step and step not in STEPS:
        raise BadQuestion("bucket", f"“{step}” is none of: {', '.join(STEPS)}")
    if not step:
        return None
    if not key:
        return Opened(step, None, False, page_number(request))
    try:
        group = groups.parse_key(key, by=group_by or "")
    except ValueError:
        raise BadQuestion("key", f"“{key}” is no group of this waterfall") from None
    return Opened(step, group, True, page_number(request))


def page_number(request: HttpRequest) -> int:
    """The page asked for, from 0. Raises BadQuestion."""
    text = request.GET.get("page") or "0"
    if not text.isdecimal() or len(text) > 6:
        raise BadQuestion("page", "Pages are counted from 0")
    return int(text)


def answer(report: WaterfallReport, question: Question, since: datetime) -> dict[str, Any]:
    """What the page says before its numbers."""
    falls = report.waterfall
    unit = picture.unit(report)
    return {
        "finding": picture.finding(report),
        "unit": unit[0].upper() + unit[1:],
        "opening_minor": falls.opening.amount_minor,
        "closing_minor": falls.closing.amount_minor,
        "change_minor": falls.change_minor,
        "causes": picture.causes(report),
        "since_day": since.astimezone(question.zone).date(),
        "bookings_minor": falls.change_of_bookings_minor,
        "unconvertible": len(report.unconvertible),
        "unconvertible_sums": report.unconvertible_sums,
        "is_path": report.asked.is_path,
    }


def controls(request: HttpRequest, *, group_by: str | None, mode: str) -> dict[str, Any]:
    """How to compare and what to group by. Weeks are cut along a path, whatever the mode says."""
    href = partial(href_with, request.path, request.GET, bucket=None, key=None, page=None)
    shown_mode = PATH if group_by == WEEK else mode
    modes = [
        Choice(
            label,
            href(mode=None if key == ENDPOINT else key, group_by=None if group_by == WEEK else group_by),
            key == shown_mode,
        )
        for key, label in MODE_LABELS.items()
    ]
    query = {key: value for key, value in request.GET.items() if key not in ("bucket", "key", "page")}
    return {
        "modes": modes,
        "places": places(request),
        "group_control": choice_control(
            path=request.path,
            query=query,
            key="group_by",
            label="Group by",
            prefix="Group",
            current=group_by or "",
            options=[("", "Nothing"), *groups.LABELS.items()],
        ),
        "group_label": groups.LABELS.get(group_by or "", ""),
    }


def places(request: HttpRequest) -> list[Choice]:
    """The two ways to look at a flow, with the same frame."""
    query = {
        key: value
        for key, value in request.GET.items()
        if key in ("period", "scope", "since", "as_of", "knowledge", "org_chart", "currency")
    }
    slug = tenant_of(request).organization.slug
    return [
        Choice(
            label, href_with(reverse(name, args=[slug]), query), request.path == reverse(name, args=[slug])
        )
        for name, label in (("flow", "Waterfall"), ("flow_matrix", "From stage to stage"))
    ]


def chart_of(request: HttpRequest, report: WaterfallReport, question: Question, since: datetime) -> Any:
    today = question.now.astimezone(question.zone).date()
    first = since.astimezone(question.zone).date()
    return picture.draw(
        report,
        first=fmt.day(first, today=today),
        last=fmt.day(question.day, today=today),
        href=partial(step_href, request),
    )


def step_href(request: HttpRequest, step: str, key: str | None = None) -> str:
    """The address of a step's deals, of one group with its key."""
    return href_with(request.path, request.GET, bucket=step, key=key, page=None) + "#deals"


def shown_steps(request: HttpRequest, report: WaterfallReport) -> list[dict[str, Any]]:
    """The balance, line by line: opening, every bucket that isn't empty, closing, and the bookings beside."""
    chosen = request.GET.get("bucket", "")
    return [
        {
            "name": name,
            "label": picture.STEP_LABELS[name],
            "total": total,
            "href": step_href(request, name),
            "is_end": name in ("opening", "closing"),
            "is_booking": name.startswith("booked_"),
            "is_current": name == chosen and not request.GET.get("key"),
        }
        for name, total in report.waterfall.steps.items()
    ]


def group_table(
    request: HttpRequest, report: WaterfallReport, names: list[tuple[str | None, str]]
) -> dict[str, Any]:
    """A row a group, a column a step that isn't empty in all of them, and the whole below."""
    used = {step for falls in report.groups.values() for step in falls.steps}
    columns = [step for step in STEPS if step in used]

    def cells(falls: Waterfall, key: str | None) -> list[dict[str, Any]]:
        by_name = falls.steps
        return [
            {
                "total": by_name.get(step),
                "href": step_href(request, step, key) if step in by_name and by_name[step].count else "",
                "opens": not (report.group_by == WEEK and step in ("opening", "closing")),
            }
            for step in columns
        ]

    return {
        "columns": [picture.STEP_LABELS[step] for step in columns],
        "rows": [
            {"name": name, "cells": cells(report.groups[key], groups.NO_GROUP if key is None else key)}
            for key, name in names
        ],
        "total": cells(report.waterfall, None),
    }


def shown(
    request: HttpRequest,
    report: WaterfallReport,
    opened: Opened,
    *,
    names: dict[str | None, str],
    zone: Any,
) -> dict[str, Any]:
    """The opened step's deals, a page of them; its sum and count are of all."""
    falls = report.waterfall
    if opened.is_of_group:
        falls = report.groups.get(opened.group) or Waterfall(falls.opening, (), falls.opening)
    total = falls.steps.get(opened.step)
    lines = report.lines(
        opened.step,
        group=opened.group,
        is_of_group=opened.is_of_group,
        offset=opened.page * ROWS_A_PAGE,
        limit=ROWS_A_PAGE + 1,
    )
    lines, has_more = page_of(lines, ROWS_A_PAGE)
    count = total.count if total else 0
    href = partial(href_with, request.path, request.GET)
    label = picture.STEP_LABELS[opened.step]
    return {
        "label": f"{label}, {names.get(opened.group, '')}" if opened.is_of_group else label,
        "total": total,
        "lines": lines,
        "rows": [{"line": line, "day": line.at.astimezone(zone).date()} for line in lines],
        "note": f"{len(lines)} of {picture.counted(count, report)}; the sum counts all of them",
        "previous_href": href(page=str(opened.page - 1)) + "#deals" if opened.page else "",
        "next_href": href(page=str(opened.page + 1)) + "#deals" if has_more else "",
        "close_href": href(bucket=None, key=None, page=None),
    }


def all_lines(report: WaterfallReport, opened: Opened | None) -> list[Line]:
    """Every line of the file: of the opened step, or of every step."""
    if opened is None:
        return report.lines()
    return report.lines(opened.step, group=opened.group, is_of_group=opened.is_of_group)


def csv_rows(lines: Iterable[Line], *, names: dict[str | None, str]) -> Iterable[tuple[Any, ...]]:
    for line in lines:
        yield (
            *(line.bucket, names.get(line.group, "") if names else "", line.at.isoformat()),
            *(line.deal_id if line.is_visible else "", line.name, line.account_name, line.owner_name),
            *(line.before_minor, line.after_minor, line.amount_minor),
        )
