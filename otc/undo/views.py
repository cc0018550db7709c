"""The address behind every Undo."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from otc.undo.models import UndoStep
from otc.undo.registry import CantUndo
from otc.undo.services import undo_take


def undo_address(slug: str, step_id: UUID | None) -> str:
    """Where a toast's Undo posts to; empty where nothing is to be undone."""
    return reverse("undo", args=[slug, step_id]) if step_id else ""


@require_POST
@page("view_deals")
def undo(request: HttpRequest, slug: str, step_id: UUID) -> HttpResponse:
    """Undo, then back to where one was. What the act's own services refuse stays refused."""
    tenant = tenant_of(request)
    try:
        with transaction.atomic():
            said = undo_take(step_id, person_id=tenant.person.id, may=tenant.may, now=timezone.now())
    except UndoStep.DoesNotExist:
        raise Http404 from None
    except CantUndo as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
    origin = request.POST.get("next") or request.headers.get("Referer") or ""
    is_ours = url_has_allowed_host_and_scheme(origin, {request.get_host()}, request.is_secure())
    return redirect(origin if is_ours else f"/o/{slug}/")
