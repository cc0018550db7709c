"""What was understood of a typed day or amount, echoed beside the field while one types."""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date

from otc.calendar.rules import Calendar
from otc.tenancy.middleware import tenant_of
from otc.ui import format as fmt
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from otc.ui.dates import DayNotUnderstood, parse_day
from otc.ui.pages import page, start_page

LONGEST_TEXT = 60


@page("view_deals")
def understand(request: HttpRequest, slug: str) -> HttpResponse:
    """GET kind=date|amount, field=<name of the parameter that bears the text>, base=, currency=."""
    tenant = tenant_of(request)
    organization = tenant.organization
    field = request.GET.get("field", "value")
    text = request.GET.get(field, request.GET.get("value", ""))[:LONGEST_TEXT]
    if not text.strip():
        return HttpResponse("")
    try:
        if request.GET.get("kind") == "amount":
            currency = (request.GET.get("currency") or organization.currency)[:3]
            said = fmt.money_exact(parse_amount(text, currency=currency), currency=currency)
        else:
            said = understood_day(
                text,
                base=_base(request),
                today=tenant.today,
                calendar=tenant.calendar,
            )
    except (DayNotUnderstood, AmountNotUnderstood) as error:
        return render(request, "ui/understood.html", {"error": str(error)})
    return render(request, "ui/understood.html", {"text": said})


def understood_day(text: str, *, base: dt.date | None, today: dt.date, calendar: Calendar) -> str:
    """'+2w' -> 'Fri 1 Jan 2027'. Raises DayNotUnderstood."""
    day = parse_day(text, today=today, base=base, calendar=calendar)
    return fmt.day_with_weekday(day, today=today)


def _base(request: HttpRequest) -> dt.date | None:
    try:
        return parse_date(request.GET.get("base", ""))
    except ValueError:
        return None


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token no longer fits: what to do about it. `reason` is Django's, for developers."""
    return render(request, "403_csrf.html", status=403)


@page("view_deals")
def front(request: HttpRequest, slug: str) -> HttpResponse:
    """The organization's address alone leads a rep to what needs them today, everybody else to the deals."""
    return redirect(start_page(tenant_of(request).person.role), slug=slug)
