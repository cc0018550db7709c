"""An administrator's side of invitations: invite somebody new or somebody known, send again, revoke."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from otc.identity.invitations.forms import AddressForm, InviteForm
from otc.identity.invitations.mail import invitation_mail
from otc.identity.invitations.services import (
    InvitationRefused,
    invitation_revoke,
    invitation_send,
)
from otc.identity.models import Invitation
from otc.identity.people.queries import managers
from otc.identity.people.views import person_or_404, render_person
from otc.identity.tabs import settings_tabs
from otc.tenancy.middleware import tenant_of
from otc.tenancy.models import Person
from otc.tenancy.services import person_create
from otc.ui.pages import page


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@page("manage_people")
def invite(request: HttpRequest, slug: str) -> HttpResponse:
    """Invite somebody new. The answer shows the link once, on the person's page."""
    found = managers()
    form = InviteForm(request.POST or None, managers=found)
    if request.method == "POST" and form.is_valid():
        address = form.cleaned_data["email"].lower()
        known = Person.objects.filter(email__iexact=address).first()
        if known is None:
            by_id = {str(person.id): person for person in found}
            person = person_create(
                name=form.cleaned_data["name"],
                role=form.cleaned_data["role"],
                manager=by_id.get(form.cleaned_data["manager"]),
                email=address,
            )
            return _send(request, person, address)
        form.add_error(
            "email", f"{known.name} of this organization has this address. Invite them from the list."
        )
    context = {"page_title": "Invite", "tabs": settings_tabs(request, "people"), "form": form}
    return render(request, "otc/identity/invite.html", context, status=422 if form.errors else 200)


@require_POST
@never_cache
@page("manage_people")
def invite_person(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """Invite a person without a sign-in, or send an open invitation again with a new link."""
    person = person_or_404(person_id)
    form = AddressForm(request.POST)
    if not form.is_valid():
        return render_person(request, person, address_form=form)
    try:
        return _send(request, person, form.cleaned_data["email"])
    except InvitationRefused as refusal:
        form.add_error("email", f"{refusal}.")
        return render_person(request, person, address_form=form)


def _send(request: HttpRequest, person: Person, email: str) -> HttpResponse:
    tenant = tenant_of(request)
    issued = invitation_send(person, email=email, now=tenant.now, today=tenant.today)
    link = request.build_absolute_uri(reverse("invitation", kwargs={"token": issued.token}))
    was_mailed = invitation_mail(
        issued.invitation.email,
        link=link,
        person=person,
        inviter=tenant.person,
        organization=tenant.organization,
    )
    return render_person(request, person, link=link, was_mailed=was_mailed)


@require_POST
@page("manage_people")
def revoke(request: HttpRequest, slug: str, invitation_id: UUID) -> HttpResponse:
    """End an open invitation: its link stops working."""
    found = Invitation.objects.select_related("person").filter(id=invitation_id).first()
    if found is None:
        raise Http404
    invitation_revoke(found, now=tenant_of(request).now)
    messages.success(request, f"The link for {found.person.name} no longer works.")
    return redirect("people", slug=slug)
