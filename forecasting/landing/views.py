"""The landing: a page, the panel beside the forecast's grid, and a CSV of its parts."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from forecasting.grid.views import is_fragment
from forecasting.landing.beside import Forecaster, forecasters, rollup_of
from forecasting.landing.report import LandingReport, landing_report
from forecasting.tabs import landing_href
from forecasting.types.control import type_controls
from forecasting.types.queries import type_asked
from otc.calendar.rules import parse_period
from otc.question import Question, ask, since_instant
from otc.tenancy.lines import UNASSIGNED
from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.charts import stops
from otc.ui.csv import csv_response
from otc.ui.pages import page
from pipeline.process.models import Stage

CSV_HEAD = ("part", "of", "deals", "amount_minor", "won_before", "seen_before", "share", "expected_minor")


@require_safe
@page("view_forecast")
@answers_bad_questions
def landing_page(request: HttpRequest, slug: str) -> HttpResponse:
    """`/landing/`: also as CSV with `format=csv`; htmx gets the panel beside the grid."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    since = since_instant(question, request.GET.get("since", ""), last_visit=None)
    type_ = type_asked(request.GET.get("type", ""))
    found = landing_report(question, since=since[1], type_=type_)
    if request.GET.get("format") == "csv":
        return csv_response(f"landing-{question.period.key}.csv", CSV_HEAD, csv_rows(found))
    context = landing_context(request, found)
    if is_fragment(request):
        return render(request, "forecasting/landing/panel.html", context)
    context |= bar(request, question, since=since)
    context["controls"] += type_controls(request, type_)
    return render(request, "forecasting/landing/landing.html", context)


def landing_context(request: HttpRequest, found: LandingReport) -> dict[str, Any]:
    question, rolled = found.question, rollup_of(found)
    return {
        "page_title": "Landing",
        "report": rolled,
        "question": question,
        "found": found,
        "landing": found.landing,
        "currency": question.currency,
        "quota_minor": found.quota_minor,
        "since_day": found.since.astimezone(question.zone).date(),
        "forecasters": drawn(found, forecasters(found, rolled)),
        "stages": stage_rows(found),
        "branches": [
            (row, landing_href(request, scope=str(row.person_id or UNASSIGNED))) for row in found.branches
        ],
        "strays": stray_rows(found),
        "page_href": landing_href(request),
    }


def drawn(found: LandingReport, said: list[Forecaster]) -> list[dict[str, Any]]:
    """Each with its dot on one scale: the landing with its band, the quota as the mark to reach."""
    landing, quota = found.landing, found.quota_minor
    values = [float(one.minor) for one in said if one.minor is not None]
    values += [float(landing.p10_minor), float(landing.p90_minor), *([float(quota)] if quota else [])]
    axis = stops.axis_of(values)
    band = (float(landing.p10_minor), float(landing.p90_minor))
    return [
        {
            "one": one,
            "gap_minor": one.minor - quota if quota and one.minor is not None else None,
            "picture": ""
            if one.minor is None
            else stops.draw(
                float(one.minor),
                axis=axis,
                band=band if one.key == "landing" else None,
                mark=float(quota) if quota else None,
            ),
        }
        for one in said
    ]


def stage_rows(found: LandingReport) -> list[dict[str, Any]]:
    """In the order of the process, each with the list of its deals."""
    stages = {stage.id: stage for stage in Stage.objects.all()}
    question = found.question

    def place(row: Any) -> tuple[int, str]:
        stage = stages.get(row.stage_id)
        return (stage.position, stage.name) if stage else (1000, "")

    return [
        {
            "row": row,
            "name": stages[row.stage_id].name if row.stage_id in stages else "Without a stage",
            "href": deals_href(question, stage=row.stage_id),
        }
        for row in sorted(found.stages, key=place)
    ]


def stray_rows(found: LandingReport) -> list[dict[str, Any]]:
    """Each past period with how far it strayed, and the landing that stood at the same point of it."""
    question = found.question
    calendar, days = question.calendar, (question.day - question.period.first).days
    rows = []
    for key in found.pasts:
        if key in found.strays:
            period = parse_period(key, calendar=calendar)
            day = min(max(period.first + timedelta(days=days), period.first), period.last)
            asked = {"period": key, "as_of": day.isoformat(), "scope": question.scope}
            address = f"{reverse('landing', args=[question.organization.slug])}?{urlencode(asked)}"
            rows.append({"label": period.label, "strayed": found.strays[key], "href": address})
    return rows


def deals_href(question: Question, *, stage: Any) -> str:
    """The open deals of a stage that close in the period, as of the same instant."""
    asked = {"period": question.period.key, "scope": question.counted_scope, "column": "open"}
    if stage is not None:
        asked["stage_id"] = str(stage)
    if question.is_past:
        asked |= {
            "as_of": question.as_of.isoformat(),
            "org_chart": question.org_chart,
            "knowledge": str(question.frame["knowledge"]),
        }
    if question.currency != question.organization.currency:
        asked["currency"] = question.currency
    return f"{reverse('deals', args=[question.organization.slug])}?{urlencode(asked)}"


def csv_rows(found: LandingReport) -> list[tuple[Any, ...]]:
    """The parts, which come to the landing; how far past periods strayed; its spread, its quota, what others say."""
    landing = found.landing
    names = {stage.id: stage.name for stage in Stage.objects.all()}
    rows: list[tuple[Any, ...]] = [("won", "", "", landing.won_minor, "", "", "", landing.won_minor)]
    rows += [
        (
            "open",
            names.get(row.stage_id, ""),
            row.count,
            row.minor,
            row.won,
            row.seen,
            f"{row.share:.6f}",
            row.expected_minor,
        )
        for row in found.stages
    ]
    rows.append(("to come", "", "", "", "", "", "", landing.later_minor))
    told = {
        "landing": landing.mean_minor,
        "p10": landing.p10_minor,
        "p50": landing.p50_minor,
        "p90": landing.p90_minor,
        "quota": found.quota_minor,
    }
    said = {one.key: one.minor for one in forecasters(found, rollup_of(found)) if one.key != "landing"}
    rows += [
        ("past", key, "", "", "", "", round(found.strays[key], 6), "")
        for key in found.pasts
        if key in found.strays
    ]
    return [*rows, *((name, "", "", "", "", "", "", minor) for name, minor in (told | said).items())]
