"""Settings: how deals are meant to go here."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from otc.identity.tabs import settings_tabs
from otc.ui.pages import page
from pipeline.opportunities.models import Outcome
from pipeline.process.queries import close_reasons, process_outlines


@require_safe
@page("view_settings")
def process(request: HttpRequest, slug: str) -> HttpResponse:
    """Stages with their milestones, and the closing reasons."""
    labels = dict(Outcome.choices)
    reasons = [
        (reason, [labels.get(outcome, outcome) for outcome in reason.outcomes]) for reason in close_reasons()
    ]
    context = {
        "page_title": "Process",
        "tabs": settings_tabs(request, "process"),
        "processes": process_outlines(),
        "reasons": reasons,
    }
    return render(request, "pipeline/process/process.html", context)
