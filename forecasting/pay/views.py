"""Plans of pay in the settings, and what a deal pays its people: a page, and a part of the deal's."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forecasting.pay.forms import PlanForm
from forecasting.pay.models import PayPlan
from forecasting.pay.queries import plans_standing, tiers_of
from forecasting.pay.report import deal_pay_report
from forecasting.pay.services import PlanWritten, pay_plan_set, pay_plan_withdraw, whose
from otc.identity.tabs import settings_tabs
from otc.question import ask
from otc.tenancy.middleware import Tenant, tenant_of
from otc.tenancy.models import Person
from otc.ui.bar import answers_bad_questions
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.opportunities.queries import visible_opportunity
from pipeline.opportunities.rules import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@page("manage_pay")
def pay(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/pay/`: the plans that count, and by POST the next one."""
    tenant = tenant_of(request)
    form = PlanForm(request.POST or None, people=people_offered(tenant), initial={"starts_on": tenant.today})
    if request.method == "POST" and form.is_valid():
        try:
            written = pay_plan_set(form.wanted(), author=tenant.person, now=tenant.now)
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.reason)
        else:
            return saved(request, written, f"The plan of {whose(written.plan)} is saved")
    context = {
        "page_title": "Pay",
        "tabs": settings_tabs(request, "pay"),
        "form": form,
        "plans": [(plan, whose(plan), tiers_of(plan)) for plan in plans_standing(tenant.now)],
    }
    return render(request, "forecasting/pay/pay.html", context, status=422 if form.errors else 200)


def people_offered(tenant: Tenant) -> list[tuple[UUID, str]]:
    """Who has not left, by name."""
    people = Person.objects.exclude(left_on__lte=tenant.today)
    return list(people.order_by("name", "id").values_list("id", "name"))


@require_POST
@page("manage_pay")
def pay_withdraw(request: HttpRequest, slug: str, plan_id: UUID) -> HttpResponse:
    """What stood before the plan pays again."""
    tenant = tenant_of(request)
    plan = PayPlan.objects.filter(id=plan_id).select_related("person").first()
    if plan is None:
        raise Http404
    try:
        written = pay_plan_withdraw(
            plan,
            author=tenant.person,
            reason=request.POST.get("reason", "") or "Withdrawn",
            now=tenant.now,
        )
    except Refused as refusal:
        messages.error(request, refusal.reason)
        return redirect("pay", slug=slug)
    return saved(request, written, f"The plan of {whose(plan)} is withdrawn")


def saved(request: HttpRequest, written: PlanWritten, said: str) -> HttpResponse:
    slug = tenant_of(request).organization.slug
    messages.success(request, said, extra_tags=undo_address(slug, written.undo_id))
    return redirect("pay", slug=slug)


@require_safe
@page("view_deals")
@answers_bad_questions
def deal_pay(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/pay/`: for the deal's people, who is above them, and administrators; not found for all others."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    deal = visible_opportunity(deal_id, visible=question.visible)
    if deal is None:
        raise Http404
    rows = deal_pay_report(question, deal_id, tenant=tenant)
    if not rows:
        raise Http404
    context = {"page_title": f"Pay: {deal.name}", "deal": deal, "rows": rows, "question": question}
    is_part = bool(getattr(request, "htmx", False))
    return render(request, f"forecasting/pay/{'_deal' if is_part else 'deal'}.html", context)
