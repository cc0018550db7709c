"""Quotas by person and quarter, changed where they stand, pasted as a block; what one was when; and ramps."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from forecasting.quotas.block import block_read
from forecasting.quotas.queries import season_at
from forecasting.quotas.report import QuotaYear, quota_history, quota_year_report
from forecasting.quotas.rules import (
    SEASON_LENGTHS,
    Ramp,
    Season,
    read_shares,
    read_weights,
    season_weights,
    shared_out,
)
from forecasting.quotas.seasons import season_set
from forecasting.quotas.services import QuotasRefused, QuotaWish, Unfit, quotas_checked, quotas_set, ramp_set
from forecasting.tabs import forecast_tabs
from otc.calendar.rules import Kind, PeriodError, parse_period, periods_of_year
from otc.question import BadQuestion, Question, ask
from otc.tenancy.middleware import Tenant, tenant_of
from otc.tenancy.models import Person
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import Choice, href_with
from otc.ui.csv import csv_response
from otc.ui.dates import DayNotUnderstood, parse_day
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.opportunities.cells import written_amount

CELL = "q:"
YEARS_BACK, YEARS_AHEAD = 2, 2
SHOWN_FAULTS = 20


@require_safe
@page("view_forecast")
@answers_bad_questions
def quotas(request: HttpRequest, slug: str) -> HttpResponse:
    """`/quotas/?year=2026`: the scope's quotas of a fiscal year; CSV with `format=csv`."""
    question = ask(tenant_of(request), request.GET)
    year = year_asked(request, question)
    report = quota_year_report(question, year=year)
    if request.GET.get("format") == "csv":
        return csv_response(f"quotas-{year}.csv", csv_head(report), csv_rows(report))
    return shown(request, question, report)


@require_POST
@page("manage_quotas")
@answers_bad_questions
def quotas_save(request: HttpRequest, slug: str) -> HttpResponse:
    """Write the cells that differ from what was shown: `q:<person>:<period>` beside `was:<person>:<period>`."""
    tenant = tenant_of(request)
    question = ask(tenant, {"scope": request.POST.get("scope", "")})
    wishes, faults, typed = cells_asked(request, currency=tenant.organization.currency)
    if not faults:
        faults = quotas_checked(tenant.organization, wishes, calendar=tenant.calendar)
    if faults:
        report = quota_year_report(question, year=year_asked(request, question))
        return shown(request, question, report, typed=typed, faults=faults, status=422)
    return written(request, tenant, wishes, reason=request.POST.get("reason", ""))


@require_POST
@page("manage_quotas")
@answers_bad_questions
def quotas_paste(request: HttpRequest, slug: str) -> HttpResponse:
    """Lines of `block`, or of an uploaded `file`: read and shown first; written with `act=write`, all or none."""
    tenant = tenant_of(request)
    upload = request.FILES.get("file")
    text = upload.read().decode("utf-8-sig", errors="replace") if upload else request.POST.get("block", "")
    block = block_read(text, currency=tenant.organization.currency)
    faults = block.faults + quotas_checked(tenant.organization, block.wishes, calendar=tenant.calendar)
    if not block.wishes and not faults:
        faults = [Unfit(0, "block", "No line was pasted; write person, period, amount")]
    if not faults and request.POST.get("act") == "write":
        return written(request, tenant, block.wishes, reason=request.POST.get("reason", ""))
    question = ask(tenant, {})
    report = quota_year_report(question, year=year_asked(request, question))
    more: dict[str, Any] = {"pasted": text, "block_count": len(block.wishes), "is_checked": not faults}
    return shown(request, question, report, faults=faults, status=422 if faults else 200, **more)


@require_POST
@page("manage_quotas")
@answers_bad_questions
def quota_year_share(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """Share a year's `amount` out over its quarters or months (`by`) by `weights`; nothing typed: by the season."""
    tenant, person = tenant_of(request), person_or_404(person_id)
    question = ask(tenant, {})
    year = year_asked(request, question)
    try:
        amount = parse_amount(request.POST.get("amount", ""), currency=tenant.organization.currency)
        kind = Kind.MONTH if request.POST.get("by") == "month" else Kind.QUARTER
        typed = request.POST.get("weights", "")
        weights = season_weights(season_at(tenant.now), kind=kind.value)
        if typed.strip():
            weights = read_weights(typed, count=SEASON_LENGTHS[kind.value])
        parts = shared_out(amount, weights=weights)
    except (AmountNotUnderstood, ValueError) as problem:
        messages.error(request, str(problem))
        return redirect(home(request, year))
    periods = periods_of_year(year, kind=kind, calendar=tenant.calendar)
    wishes = [QuotaWish(person.id, period.key, part) for period, part in zip(periods, parts, strict=True)]
    return written(request, tenant, wishes, reason=f"Shared out over {year}")


@require_POST
@page("manage_quotas")
@answers_bad_questions
def quota_season(request: HttpRequest, slug: str) -> HttpResponse:
    """Spread every year by `weights`: four are of its quarters, twelve of its months, none is alike."""
    tenant = tenant_of(request)
    typed = request.POST.get("weights", "")
    count = len(typed.replace("%", " ").replace(",", " ").replace(";", " ").split())
    kind = "month" if count == SEASON_LENGTHS["month"] else "quarter"
    try:
        weights = read_weights(typed, count=SEASON_LENGTHS[kind]) if count else []
        step = season_set(Season(kind, tuple(weights)), author=tenant.person, now=tenant.now)
    except ValueError as problem:
        messages.error(request, f"{problem}; four are of the quarters, twelve of the months")
        return redirect(home(request, None))
    said = "A year is spread so from now on; quotas that stand stay" if step else "It was so already"
    messages.success(request, said, extra_tags=undo_address(tenant.organization.slug, step) if step else "")
    return redirect(home(request, None))


@require_POST
@page("manage_quotas")
@answers_bad_questions
def quota_ramp(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """Put the person on a ramp from `starts_on`: `shares` in percent by month; none takes it away."""
    tenant, person = tenant_of(request), person_or_404(person_id)
    year = year_asked(request, ask(tenant, {}))
    try:
        shares = read_shares(request.POST.get("shares", ""))
        day = parse_day(request.POST.get("starts_on") or "today", today=tenant.today)
    except (ValueError, DayNotUnderstood) as problem:
        messages.error(request, str(problem))
        return redirect(home(request, year))
    ramp_set(person, Ramp(day, shares) if shares else None, author=tenant.person, now=tenant.now)
    messages.success(
        request, f"{person.name} ramps up from {day}" if shares else f"{person.name} is on no ramp"
    )
    return redirect(home(request, year))


@require_safe
@page("view_forecast")
@answers_bad_questions
def quota_story(request: HttpRequest, slug: str, person_id: UUID, period: str) -> HttpResponse:
    """What a person's quota for a period was from when to when, who set it, and why; the ramp beside it."""
    tenant, person = tenant_of(request), person_or_404(person_id)
    try:
        found = parse_period(period, calendar=tenant.calendar)
    except PeriodError as problem:
        raise Http404 from problem
    question = ask(tenant, {"period": period})
    if not question.visible.owners.contains(person_id):
        raise Http404
    quotas_then, ramps = quota_history(person_id, found.key)
    context = {
        "page_title": f"Quota of {person.name}",
        "subject": person,
        "period": found,
        "quotas": quotas_then,
        "ramps": ramps,
        "may_manage": tenant.may("manage_quotas"),
        "home": home(request, found.first.year),
    }
    return render(request, "forecasting/quotas/story.html", context)


def cells_asked(
    request: HttpRequest, *, currency: str
) -> tuple[list[QuotaWish], list[Unfit], dict[str, str]]:
    """The cells that were changed, what of them can't be read, and what was typed, by its name."""
    wishes: list[QuotaWish] = []
    faults: list[Unfit] = []
    typed: dict[str, str] = {}
    for name, value in request.POST.dict().items():
        if not name.startswith(CELL) or value.strip() == request.POST.get(f"was:{name[2:]}", "").strip():
            continue
        typed[name] = value
        person, _, period = name[2:].partition(":")
        try:
            amount = parse_amount(value, currency=currency) if value.strip() else None
            wishes.append(QuotaWish(UUID(person), period, amount, row=len(wishes) + 1))
        except (AmountNotUnderstood, ValueError) as problem:
            faults.append(Unfit(len(typed), name, f"{period}: {problem}"))
    return wishes, faults, typed


def written(request: HttpRequest, tenant: Tenant, wishes: list[QuotaWish], *, reason: str) -> HttpResponse:
    """Write, say how many, offer Undo."""
    slug = tenant.organization.slug
    try:
        done = quotas_set(
            tenant.organization,
            wishes,
            author=tenant.person,
            calendar=tenant.calendar,
            now=tenant.now,
            reason=reason,
            is_correction=request.POST.get("how") == "correct",
        )
    except QuotasRefused as refusal:
        messages.error(request, str(refusal))
        return redirect(home(request, None))
    count = f"{done.changed:,} quota{'' if done.changed == 1 else 's'}"
    verb = "corrected" if request.POST.get("how") == "correct" else "changed"
    said = f"{count} {verb}" if done.changed else "Every quota was so already"
    messages.success(request, said, extra_tags=undo_address(slug, done.undo_id) if done.undo_id else "")
    return redirect(home(request, None))


def shown(
    request: HttpRequest,
    question: Question,
    report: QuotaYear,
    *,
    typed: dict[str, str] | None = None,
    faults: list[Unfit] | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    tenant = tenant_of(request)
    currency = tenant.organization.currency
    context = bar(request, question)
    years = range(question.day.year - YEARS_BACK, question.day.year + YEARS_AHEAD + 1)
    context |= {
        "page_title": "Quotas",
        "tabs": forecast_tabs(request, "quotas"),
        "controls": context["controls"][:1],
        "bar_note": "",
        "report": report,
        "rows": [
            (
                row,
                [
                    (cell, cell_name(row.person.id, cell.period.key), cell_text(cell, row, typed, currency))
                    for cell in row.cells
                ],
            )
            for row in report.rows
        ],
        "total_minor": sum(amount for amount in report.totals if amount is not None),
        "year_choices": [
            Choice(str(year), href_with(request.path, request.GET, year=year), year == report.year)
            for year in years
        ],
        "may_manage": tenant.may("manage_quotas") and not question.is_past,
        "season": season_at(question.known),
        "how": request.POST.get("how", ""),
        "faults": (faults or [])[:SHOWN_FAULTS],
        "fault_count": len(faults or []),
        "faulty": {fault.field for fault in faults or []},
    } | more
    return render(request, "forecasting/quotas/quotas.html", context, status=status)


def cell_name(person_id: UUID, period: str) -> str:
    return f"{person_id}:{period}"


def cell_text(cell: Any, row: Any, typed: dict[str, str] | None, currency: str) -> tuple[str, str]:
    """What stands in the cell, and what stood there when it was shown."""
    whole, mark, rest = written_amount(cell.amount_minor, currency=currency).partition(".")
    was = f"{int(whole):,}{mark}{rest}" if whole else ""
    return (typed or {}).get(f"{CELL}{cell_name(row.person.id, cell.period.key)}", was), was


def year_asked(request: HttpRequest, question: Question) -> int:
    text = request.GET.get("year") or request.POST.get("year") or ""
    if not text:
        return int(question.period.key[:4])
    if not text.isdecimal() or not 1990 <= int(text) <= 2100:
        raise BadQuestion("year", f"“{text[:10]}” is not a year like 2026")
    return int(text)


def home(request: HttpRequest, year: int | None) -> str:
    """The page again, of the same year and scope."""
    wanted = str(year) if year else request.POST.get("year") or request.GET.get("year")
    return href_with(
        reverse("quotas", args=[tenant_of(request).organization.slug]),
        {},
        year=wanted or None,
        scope=request.POST.get("scope") or None,
    )


def person_or_404(person_id: UUID) -> Person:
    person = Person.objects.filter(id=person_id).first()
    if person is None:
        raise Http404
    return person


def csv_head(report: QuotaYear) -> list[str]:
    periods = [period.key for period in report.periods]
    return [
        "person_id",
        "person",
        "depth",
        *(f"{key}_minor" for key in periods),
        *(f"{key}_ramped_minor" for key in periods),
    ]


def csv_rows(report: QuotaYear) -> list[list[Any]]:
    return [
        [
            row.person.id,
            row.person.name,
            row.depth,
            *(cell.amount_minor for cell in row.cells),
            *(cell.effective_minor for cell in row.cells),
        ]
        for row in report.rows
    ]
