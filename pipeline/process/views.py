"""Settings: how deals are meant to go here."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from otc.fields.queries import field_book
from otc.identity.tabs import settings_tabs
from otc.money.queries import corporate_currency
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from pipeline.opportunities.models import Outcome
from pipeline.process.queries import close_reasons, process_outlines
from pipeline.process.rules import BUILT_IN


def required_labels() -> dict[str, str]:
    """What every field that a stage may ask for is called."""
    custom = {field.name: field.label for field in field_book("deal").active}
    return {name: label for name, _, label in BUILT_IN} | custom


@require_safe
@page("view_settings")
def process(request: HttpRequest, slug: str) -> HttpResponse:
    """Stages with their milestones, and the closing reasons."""
    labels = dict(Outcome.choices)
    asked = required_labels()
    outlines = [
        (
            outline.process,
            [
                (
                    entry.stage,
                    entry.milestones,
                    [asked[name] for name in entry.stage.required_fields if name in asked],
                )
                for entry in outline.stages
            ],
        )
        for outline in process_outlines()
    ]
    reasons = [
        (reason, [labels.get(outcome, outcome) for outcome in reason.outcomes]) for reason in close_reasons()
    ]
    context = {
        "page_title": "Process",
        "tabs": settings_tabs(request, "process"),
        "processes": outlines,
        "reasons": reasons,
        "can_manage": tenant_of(request).may("manage_process"),
        "currency": corporate_currency(),
    }
    return render(request, "pipeline/process/process.html", context)
