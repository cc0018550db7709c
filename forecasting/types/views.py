"""Forecast types in the settings: which there are, and a new or another filter, whose difference is shown first."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from forecasting.types.difference import TypeDifference, type_difference
from forecasting.types.forms import TypeForm, initial_of
from forecasting.types.models import ForecastType
from forecasting.types.queries import filters_of
from forecasting.types.rules import Conditions
from forecasting.types.services import (
    Changed,
    conditions_read,
    forecast_type_change,
    forecast_type_create,
    forecast_type_restore,
    forecast_type_retire,
)
from otc.calendar.rules import following
from otc.fields.queries import field_book
from otc.fields.rules import PREFIX
from otc.identity.tabs import settings_tabs
from otc.question import ask
from otc.tenancy.middleware import Tenant, tenant_of
from otc.ui.bar import answers_bad_questions
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.opportunities.models import Product
from pipeline.opportunities.rules import Refused
from pipeline.process.columns import LABELS
from pipeline.process.models import Process, Stage

SHOWN = ("closed", "commit_cumulative", "best_case_cumulative", "open")
WORDS = {
    "kind": "Kind",
    "source": "Source",
    "product_id": "Product",
    "process_id": "Process",
    "stage_id": "Stage",
}


@require_http_methods(["GET", "HEAD", "POST"])
@page("manage_forecast_types")
@answers_bad_questions
def forecast_types(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/forecasts/`: the types and a form. By POST what it would change; with `act=save` it is written."""
    tenant = tenant_of(request)
    every = list(ForecastType.objects.order_by("position", "id"))
    conditions = filters_of(every)
    edited = next((one for one in every if one.slug == request.GET.get("type")), None)
    initial = initial_of(edited.name, conditions.get(edited.id, {})) if edited else None
    form = TypeForm(request.POST or None, organization=tenant.organization, initial=initial)
    differences: list[TypeDifference] = []
    if request.method == "POST" and form.is_valid():
        try:
            wanted = conditions_read(tenant.organization, form.conditions())
            if request.POST.get("act") == "save":
                return saved(request, _write(tenant, edited, form.cleaned_data["name"], form.conditions()))
            differences = differences_of(tenant, edited, wanted)
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.reason)
    names = names_of(tenant)
    context = {
        "page_title": "Forecasts",
        "tabs": settings_tabs(request, "forecast_types"),
        "form": form,
        "edited": edited,
        "types": [(one, in_words(conditions.get(one.id, {}), names)) for one in every],
        "differences": [shown(one) for one in differences],
        "columns": [LABELS[column] for column in SHOWN],
    }
    status = 422 if form.errors else 200
    return render(request, "forecasting/types/types.html", context, status=status)


def _write(
    tenant: Tenant, edited: ForecastType | None, name: str, conditions: Mapping[str, list[str]]
) -> Changed:
    said: dict[str, Any] = {
        "author": tenant.person,
        "name": name,
        "conditions": conditions,
        "now": tenant.now,
    }
    if edited is None:
        made = forecast_type_create(tenant.organization, **said)
        return Changed(made, f"The forecast of {made.name} is there", None)
    locked = ForecastType.objects.select_for_update().get(id=edited.id)
    return forecast_type_change(tenant.organization, type_=locked, **said)


@require_POST
@page("manage_forecast_types")
def forecast_type_offer(request: HttpRequest, slug: str, type_id: UUID) -> HttpResponse:
    """`act=retire` no longer offers a type, `act=restore` offers it again."""
    type_ = ForecastType.objects.select_for_update().filter(id=type_id).first()
    if type_ is None:
        raise Http404
    if request.POST.get("act") == "retire":
        return saved(request, forecast_type_retire(type_, now=tenant_of(request).now))
    return saved(request, forecast_type_restore(type_))


def saved(request: HttpRequest, changed: Changed) -> HttpResponse:
    slug = tenant_of(request).organization.slug
    messages.success(request, changed.said, extra_tags=undo_address(slug, changed.undo_id))
    return redirect("forecast_types", slug=slug)


def differences_of(
    tenant: Tenant, edited: ForecastType | None, conditions: Conditions
) -> list[TypeDifference]:
    """This period and the next."""
    question = ask(tenant, {})
    periods = (question.period, following(question.period))
    return [
        type_difference(question, period=period, type_=edited, conditions=conditions) for period in periods
    ]


def shown(one: TypeDifference) -> dict[str, Any]:
    return {
        "one": one,
        "cells": [(one.before[column], one.after[column]) for column in SHOWN],
    }


def names_of(tenant: Tenant) -> dict[str, str]:
    """What ids and fields in conditions are called."""
    found = {
        str(one): name
        for model in (Product, Process, Stage)
        for one, name in model.objects.values_list("id", "name")
    }
    return found | {f"{PREFIX}{own.key}": own.name for own in field_book("deal", tenant.organization).fields}


def in_words(conditions: Conditions, names: Mapping[str, str]) -> list[str]:
    """A line a condition: Kind is Renewal or Upsell."""
    return [
        f"{WORDS.get(name) or names.get(name, name)} is {' or '.join(names.get(one, one) for one in values)}"
        for name, values in conditions.items()
    ]
