"""Locks: which periods are locked, what a lock kept beside what is now, and locking and unlocking by hand."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forecasting.locks.models import Lock
from forecasting.locks.queries import is_locked, locks_with_ends
from forecasting.locks.report import DifferenceReport, DifferenceRow, difference_report
from forecasting.locks.services import period_lock, period_unlock
from forecasting.rhythm.queries import beat_now
from forecasting.tabs import forecast_tabs
from forecasting.types.models import ForecastType
from forecasting.types.queries import type_asked, types_offered
from otc.question import BadQuestion, Question, ask
from otc.tenancy.lines import people_by_id
from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import Choice, href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page
from pipeline.opportunities.rules import Refused
from pipeline.process.columns import COLUMNS

SHOWN_LOCKS = 100
SWITCH = (
    ("closed", "Closed"),
    ("commit_cumulative", "Commit"),
    ("most_likely_cumulative", "Most likely"),
    ("best_case_cumulative", "Best case"),
    ("open", "Open pipeline"),
)


@require_safe
@page("view_forecast")
@answers_bad_questions
def forecast_locks(request: HttpRequest, slug: str) -> HttpResponse:
    """`/forecast/locks/`: every lock, the latest first, and the period that one may lock now."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    rows = list(locks_with_ends().filter(locked_at__lte=question.as_of)[:SHOWN_LOCKS])
    locked = is_locked(question.period.key, as_of=question.as_of if question.is_past else None)
    people = people_by_id({row.locked_by_id for row in rows if row.locked_by_id})
    context = bar(request, question)
    context |= {
        "page_title": "Locks",
        "tabs": forecast_tabs(request, "forecast_locks"),
        "rows": [(row, people.get(row.locked_by_id)) for row in rows],
        "is_locked": locked,
        "lock_day": beat_now().lock_day(question.period.end),
        "may_lock": tenant.may("lock_period") and not question.is_past and not locked,
        "has_begun": question.period.first <= question.day,
    }
    return render(request, "forecasting/locks/locks.html", context)


@require_POST
@page("lock_period")
@answers_bad_questions
def forecast_lock(request: HttpRequest, slug: str) -> HttpResponse:
    """Lock `period` now."""
    tenant = tenant_of(request)
    try:
        question = ask(tenant, {"period": request.POST.get("period", "")})
        lock = lock_by_hand(question, reason=request.POST.get("reason", ""))
    except (BadQuestion, Refused) as refusal:
        messages.error(request, str(refusal))
        return redirect("forecast_locks", slug=slug)
    messages.success(request, f"{lock.label} is locked: nobody calls or adjusts it until it is unlocked")
    return redirect("forecast_difference", slug=slug, lock_id=lock.id)


def lock_by_hand(question: Question, *, reason: str, type_id: UUID | None = None) -> Lock:
    """Lock the question's period in the viewer's name. Raises Refused for one that hasn't begun."""
    if question.day < question.period.first:
        raise Refused("period", f"{question.period.label} hasn’t begun; there is nothing to lock")
    return period_lock(
        question.organization,
        period=question.period,
        author=question.viewer,
        reason=reason,
        type_id=type_id,
    )


@require_POST
@page("lock_period")
def forecast_unlock(request: HttpRequest, slug: str, lock_id: UUID) -> HttpResponse:
    """Unlock with a reason, which goes on record."""
    tenant = tenant_of(request)
    lock = lock_or_404(lock_id)
    try:
        period_unlock(lock, reason=request.POST.get("reason", ""), now=tenant.now, author=tenant.person)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{lock.label} is open again; what was kept stays")
    return redirect("forecast_difference", slug=slug, lock_id=lock.id)


@require_http_methods(["GET", "HEAD"])
@page("view_forecast")
@answers_bad_questions
def forecast_difference(request: HttpRequest, slug: str, lock_id: UUID) -> HttpResponse:
    """`/forecast/locks/<lock>/`: the locked grid beside today's; also as CSV with `format=csv`."""
    tenant = tenant_of(request)
    lock = lock_or_404(lock_id)
    question, column = difference_asked(tenant, lock, request.GET)
    type_ = type_asked(request.GET.get("type", ""))
    report = difference_report(question, lock, column=column, type_id=type_.id if type_ else None)
    if request.GET.get("format") == "csv":
        return csv_response(f"lock-{lock.period}.csv", csv_head(), csv_rows(report))
    context = bar(request, question)
    # The period is in the lock, and the question's own is another.
    context["controls"], context["bar_note"] = context["controls"][:1], ""
    shows_all = request.GET.get("rows") == "all"
    context |= {
        "page_title": f"{lock.label}, locked",
        "tabs": forecast_tabs(request, "forecast_locks"),
        "lock": lock,
        "type_choices": type_choices(request, lock, type_),
        "by": people_by_id([lock.locked_by_id]).get(lock.locked_by_id) if lock.locked_by_id else None,
        "report": report,
        "rows": [(row, row.cells[column]) for row in (report.rows if shows_all else report.differing)],
        "total": report.total and report.total.cells[column],
        "column_label": dict(SWITCH)[column],
        "column_choices": [
            Choice(label, href_with(request.path, request.GET, column=key), key == column)
            for key, label in SWITCH
        ],
        "row_choices": [
            Choice("What differs", href_with(request.path, request.GET, rows=None), not shows_all),
            Choice("Everybody", href_with(request.path, request.GET, rows="all"), shows_all),
        ],
        "may_unlock": tenant.may("lock_period") and not question.is_past and lock.unlocked_at is None,
        "forecast_href": href_with(reverse("forecast", args=[slug]), {}, period=lock.period),
        "grid_href": href_with(
            reverse("forecast", args=[slug]), {}, period=lock.period, as_of=lock.locked_at.isoformat()
        ),
    }
    return render(request, "forecasting/locks/difference.html", context)


def type_choices(request: HttpRequest, lock: Lock, current: ForecastType | None) -> list[Choice]:
    """All deals or one type, where the lock kept several."""
    kept = [] if lock.type_id else types_offered()
    choices = [(one.name, one.slug, current == one) for one in kept]
    return [
        Choice(name, href_with(request.path, request.GET, type=slug), is_current)
        for name, slug, is_current in ([("All deals", None, current is None), *choices] if choices else [])
    ]


def lock_or_404(lock_id: UUID) -> Any:
    lock = locks_with_ends().filter(id=lock_id).first()
    if lock is None:
        raise Http404
    return lock


def difference_asked(tenant: Any, lock: Lock, asked: Any) -> tuple[Question, str]:
    """What the address asks of a lock: an instant not before it, and a column."""
    named = {name: asked[name] for name in asked if name not in ("period", "currency")}
    question = ask(tenant, named | {"currency": lock.currency})
    if question.as_of < lock.locked_at:
        raise BadQuestion(
            "as_of", f"{lock.label} was locked on {lock.locked_at:%-d %b %Y}: compare with a later day"
        )
    column = asked.get("column") or "commit_cumulative"
    if column not in dict(SWITCH):
        raise BadQuestion("column", f"“{column}” is none of: {', '.join(dict(SWITCH))}")
    return question, column


def csv_head() -> list[str]:
    amounts = [f"{column}_{end}_minor" for column in COLUMNS for end in ("then", "now", "difference")]
    ends = [f"{what}_{end}_minor" for what in ("quota", "call") for end in ("then", "now")]
    return ["person_id", "person", "depth", *ends, *amounts]


def csv_rows(report: DifferenceReport) -> list[list[Any]]:
    """Every row, whether it differs or not, with all columns."""
    return [_csv_row(row) for row in [*report.rows, *([report.total] if report.total else [])]]


def _csv_row(row: DifferenceRow) -> list[Any]:
    cells = [
        value
        for column in COLUMNS
        for value in (
            row.cells[column].then_minor,
            row.cells[column].now_minor,
            row.cells[column].difference_minor,
        )
    ]
    ends = [row.quota_then_minor, row.quota_now_minor, row.call_then_minor, row.call_now_minor]
    return [row.person_id, row.name, row.depth, *ends, *cells]
