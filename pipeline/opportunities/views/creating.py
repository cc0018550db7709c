"""A new deal."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from pipeline.accounts.models import Account
from pipeline.accounts.rules import Invalid
from pipeline.accounts.services import account_named
from pipeline.duplicates.fresh import deal_compare
from pipeline.fields.forms import field_values, input_of
from pipeline.opportunities.forms import NewDealForm
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import opportunity_create
from pipeline.opportunities.views.answers import back, deal_url

SUGGESTED_ACCOUNTS = 300
FORM_FIELDS = {
    "amount_minor": "amount",
    "currency": "currency",
    "stage": "stage",
    "owner": "owner",
    "name": "name",
}


@page("create_deal")
def deal_new(request: HttpRequest, slug: str) -> HttpResponse:
    """`/deals/new/?account=<name>`."""
    tenant = tenant_of(request)
    form = NewDealForm(
        request.POST if request.method == "POST" else None,
        organization=tenant.organization,
        today=tenant.today,
        calendar=tenant.calendar,
        person=tenant.person,
        initial={"account": request.GET.get("account", "")},
    )
    if request.method == "POST" and form.is_valid() and (answer := create(request, form)):
        return answer
    context = {
        "page_title": "New deal",
        "form": form,
        "accounts": Account.objects.order_by("name_folded").values_list("name", flat=True)[
            :SUGGESTED_ACCOUNTS
        ],
        "deals_url": reverse("deals", args=[slug]),
    }
    status = 422 if form.is_bound else 200
    return render(request, "pipeline/opportunities/deal_new.html", context, status=status)


def create(request: HttpRequest, form: NewDealForm) -> HttpResponse | None:
    """Create and answer; None where a rule refused, which then stands on the form."""
    cleaned = form.cleaned_data
    try:
        account = account_named(cleaned["account"]) if cleaned["account"].strip() else None
        written = opportunity_create(
            name=cleaned["name"].strip(),
            account_id=account.id if account else None,
            now=tenant_of(request).now,
            **form.deal_fields(),
            fields=field_values(form),
        )
    except Invalid as invalid:
        form.add_error("account", f"{invalid.reason}. Add the account on its own page first")
        return None
    except Refused as refusal:
        name = input_of(refusal.field)
        form.add_error(name if name in form.fields else FORM_FIELDS.get(refusal.field), refusal.reason)
        return None
    deal = written.opportunity
    deal_compare(deal.id, now=tenant_of(request).now)
    return back(request, deal_url(request, deal.id), said=f"{deal.name} added", has_origin=False)
