"""Win rates by source: which leads became deals, and which of those were won."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from otc.question import ask
from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions
from otc.ui.controls import Choice, href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page
from postmortem.sources.report import SourceRow, sources_report

GROUP_LABELS = {"source": "Source", "campaign": "Campaign", "both": "Both"}
CSV_HEAD = (
    *(
        "source",
        "campaign",
        "leads",
        "waiting",
        "returned",
        "converted",
        "open",
        "won",
        "lost",
        "no_decision",
    ),
    *("unseen", "open_minor", "won_minor", "lost_minor", "no_decision_minor", "win_rate", "low", "high"),
    *("win_rate_by_amount", "unconvertible"),
)


@require_safe
@page("view_leads")
@answers_bad_questions
def lead_sources(request: HttpRequest, slug: str) -> HttpResponse:
    """`/leads/sources/?group_by=&period=`; the same as a file with `format=csv`."""
    text = request.GET.get("period", "")
    question = ask(tenant_of(request), {"period": text} if text else {})
    group_by = request.GET.get("group_by") or "source"
    report = sources_report(question, group_by=group_by, period=question.period if text else None)
    if request.GET.get("format") == "csv":
        return csv_response("lead-sources.csv", CSV_HEAD, [line(one) for one in (*report.rows, report.total)])
    periods = {"": "All time", question.period.key: question.period.label}
    context = {
        "page_title": "Win rates by source",
        "report": report,
        "best": best_of(report.rows),
        "groups": [
            Choice(label, href_with(request.path, request.GET, group_by=key), key == group_by)
            for key, label in GROUP_LABELS.items()
        ],
        "periods": [
            Choice(label, href_with(request.path, request.GET, period=key or None), key == text)
            for key, label in periods.items()
        ],
        "csv_href": href_with(request.path, request.GET, format="csv"),
    }
    return render(request, "postmortem/sources/sources.html", context)


def best_of(rows: tuple[SourceRow, ...]) -> SourceRow | None:
    """The source whose win rate is surely highest: by the lower end of its interval."""
    closed = [one for one in rows if one.rates.interval is not None and one.closed.won]
    return max(closed, key=lambda one: (one.rates.interval or (0.0, 0.0))[0], default=None)


def line(one: SourceRow) -> tuple[Any, ...]:
    rates, closed = one.rates, one.closed
    low, high = rates.interval or (None, None)
    return (
        *(one.source, one.campaign, one.leads, one.waiting, one.returned, one.converted, one.open_deals),
        *(closed.won, closed.lost, closed.no_decision, one.unseen, one.open_minor, closed.won_minor),
        *(closed.lost_minor, closed.no_decision_minor, _rate(rates.win_rate), low, high),
        *(_rate(rates.win_rate_by_amount), one.unconvertible),
    )


def _rate(rate: Any) -> float | None:
    return None if rate is None else float(rate)
