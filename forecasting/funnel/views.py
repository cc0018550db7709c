"""The funnel page: what a cohort did in the stages, how fast deals are won, by segment and over time."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from forecasting.funnel import picture
from forecasting.funnel.queries import (
    LISTED,
    OPENED,
    OPENED_OF_SEGMENT,
    deals_of_segment,
    deals_of_stage,
)
from forecasting.funnel.report import (
    GROUPABLE,
    Funnel,
    Pace,
    funnel_report,
    pace_report,
    segment_field,
)
from otc.fields.queries import Book, field_book
from otc.fields.rules import PREFIX
from otc.question import BadQuestion, Question, ask, parse_uuid
from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import choice_control, href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page
from pipeline.process.models import Process

NUMBERS = ("entered", "advanced", "lost", "open", "skipped", "backward")
WORDS = {
    "entered": "entered {}",
    "advanced": "went on from {}",
    "lost": "ended in {} without being won",
    "open": "are still in {}",
    "skipped": "skipped {}",
    "backward": "went back from {}",
    "closed": "closed in the period: {}",
    "won": "won in the period: {}",
    "not_ended": "open now: {}",
}
CSV_HEAD = (
    *("row", "key", "name", *NUMBERS, "median_days", "low_days", "high_days", "stays", "ended"),
    *("won", "lost_or_no_decision", "won_minor", "open_deals", "cycle_days", "velocity_minor_a_day"),
)
SEGMENT_LABELS = {"owner": "Owner", "source": "Source", "kind": "Kind", "product": "Product"}


@page("view_inspection")
@answers_bad_questions
def funnel_page(request: HttpRequest, slug: str) -> HttpResponse:
    """`/funnel/`: also as CSV with `format=csv`; `what` with `stage` or `key` opens one number's deals."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    book = field_book("deal", question.organization)
    segment = request.GET.get("segment") or "owner"
    funnel = funnel_report(question, process=request.GET.get("process", ""))
    pace = pace_report(question, segment=segment, book=book)
    if request.GET.get("format") == "csv":
        return csv_response(f"funnel-{question.period.key}.csv", CSV_HEAD, csv_rows(funnel, pace))
    context = bar(request, question)
    context["controls"] += _controls(request, funnel, segment, book)
    context |= {
        "page_title": "Funnel",
        "funnel": funnel,
        "pace": pace,
        "finding": picture.finding(funnel),
        "worst": picture.worst(funnel),
        "chart": picture.chart_of(
            funnel,
            href=lambda stage, what: (
                href_with(request.path, request.GET, stage=stage, what=what, key=None, page=None) + "#deals"
            ),
        ),
        "rates_chart": picture.rates_chart(pace),
        "stages": [stage_row(request, stage) for stage in funnel.stages],
        "segments": [segment_row(request, one) for one in pace.segments],
        "segment_label": SEGMENT_LABELS.get(segment, segment.removeprefix(PREFIX)),
        "periods": pace.over_time[::-1],
        "opened": opened(request, question, funnel, segment, book),
    }
    return render(request, "forecasting/funnel/funnel.html", context)


def _controls(request: HttpRequest, funnel: Funnel, segment: str, book: Book) -> list[Any]:
    """Which process, where there are several, and by what the lower table is cut."""
    fields = [(f"{PREFIX}{one.key}", one.name) for one in book.active if one.kind in GROUPABLE]
    found = [
        choice_control(
            path=request.path,
            query=request.GET,
            key="segment",
            label="By",
            current=segment,
            options=[*SEGMENT_LABELS.items(), *fields],
        )
    ]
    processes = list(Process.objects.order_by("name").values_list("id", "name"))
    if len(processes) > 1 and funnel.process is not None:
        choice = choice_control(
            path=request.path,
            query=request.GET,
            key="process",
            label="Process",
            current=str(funnel.process.id),
            options=[(str(key), name) for key, name in processes],
        )
        found.insert(0, choice)
    return found


def stage_row(request: HttpRequest, stage: Any) -> dict[str, Any]:
    """A stage with the address of each of its numbers."""
    return {
        "stage": stage,
        "days": picture.days_of(stage.stay),
        "bounds": picture.bounds_of(stage.stay),
        "cells": [
            {
                "count": getattr(stage, what),
                "href": _open_href(request, what=what, stage=str(stage.stage_id), key=None),
            }
            for what in NUMBERS
        ],
    }


def segment_row(request: HttpRequest, one: Any) -> dict[str, Any]:
    # An empty key in the address stands for deals that name none.
    hrefs = {
        what: _open_href(request, what=what, stage=None, key=one.key or "") for what in OPENED_OF_SEGMENT
    }
    return {"segment": one, "velocity": one.velocity, **hrefs}


def _open_href(request: HttpRequest, *, what: str, stage: str | None, key: str | None) -> str:
    return href_with(request.path, request.GET, what=what, stage=stage, key=key, page=None) + "#deals"


def opened(
    request: HttpRequest, question: Question, funnel: Funnel, segment: str, book: Book
) -> dict[str, Any] | None:
    """The deals of the number that was opened, a page of them; None where none was. Raises BadQuestion."""
    what = request.GET.get("what", "")
    if not what:
        return None
    number = _page_number(request)
    place = {"offset": number * LISTED, "limit": LISTED + 1}
    if what in OPENED and funnel.process is not None:
        stage_id = parse_uuid(request.GET.get("stage", ""), "stage")
        stage = next((one for one in funnel.stages if one.stage_id == stage_id), None)
        if stage is None:
            raise BadQuestion("stage", "There is no such stage in this process")
        deals = deals_of_stage(question, process_id=funnel.process.id, stage_id=stage_id, what=what, **place)
        name = stage.name
    elif what in OPENED_OF_SEGMENT:
        key = request.GET.get("key") or None
        field = segment_field(segment, book=book)
        deals = deals_of_segment(question, segment=segment, key=key, what=what, field=field, **place)
        name = request.GET.get("name") or ""
    else:
        raise BadQuestion("what", f"“{what[:40]}” is none of: {', '.join([*OPENED, *OPENED_OF_SEGMENT])}")
    return {
        "title": f"Deals that {WORDS[what].format(name)}"
        if what in OPENED
        else WORDS[what].split(":")[0].capitalize(),
        "deals": deals[:LISTED],
        "previous_href": href_with(request.path, request.GET, page=str(number - 1)) + "#deals"
        if number
        else "",
        "next_href": href_with(request.path, request.GET, page=str(number + 1)) + "#deals"
        if len(deals) > LISTED
        else "",
    }


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page") or "0"
    if not text.isdecimal() or len(text) > 6:
        raise BadQuestion("page", "Pages are counted from 0")
    return int(text)


def csv_rows(funnel: Funnel, pace: Pace) -> list[tuple[Any, ...]]:
    """A row per stage, then per segment, then per period."""
    rows: list[tuple[Any, ...]] = [
        (
            *("stage", str(stage.stage_id), stage.name, *(getattr(stage, name) for name in NUMBERS)),
            *(stage.stay.days, stage.stay.low, stage.stay.high, stage.stay.count, stage.stay.ended),
            *([None] * 6),
        )
        for stage in funnel.stages
    ]
    named = [("segment", one.key or "", one.name, one.velocity) for one in pace.segments]
    named += [("period", period.key, period.label, velocity) for period, velocity in pace.over_time]
    for row, key, name, velocity in named:
        closed = velocity.closed
        rows.append(
            (
                *(row, key, name, *([None] * 11)),
                *(closed.won, closed.lost + closed.no_decision, closed.won_minor, velocity.open_count),
                *(velocity.cycle_days, velocity.a_day_minor),
            )
        )
    return rows
