"""Where an invitation's link leads, before any organization is known: choose a password, or join as who one is."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from otc.identity.invitations.forms import ChoosePasswordForm
from otc.identity.invitations.queries import FoundInvitation, invitation_by_token
from otc.identity.invitations.services import (
    InvitationRefused,
    invitation_accept_as,
    invitation_accept_new,
)
from otc.identity.models import Invitation, User
from otc.tenancy.context import use
from otc.tenancy.models import Organization
from otc.tenancy.queries import memberships

# The same whether the password was taken or the address had one before.
SIGN_IN_NOW = (
    "Now sign in. If you signed in here before with this address, your password is still the one from then."
)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """The page of a link. One that is over, unknown or changed says so, in the same bytes."""
    if limited := ratelimit.consume_or_429(request, action="invitation"):
        return limited
    now = timezone.now()
    found = invitation_by_token(token)
    if found is None or not found.is_open(now=now):
        return _over(request, found)
    with use(found.organization_id, person_id=found.person_id, channel="ui"):
        organization = Organization.objects.get(id=found.organization_id)
        asked = Invitation.objects.select_related("person").get(id=found.id)
    context = {"organization_name": organization.name, "invited": asked.person, "email": asked.email}
    if isinstance(request.user, User):
        return _join(request, found, request.user, organization, context)
    return _choose(request, found, context)


def _over(request: HttpRequest, found: FoundInvitation | None) -> HttpResponse:
    """Whoever came in by this link and opens it again is led in; everybody else reads that it is over."""
    if found is not None and isinstance(request.user, User):
        for membership in memberships(request.user.pk, today=timezone.now().date()):
            if membership.person.id == found.person_id:
                return redirect("deals", slug=membership.organization.slug)
    return render(request, "otc/identity/invitation_over.html", status=404)


def _join(
    request: HttpRequest,
    found: FoundInvitation,
    user: User,
    organization: Organization,
    context: dict[str, object],
) -> HttpResponse:
    if request.method != "POST":
        return render(request, "otc/identity/invitation.html", context)
    try:
        invitation_accept_as(found, user, now=timezone.now())
    except InvitationRefused as refusal:
        return render(
            request, "otc/identity/invitation.html", context | {"refusal": str(refusal)}, status=422
        )
    return redirect("deals", slug=organization.slug)


def _choose(request: HttpRequest, found: FoundInvitation, context: dict[str, object]) -> HttpResponse:
    name = context["invited"].name  # type: ignore[attr-defined]  # a Person
    form = ChoosePasswordForm(request.POST or None, email=str(context["email"]), name=name)
    if request.method == "POST" and form.is_valid():
        try:
            invitation_accept_new(found, password=form.cleaned_data["password"], now=timezone.now())
        except InvitationRefused:
            return _over(request, None)
        messages.success(request, SIGN_IN_NOW)
        return redirect_to_login(request.path)
    return render(
        request, "otc/identity/invitation.html", context | {"form": form}, status=422 if form.errors else 200
    )
