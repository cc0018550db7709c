"""Settings: the fiscal calendar, with a preview of the years ahead before anything changes."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from otc.calendar.forms import CalendarForm, initial_of
from otc.calendar.models import FiscalCalendar
from otc.calendar.report import YEARS_AHEAD, CalendarReport, calendar_report
from otc.calendar.rules import FIRST_YEAR, PeriodError, year_of
from otc.calendar.services import WordNeeded, calendar_change, calendar_undo
from otc.identity.tabs import settings_tabs
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page


@require_safe
@page("view_settings")
def fiscal_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """The calendar; with a shape in the address, what it would become."""
    tenant = tenant_of(request)
    is_asked = "basis" in request.GET
    form = _form(request, data=request.GET if is_asked else None)
    report = None
    if is_asked and form.is_valid():
        try:
            after = tenant.calendar.changed(form.shape, from_year=form.cleaned_data["from_year"])
            report = calendar_report(tenant.calendar, after, today=tenant.today)
        except PeriodError as refusal:
            form.add_error("from_year", str(refusal))
    return _page(request, form=form, report=report, status=422 if form.errors else 200)


@require_POST
@page("manage_calendar")
def calendar_set(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the calendar as previewed."""
    tenant = tenant_of(request)
    form = _form(request, data=request.POST)
    report = None
    if form.is_valid():
        try:
            written = calendar_change(
                tenant.organization,
                shape=form.shape,
                from_year=form.cleaned_data["from_year"],
                is_meant=form.cleaned_data["is_meant"],
                now=tenant.now,
                today=tenant.today,
            )
        except WordNeeded as refusal:
            report = refusal.report
            form.add_error("is_meant", str(refusal))
        except PeriodError as refusal:
            form.add_error("from_year", str(refusal))
        else:
            undo = reverse("calendar_undo", args=[slug, written.row.id])
            messages.success(request, "The calendar is changed.", extra_tags=undo)
            return redirect("calendar", slug)
    return _page(request, form=form, report=report, status=422)


@require_POST
@page("manage_calendar")
def calendar_back(request: HttpRequest, slug: str, fiscal_calendar_id: UUID) -> HttpResponse:
    """Undo the latest change."""
    tenant = tenant_of(request)
    if not FiscalCalendar.objects.filter(id=fiscal_calendar_id).exists():
        raise Http404
    try:
        calendar_undo(tenant.organization, fiscal_calendar_id, now=tenant.now)
    except PeriodError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The calendar is as it was.")
    return redirect("calendar", slug)


def _form(request: HttpRequest, *, data: object) -> CalendarForm:
    tenant = tenant_of(request)
    this_year = year_of(tenant.today, calendar=tenant.calendar)
    initial = initial_of(tenant.calendar.shape_of(this_year + 1), from_year=this_year + 1)
    years = list(range(this_year, this_year + YEARS_AHEAD))
    return CalendarForm(data, years=years, initial=initial)


def _page(
    request: HttpRequest, *, form: CalendarForm, report: CalendarReport | None, status: int
) -> HttpResponse:
    tenant = tenant_of(request)
    shown = report or calendar_report(tenant.calendar, tenant.calendar, today=tenant.today)
    context = {
        "page_title": "Calendar",
        "tabs": settings_tabs(request, "calendar"),
        "form": form,
        "report": shown,
        "is_preview": report is not None,
        "is_for_ever": shown.first_day is not None and shown.first_day.year <= FIRST_YEAR,
        "this_year": next(row for row in shown.rows if tenant.today in row.year),
        "can_manage": tenant.may("manage_calendar"),
    }
    return render(request, "otc/calendar/calendar.html", context, status=status)
