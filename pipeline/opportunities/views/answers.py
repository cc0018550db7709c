"""How a write is answered: a toast with Undo where htmx asked, else back to where one came from."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from otc.tenancy.middleware import Tenant, tenant_of
from pipeline.opportunities.holding import Held, hold
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.queries import RELATED, visible_opportunity


def deal_or_404(request: HttpRequest, deal_id: UUID, *, related: Sequence[str] = RELATED) -> Opportunity:
    """The deal, if it is there, not deleted, and visible, with its `related` rows."""
    deal = visible_opportunity(deal_id, visible=tenant_of(request).visible, related=related)
    if deal is None:
        raise Http404
    return deal


def held_or_404(request: HttpRequest, deal_id: UUID) -> Held:
    """The same deal, held for a change."""
    try:
        return hold(deal_id, visible=tenant_of(request).visible)
    except Opportunity.DoesNotExist as problem:
        raise Http404 from problem


def tenant_after_write(request: HttpRequest) -> Tenant:
    """The request's tenant with the clock read again: what was just written lies behind the request's start.

    Whom the person sees stays as the request found it.
    """
    tenant = tenant_of(request)
    after = replace(tenant, now=timezone.now())
    after.standing = tenant.standing
    return after


def is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def deal_url(request: HttpRequest, deal_id: UUID) -> str:
    return reverse("deal", args=[tenant_of(request).organization.slug, deal_id])


def undo_url(request: HttpRequest, deal_id: UUID, before: UUID | None) -> str:
    """Where Undo posts to; empty where there is nothing to go back to."""
    if before is None:
        return ""
    return reverse("deal_undo", args=[tenant_of(request).organization.slug, deal_id, before])


def toast(request: HttpRequest, text: str, *, undo: str = "", is_error: bool = False) -> str:
    """A toast for an htmx answer."""
    context = {"text": text, "undo_url": undo, "oob": True, "is_error": "error" if is_error else ""}
    return render_to_string("ui/toast.html", context, request=request)


def back(
    request: HttpRequest,
    fallback: str,
    *,
    said: str = "",
    undo: str = "",
    failed: str = "",
    has_origin: bool = True,
) -> HttpResponse:
    """Redirect to `next`, else to the page one came from, else to `fallback`, with a message there.

    The message bears the address of its Undo as its extra tag. `has_origin` is False where one came from a
    form or a deal that is done with: then only `next` goes before `fallback`.
    """
    if said:
        messages.success(request, said, extra_tags=undo)
    if failed:
        messages.error(request, failed)
    origin = request.headers.get("Referer") if has_origin else None
    for target in (request.POST.get("next"), request.GET.get("next"), origin):
        if target and url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
            return redirect(target)
    return redirect(fallback)
