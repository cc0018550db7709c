"""The rhythm of the forecast, in the settings."""

from dataclasses import asdict

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from forecasting.rhythm.forms import RhythmForm
from forecasting.rhythm.queries import beat_now
from forecasting.rhythm.rules import WEEKDAYS
from forecasting.rhythm.services import UNDO, rhythm_set
from otc.identity.tabs import settings_tabs
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from otc.undo.services import undo_offer
from otc.undo.views import undo_address


@require_http_methods(["GET", "HEAD", "POST"])
@page("manage_rhythm")
def rhythm(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/rhythm/`: read and, by POST, changed; it holds from then on."""
    tenant = tenant_of(request)
    beat = beat_now()
    form = RhythmForm(request.POST or None, initial=asdict(beat))
    if request.method == "POST" and form.is_valid():
        before = rhythm_set(tenant.organization, form.beat(), now=tenant.now)
        payload = {"before": asdict(before), "after": asdict(form.beat())}
        step = undo_offer(UNDO, said="The rhythm is as it was", payload=payload)
        messages.success(request, "Saved: it holds from now on", extra_tags=undo_address(slug, step))
        return redirect("rhythm", slug=slug)
    context = {
        "page_title": "Rhythm",
        "tabs": settings_tabs(request, "rhythm"),
        "form": form,
        "beat": beat,
        "call_day": WEEKDAYS[beat.call_weekday],
        "mail_day": WEEKDAYS[beat.mail_weekday],
    }
    return render(request, "forecasting/rhythm/rhythm.html", context, status=422 if form.errors else 200)
