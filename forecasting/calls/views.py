"""A call submitted from the forecast page; the answer leads back there."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from forecasting.calls.models import CallColumn
from forecasting.calls.services import call_submit
from otc.question import BadQuestion, ask
from otc.tenancy.middleware import tenant_of
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from otc.ui.format import money_full
from otc.ui.pages import page
from pipeline.opportunities.rules import Refused


@require_POST
@page("submit_call")
def forecast_call(request: HttpRequest, slug: str) -> HttpResponse:
    """Submit `amount` with `note` as one's own call for `period`, of commit unless `column` names another."""
    tenant = tenant_of(request)
    currency = tenant.organization.currency
    home = reverse("forecast", args=[slug])
    try:
        question = ask(tenant, {"period": request.POST.get("period", "")})
        home = f"{home}?period={question.period.key}"
        call = call_submit(
            tenant.organization,
            author=tenant.person,
            period=question.period,
            column=request.POST.get("column") or CallColumn.COMMIT,
            amount_minor=parse_amount(request.POST.get("amount", ""), currency=currency),
            note=request.POST.get("note", ""),
            now=tenant.now,
            today=tenant.today,
        )
    except (AmountNotUnderstood, BadQuestion, Refused) as refusal:
        messages.error(request, str(refusal))
    else:
        shown = money_full(call.amount_minor, currency=currency)
        messages.success(request, f"You called {shown} {currency} for {question.period.label}")
    return redirect(home)
