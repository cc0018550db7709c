"""Alerts: one's rules, a rule with what it would have fired, and the log of what fired."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forecasting.alerts.forms import FIELD_OF, RuleForm, initial_of
from forecasting.alerts.models import AlertHook, AlertRule
from forecasting.alerts.report import PREVIEW_DAYS, fired_of, preview_report, rule_rows, rules_of
from forecasting.alerts.rules import KIND_NAMED, KINDS
from forecasting.alerts.services import (
    Author,
    rule_create,
    rule_edit,
    rule_pause,
    rule_remove,
    rule_resume,
    rule_try,
)
from forecasting.alerts.words import rule_told
from otc.fields.queries import people_choices
from otc.tenancy.lines import people_by_id
from otc.tenancy.middleware import Tenant, tenant_of
from otc.ui.bar import in_line_order, people_offered
from otc.ui.controls import Tab
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.opportunities.rules import Refused

FIRED_A_PAGE = 50


@require_safe
@page("keep_alerts")
def alerts(request: HttpRequest, slug: str) -> HttpResponse:
    """`/alerts/`: one's own rules and, for who keeps them, the organization's."""
    tenant = tenant_of(request)
    rows = rule_rows(tenant)
    people = people_by_id()
    names = {person_id: person.name for person_id, person in people.items()}
    currency = tenant.organization.currency
    context = {
        "page_title": "Alerts",
        "tabs": tabs(request, "alerts"),
        "rows": [
            {
                "row": row,
                "told": rule_told(row.rule, currency=currency, names=names),
                "readers": readers_told(row.rule, names=names),
            }
            for row in rows
        ],
        "watching": sum(row.rule.paused_at is None for row in rows),
        "fired": sum(row.fired_count for row in rows),
        "days": PREVIEW_DAYS,
        "kinds": KINDS,
    }
    return render(request, "forecasting/alerts/alerts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page("keep_alerts")
def alert_new(request: HttpRequest, slug: str) -> HttpResponse:
    """`/alerts/new/?kind=lost`: the form of that kind; without one, the kinds to choose from."""
    kind = request.GET.get("kind", "")
    if kind not in KIND_NAMED:
        return render(request, "forecasting/alerts/kinds.html", {"page_title": "New alert", "kinds": KINDS})
    tenant = tenant_of(request)
    form = form_for(request, tenant, kind=kind)
    if request.method == "POST" and form.is_valid():
        if "preview" in request.POST:
            return show_rule(request, form, rule=preview_rule(form))
        try:
            rule = rule_create(form.wanted(), author=author_of(tenant), now=tenant.now)
        except Refused as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, f"“{rule.name}” watches from now on")
            return redirect("alerts", slug=slug)
    return show_rule(request, form, rule=None)


@require_http_methods(["GET", "HEAD", "POST"])
@page("keep_alerts")
def alert_rule(request: HttpRequest, slug: str, rule_id: UUID) -> HttpResponse:
    """`/alerts/<id>/`: the rule's form beside what it would have fired; POST saves, or with `preview` tries out."""
    tenant = tenant_of(request)
    rule = rule_or_404(tenant, rule_id)
    form = form_for(request, tenant, kind=rule.kind, rule=rule)
    if request.method == "POST" and form.is_valid():
        if "preview" in request.POST:
            return show_rule(request, form, rule=preview_rule(form), kept=rule)
        try:
            step = rule_edit(rule, form.wanted(), author=author_of(tenant), now=tenant.now)
        except Refused as refusal:
            refuse(form, refusal)
        else:
            said = f"“{rule.name}” is changed and watches from now on"
            messages.success(request, said, extra_tags=undo_address(slug, step))
            return redirect("alerts", slug=slug)
    return show_rule(request, form, rule=None if form.errors else rule, kept=rule)


@require_POST
@page("keep_alerts")
def alert_act(request: HttpRequest, slug: str, rule_id: UUID) -> HttpResponse:
    """POST `act`: pause, resume, remove, or test, which sends a sample by each channel."""
    tenant = tenant_of(request)
    rule = rule_or_404(tenant, rule_id)
    act = request.POST.get("act", "")
    if act == "test":
        return send_sample(request, tenant, rule)
    acts = {"pause": rule_pause, "resume": rule_resume, "remove": rule_remove}
    said = {"pause": "pauses", "resume": "watches again, from now on", "remove": "is removed"}
    if act not in acts:
        raise Http404
    step = acts[act](rule, now=tenant.now)
    messages.success(request, f"“{rule.name}” {said[act]}", extra_tags=undo_address(slug, step))
    return redirect("alerts", slug=slug)


def send_sample(request: HttpRequest, tenant: Tenant, rule: AlertRule) -> HttpResponse:
    slug = tenant.organization.slug
    delivery = rule_try(rule, person=tenant.person, now=tenant.now)
    ways = [word for word, is_on in (("below your bell", rule.in_app), ("by mail", rule.by_mail)) if is_on]
    if delivery is not None:
        ways.append("to its webhook")
    messages.success(request, f"A sample of “{rule.name}” is on its way {' and '.join(ways)}")
    if delivery is not None and tenant.may("manage_alerts"):
        return redirect(f"{reverse('alert_hooks', args=[slug])}#delivery-{delivery.id}")
    return redirect("alerts", slug=slug)


@require_safe
@page("keep_alerts")
def alerts_fired(request: HttpRequest, slug: str) -> HttpResponse:
    """`/alerts/fired/`: the log, the latest first; `rule` narrows it, `page` counts from 0."""
    tenant = tenant_of(request)
    typed = request.GET.get("page", "0")
    number = int(typed) if typed.isdecimal() and len(typed) < 6 else 0
    found = fired_of(tenant).select_related("rule", "opportunity", "opportunity__owner")
    asked = request.GET.get("rule", "")
    if asked:
        try:
            found = found.filter(rule_id=UUID(asked))
        except ValueError:
            raise Http404 from None
    first = number * FIRED_A_PAGE
    rows = list(found.order_by("-fired_at", "-id")[first : first + FIRED_A_PAGE + 1])
    here = reverse("alerts_fired", args=[slug]) + (f"?rule={asked}&" if asked else "?")
    people = people_by_id()
    context = {
        "page_title": "What fired",
        "tabs": tabs(request, "alerts_fired"),
        "rows": [
            {"fired": row, "told": [people[UUID(one)].name for one in row.told_ids if UUID(one) in people]}
            for row in rows[:FIRED_A_PAGE]
        ],
        "rule": rows[0].rule if asked and rows else None,
        "previous_href": f"{here}page={number - 1}" if number else "",
        "next_href": f"{here}page={number + 1}" if len(rows) > FIRED_A_PAGE else "",
    }
    return render(request, "forecasting/alerts/fired.html", context)


def tabs(request: HttpRequest, current: str) -> list[Tab]:
    """Rules, what fired, and for who keeps the organization's alerts its webhooks."""
    tenant = tenant_of(request)
    found = [("alerts", "Rules"), ("alerts_fired", "What fired")]
    if tenant.may("manage_alerts"):
        found.append(("alert_hooks", "Webhooks"))
    slug = tenant.organization.slug
    return [Tab(label, reverse(name, args=[slug]), is_current=name == current) for name, label in found]


def author_of(tenant: Tenant) -> Author:
    return Author(tenant.person, tenant.visible.owners, tenant.may("manage_alerts"))


def rule_or_404(tenant: Tenant, rule_id: UUID) -> AlertRule:
    found = rules_of(tenant).select_related("hook", "owner", "scope")
    rule: AlertRule | None = found.filter(id=rule_id).first()
    if rule is None:
        raise Http404
    return rule


def form_for(request: HttpRequest, tenant: Tenant, *, kind: str, rule: AlertRule | None = None) -> RuleForm:
    """The kind's form, filled with the rule, or with what was typed."""
    manages = tenant.may("manage_alerts") and (rule is None or rule.owner_id is None)
    currency = tenant.organization.currency
    return RuleForm(
        request.POST if request.method == "POST" else None,
        initial=initial_of(rule, currency=currency) if rule else None,
        kind=kind,
        currency=currency,
        scopes=scope_choices(tenant, named={str(rule.scope_id)} if rule else ()),
        people=[(str(person_id), name) for person_id, name in people_choices()],
        hooks=list(AlertHook.objects.filter(deleted_at__isnull=True).order_by("name", "id")),
        manages=manages,
        is_new=rule is None,
    )


def scope_choices(tenant: Tenant, *, named: Collection[str]) -> list[tuple[str, str, int]]:
    """Everything, then the people whose deals the viewer may see, along the line; of many their leaders."""
    people = people_by_id(people_offered(tenant.chart, tenant.visible.owners, named=named))
    sees_all = tenant.visible.owners.person_ids is None
    whole = [("", "The whole organization’s" if sees_all else "Every deal that I may see", 0)]
    return whole + [
        (str(person_id), f"{people[person_id].name}’s branch", depth)
        for person_id, depth in in_line_order(tenant.chart, people)
    ]


def preview_rule(form: RuleForm) -> AlertRule:
    """The rule that the form asks for, saved nowhere."""
    wanted = form.wanted()
    return AlertRule(
        name=wanted.name,
        kind=wanted.kind,
        scope_id=wanted.scope_id,
        amount_minor=wanted.amount_minor,
        percent=wanted.percent,
        days=wanted.days,
        times_hundredths=wanted.times_hundredths,
        span=wanted.span,
    )


def show_rule(
    request: HttpRequest, form: RuleForm, *, rule: AlertRule | None, kept: AlertRule | None = None
) -> HttpResponse:
    """The form, and beside it what `rule` would have fired; 422 where something typed is refused."""
    tenant = tenant_of(request)
    others = {"people", "tells_owner", "tells_manager", "hook"}
    context = {
        "page_title": kept.name if kept else "New alert",
        "form": form,
        "kept": kept,
        "kind": KIND_NAMED[form.kind],
        "when_fields": [field for field in form if field.name not in {*others, "whose", "in_app", "by_mail"}],
        "whose_field": form["whose"] if "whose" in form.fields else None,
        "other_fields": [field for field in form if field.name in others],
        "way_fields": [form["in_app"], form["by_mail"]],
        "preview": preview_report(rule, tenant=tenant) if rule is not None else None,
    }
    return render(request, "forecasting/alerts/rule.html", context, status=422 if form.errors else 200)


def refuse(form: RuleForm, refusal: Refused) -> None:
    """Say it beside the field that it is about."""
    name = FIELD_OF.get(refusal.field, refusal.field)
    form.add_error(name if name in form.fields else None, refusal.reason)


def readers_told(rule: AlertRule, *, names: dict[UUID, str]) -> list[str]:
    """Whom a rule tells, in words."""
    if rule.owner_id is not None:
        return ["You"]
    found = [names[UUID(person_id)] for person_id in rule.person_ids if UUID(person_id) in names]
    roles: list[tuple[Any, str]] = [
        (rule.tells_owner, "the owner"),
        (rule.tells_manager, "the owner’s manager"),
    ]
    return [*found, *(word for is_on, word in roles if is_on)]
