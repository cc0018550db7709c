"""Settings: currencies and their dated rates; and the currency that a person sees amounts in."""

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from otc.identity.tabs import settings_tabs
from otc.money.forms import RateForm
from otc.money.models import Rate
from otc.money.queries import rated_currencies
from otc.money.report import currencies_report, currency_report
from otc.money.rules import DECIMALS, MoneyError
from otc.money.services import (
    ImplausibleRate,
    RateRefused,
    RateWritten,
    rate_undo,
    rate_withdraw,
    rate_write,
    shown_currency_set,
)
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page


@require_safe
@page("view_settings")
def currencies(request: HttpRequest, slug: str) -> HttpResponse:
    """Every currency with today's rate, and the deals that want one."""
    return _currencies(request, form=_form(request))


@require_http_methods(["GET", "POST"])
@page("manage_rates")
def rate_add(request: HttpRequest, slug: str) -> HttpResponse:
    """A new rate, or a correction of the one that the day has; `?currency=&valid_from=&rate=` fill in the form."""
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            written = rate_write(
                typed["currency"],
                valid_from=typed["valid_from"],
                rate=typed["rate"],
                now=tenant_of(request).now,
                is_confirmed=typed["is_right"],
            )
        except ImplausibleRate as refusal:
            form.ask_whether_right()
            form.add_error("rate", refusal.reason)
        except RateRefused as refusal:
            form.add_error(refusal.field, refusal.reason)
        except MoneyError as refusal:
            form.add_error("rate", str(refusal))
        else:
            return _written(request, written, currency=typed["currency"])
    return _currencies(request, form=form, status=422 if form.errors else 200)


@require_safe
@page("view_settings")
def currency(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """The rates of one currency over time, with what they were known to be."""
    tenant = tenant_of(request)
    if code not in DECIMALS or code == tenant.organization.currency:
        raise Http404
    try:
        before = date.fromisoformat(request.GET["before"]) if "before" in request.GET else None
    except ValueError as problem:
        raise Http404 from problem
    context = {
        "page_title": code,
        "tabs": settings_tabs(request, "currencies"),
        "report": currency_report(code, own=tenant.organization.currency, today=tenant.today, before=before),
        "first_href": request.path if before else "",
        "can_manage": tenant.may("manage_rates"),
    }
    return render(request, "otc/money/currency.html", context)


@require_POST
@page("manage_rates")
def rate_end(request: HttpRequest, slug: str, rate_id: UUID) -> HttpResponse:
    """Withdraw a rate."""
    return _change(request, rate_id, rate_withdraw)


@require_POST
@page("manage_rates")
def rate_back(request: HttpRequest, slug: str, rate_id: UUID) -> HttpResponse:
    """Undo what was done to a rate."""
    return _change(request, rate_id, rate_undo)


@require_http_methods(["GET", "POST"])
@page("use_pages")
def shown_currency(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose the currency that one sees; empty is the organization's. Leads back to where it was chosen."""
    tenant = tenant_of(request)
    if request.method == "GET":
        own = tenant.organization.currency
        context = {
            "page_title": "Currency shown",
            "codes": [own, *(code for code in rated_currencies() if code != own)],
            "chosen": tenant.person.shown_currency or own,
            "next": request.GET.get("next", ""),
        }
        return render(request, "otc/money/shown.html", context)
    try:
        chosen = shown_currency_set(tenant.person.id, currency=request.POST.get("currency", ""))
    except (RateRefused, MoneyError) as refusal:
        messages.error(request, str(refusal))
    else:
        words = f"Amounts are shown in {chosen or tenant.organization.currency}."
        messages.success(request, words)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = reverse("front", args=[slug])
    return redirect(back)


def _form(request: HttpRequest) -> RateForm:
    tenant = tenant_of(request)
    given = {name: request.GET[name] for name in ("currency", "valid_from", "rate") if name in request.GET}
    return RateForm(
        request.POST if request.method == "POST" else None,
        own=tenant.organization.currency,
        today=tenant.today,
        calendar=tenant.calendar,
        initial=given,
    )


def _currencies(request: HttpRequest, *, form: RateForm, status: int = 200) -> HttpResponse:
    tenant = tenant_of(request)
    context = {
        "page_title": "Currencies",
        "tabs": settings_tabs(request, "currencies"),
        "report": currencies_report(own=tenant.organization.currency, today=tenant.today),
        "codes": sorted(set(DECIMALS) - {tenant.organization.currency}),
        "form": form if tenant.may("manage_rates") else None,
    }
    return render(request, "otc/money/currencies.html", context, status=status)


def _change(request: HttpRequest, rate_id: UUID, change: object) -> HttpResponse:
    row = Rate.objects.filter(id=rate_id).first()
    if row is None:
        raise Http404
    try:
        written = change(rate_id, now=tenant_of(request).now)  # type: ignore[operator]  # one of two services
    except RateRefused as refusal:
        messages.error(request, refusal.reason)
        return redirect("currency", tenant_of(request).organization.slug, row.currency)
    return _written(request, written, currency=row.currency)


def _written(request: HttpRequest, written: RateWritten, *, currency: str) -> HttpResponse:
    slug = tenant_of(request).organization.slug
    row = written.rate or written.replaced
    if row is not None:
        day = f"{row.valid_from:%-d %b %Y}"
        said = (
            f"{currency} from {day}: {row.rate.normalize():f}"
            if written.rate
            else f"{currency} from {day} withdrawn"
        )
        undo = reverse("rate_back", args=[slug, written.undo_id]) if written.undo_id else ""
        messages.success(request, said, extra_tags=undo)
    return redirect("currency", slug, currency)
