"""Settings: the closing reasons, each on a page of its own."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from otc.identity.tabs import settings_tabs
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import CloseReason
from pipeline.reasons.forms import ReasonForm
from pipeline.reasons.services import Unfit, reason_change, reason_new, reason_restore, reason_retire


def reason_or_404(reason_id: UUID) -> CloseReason:
    reason: CloseReason | None = CloseReason.objects.filter(id=reason_id).first()
    if reason is None:
        raise Http404
    return reason


@require_http_methods(["GET", "HEAD", "POST"])
@page("manage_process")
def reason_add(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/process/reasons/new/`."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            reason, step = reason_new(**form.cleaned_data)
            return done(request, f"{reason.name} added", step)
        except Unfit as unfit:
            form.add_error(unfit.field or None, unfit.reason)
    return shown(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@page("manage_process")
def reason_edit(request: HttpRequest, slug: str, reason_id: UUID) -> HttpResponse:
    """`/settings/process/reasons/<id>/`: its name and when it is asked; deals closed for it bear the new name."""
    reason = reason_or_404(reason_id)
    initial = {name: getattr(reason, name) for name in ReasonForm.base_fields}
    form = ReasonForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            changed, step = reason_change(reason.id, **form.cleaned_data)
            return done(request, f"{changed.name} changed", step)
        except Unfit as unfit:
            form.add_error(unfit.field or None, unfit.reason)
    return shown(request, form, reason)


@require_POST
@page("manage_process")
def reason_use(request: HttpRequest, slug: str, reason_id: UUID) -> HttpResponse:
    """POST `retired=1` takes it out of use, anything else offers it again."""
    reason = reason_or_404(reason_id)
    try:
        if request.POST.get("retired"):
            _, step = reason_retire(reason.id, now=tenant_of(request).now)
            return done(request, f"{reason.name} retired", step)
        _, step = reason_restore(reason.id)
        return done(request, f"{reason.name} is in use again", step)
    except Unfit as unfit:
        messages.error(request, unfit.reason)
        return redirect("process", slug=slug)


def done(request: HttpRequest, said: str, step: UUID | None) -> HttpResponse:
    slug = tenant_of(request).organization.slug
    messages.success(request, said, extra_tags=undo_address(slug, step))
    return redirect("process", slug=slug)


def shown(request: HttpRequest, form: ReasonForm, reason: CloseReason | None) -> HttpResponse:
    context = {
        "page_title": reason.name if reason else "New closing reason",
        "tabs": settings_tabs(request, "process"),
        "form": form,
        "reason": reason,
        "closed": Opportunity.objects.filter(reason_id=reason.id).count() if reason else 0,
    }
    return render(request, "pipeline/reasons/reason.html", context, status=422 if form.errors else 200)
