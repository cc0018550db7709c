"""The forecast page: people by columns along the reporting line, with what changed in every cell."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from forecasting.grid.addresses import addresses
from forecasting.grid.cell_report import adjustable
from forecasting.grid.cells import Look, rows_html, total_row, unassigned_row
from forecasting.grid.columns import FOCUSES, LABELS
from forecasting.grid.export import csv_file, pdf_file, xlsx_file
from forecasting.grid.needs import needs
from forecasting.grid.report import GridReport, grid_report
from forecasting.grid.rules import Node
from forecasting.grid.sentence import movers
from forecasting.inspection.services import visit_before, visit_note, visit_of
from forecasting.locks.note import lock_note
from forecasting.tabs import forecast_tabs, landing_href
from forecasting.types.control import type_controls
from forecasting.types.models import ForecastType
from otc.question import Question, ask, since_instant
from otc.tenancy.middleware import Tenant, tenant_of
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import Choice, href_with
from otc.ui.pages import page

PAGE = "forecast"
FILES: dict[str, Callable[[GridReport], HttpResponse]] = {
    "csv": csv_file,
    "xlsx": xlsx_file,
    "pdf": pdf_file,
}


@page("view_forecast")
@answers_bad_questions
def forecast_page(request: HttpRequest, slug: str) -> HttpResponse:
    """`/forecast/`: also as a file with `format=csv`, `xlsx` or `pdf`; htmx gets the grid alone."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    visit = visit_of(tenant.person, page=PAGE)
    since = since_instant(
        question, request.GET.get("since", ""), last_visit=visit_before(visit, now=tenant.now)
    )
    grid = grid_report(question, since=since[1], parameters=request.GET)
    if request.GET.get("format") in FILES:
        return FILES[request.GET["format"]](grid)
    if is_fragment(request):
        return render(request, "forecasting/grid/_grid.html", grid_context(request, grid))
    visit_note(tenant.person, page=PAGE, now=tenant.now, visit=visit)
    context = bar(request, question, since=since) | grid_context(request, grid)
    context["bar_note"] = lock_note(question, type_id=grid.type_id)
    context["controls"] += type_controls(request, grid.type)
    stale = [person_id for person_id, effects in grid.effects.items() if any(one.is_stale for one in effects)]
    mine = (
        adjustable(tenant, question, column=grid.layout.focus, people=stale, type_=grid.type) if stale else ()
    )
    at = addresses(question, request.GET)
    context |= answer_context(grid, since=since[1], answerable={one: at.adjust(one) for one in mine})
    context |= choices_context(request, grid)
    context["prefill_minor"] = prefill_minor(grid)
    context |= {"can_call": may_call(tenant, question, grid.type), "tabs": forecast_tabs(request, PAGE)}
    context["landing_href"] = landing_href(request)
    context["own_keys"] = "forecasting/grid/_keys.html"
    context["tools"] = render_to_string("forecasting/grid/_tools.html", context)
    return render(request, "forecasting/grid/forecast.html", context)


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx opens a branch in place; going back in the browser's history asks for the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request  # type: ignore[attr-defined]  # django-htmx


def may_call(tenant: Tenant, question: Question, type_: ForecastType | None = None) -> bool:
    if type_ and type_.retired_at is not None:
        return False
    return not question.is_past and tenant.may("submit_call") and question.period.end > question.day


def prefill_minor(grid: GridReport) -> int | None:
    """What the rollup says of the viewer, in the organization's currency: a call begins with it."""
    question = grid.question
    row = grid.people.get(question.viewer.id)
    if row is None or question.currency != question.organization.currency:
        return None
    return row.amounts[grid.layout.call_column].final


def grid_context(request: HttpRequest, grid: GridReport) -> dict[str, Any]:
    """The table alone."""
    look = look_of(request, grid)
    unassigned = grid.now.unassigned
    holds = unassigned.deal_count or any(amounts.final for amounts in unassigned.amounts.values())
    return {
        "grid": grid,
        "layout": grid.layout,
        "rows": rows_html(look),
        "unassigned": unassigned_row(unassigned, look) if holds else "",
        "total": total_row(look),
        "currency": grid.question.currency,
    }


def look_of(request: HttpRequest, grid: GridReport) -> Look:
    question = grid.question
    shown = [entry.person for entry in grid.rows if isinstance(entry, Node)]
    lacking = {row.person_id for row in grid.people_without_call if row.person_id}
    return Look(
        grid=grid,
        at=addresses(question, request.GET),
        today=tenant_of(request).today,
        zone=question.zone,
        currency=question.currency,
        adjustable=adjustable(
            tenant_of(request), question, column=grid.layout.focus, people=shown, type_=grid.type
        ),
        lacks_call=frozenset(lacking),
    )


def who_says(grid: GridReport) -> dict[str, str]:
    """Whose word the answer is: the viewer's, one other person's, or that of people; of a period that is over, what
    it was.
    """
    only = next(iter(grid.people.values())) if len(grid.people) == 1 else None
    is_viewer = only is not None and only.person_id == grid.question.viewer.id
    name = "you" if is_viewer else only.name if only else "your people"
    if grid.is_over:
        return {"name": name, "commits": "committed", "puts": "put", "stands": "stood"}
    if only and not is_viewer:
        return {"name": name, "commits": "commits", "puts": "puts", "stands": "stands"}
    return {"name": name, "commits": "commit", "puts": "put", "stands": "stands"}


def answer_context(grid: GridReport, *, since: datetime, answerable: Mapping[UUID, str]) -> dict[str, Any]:
    """The page's answer in a sentence, and what needs the viewer."""
    total = grid.now.total
    return {
        "who": who_says(grid),
        "page_title": "Forecast",
        "type": grid.type,
        "report": grid.now,
        "question": grid.question,
        "focus_minor": grid.now.total.amounts[grid.layout.focus].final,
        "focus_change_minor": grid.total_change(grid.layout.focus),
        "quota_minor": total.quota_minor,
        "closes_nothing": not total.deal_count and bool(grid.people) and not grid.question.is_past,
        "movers": movers(grid),
        "needs": needs(grid, answerable=answerable),
        "since_day": since.astimezone(grid.question.zone).date(),
    }


def choices_context(request: HttpRequest, grid: GridReport) -> dict[str, Any]:
    """Cumulative or each category; the column in focus; the files."""
    path, query, layout = request.path, request.GET, grid.layout
    return {
        "view_choices": [
            Choice("Cumulative", href_with(path, query, view=None, column=None), layout.view == "cumulative"),
            Choice(
                "Each category", href_with(path, query, view="single", column=None), layout.view == "single"
            ),
        ],
        "focus_choices": [
            Choice(
                LABELS[column],
                href_with(path, query, column=None if column == FOCUSES[layout.view][0] else column),
                column == layout.focus,
            )
            for column in FOCUSES[layout.view]
        ],
        "files": [
            Choice(label, href_with(path, query, format=kind), False)
            for kind, label in (("csv", "CSV"), ("xlsx", "Excel"), ("pdf", "PDF, one page"))
        ],
    }


def shown_whole(grid: GridReport) -> GridReport:
    """The same with every branch open."""
    everybody = frozenset(row.person_id for row in grid.people.values() if row.person_id and row.reports)
    return replace(
        grid, asked=replace(grid.asked, opened=everybody, shut=frozenset(), whole=everybody | {None})
    )
