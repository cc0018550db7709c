"""An administrator takes away the second factors of somebody who lost device and codes."""

from uuid import UUID

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from otc.identity.factors.services import ResetRefused, person_factors_reset
from otc.identity.people.views import person_or_404
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page


@require_POST
@page("manage_people")
def reset(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """Remove them all. An administrator whose last proof is too old gives it again, as for factors of their own."""
    tenant, person = tenant_of(request), person_or_404(person_id)
    back = f"{reverse('person', kwargs={'slug': slug, 'person_id': person_id})}#factors"
    if not did_recently_reauthenticate(request):
        messages.info(request, f"Show that it is you, then remove {person.name}’s second factors.")
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({REDIRECT_FIELD_NAME: back})}")
    try:
        done = person_factors_reset(person, by=tenant.person, now=tenant.now)
    except ResetRefused as refusal:
        messages.error(request, f"{refusal}.")
        return redirect(back)
    if done.kinds:
        messages.success(request, f"Removed: {done.words}. {person.name} is told by mail.")
    else:
        messages.info(request, f"{person.name} has no second factor.")
    return redirect(back)
