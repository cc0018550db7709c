"""The people of the organization, and one of them: role, sign-in, access."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from otc.identity.factors.queries import factor_kinds
from otc.identity.factors.rules import factor_words
from otc.identity.invitations.forms import AddressForm
from otc.identity.invitations.queries import open_invitation_of, open_invitations, revoked_invitation
from otc.identity.invitations.services import invitation_reopen, invitation_revoke
from otc.identity.people.forms import TOP, LineForm, PersonForm, RoleForm
from otc.identity.people.undo import line_set_undoably, person_describe_undoably
from otc.identity.queries import members
from otc.identity.tabs import settings_tabs
from otc.tenancy.lines import lines_of
from otc.tenancy.middleware import tenant_of
from otc.tenancy.models import FOREVER, Person, Role
from otc.tenancy.services import (
    CyclicLine,
    LastAdministrator,
    person_leave,
    person_return,
    person_role_set,
)
from otc.ui.pages import page
from otc.undo.views import undo_address


def person_or_404(person_id: UUID) -> Person:
    found: Person | None = Person.objects.filter(id=person_id).first()
    if found is None:
        raise Http404
    return found


@require_safe
@page("view_settings")
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Everybody with role, manager and sign-in; above them the invitations that wait."""
    tenant = tenant_of(request)
    invitations = open_invitations()
    context = {
        "page_title": "People",
        "tabs": settings_tabs(request, "people"),
        "members": members(now=tenant.now, today=tenant.today),
        "invitations": invitations,
        "invited": {invitation.person_id for invitation in invitations},
        "now": tenant.now,
        "may_manage": tenant.may("manage_people"),
    }
    return render(request, "otc/identity/people.html", context)


def has_left(person: Person, today: date) -> bool:
    return person.left_on is not None and person.left_on <= today


def _line_of(manager_of: Mapping[UUID, UUID | None], person_id: UUID) -> dict[str, Any]:
    """What the line's form begins with: nothing where the person stands in no line."""
    return {"manager": manager_of[person_id] or TOP} if person_id in manager_of else {}


def render_person(request: HttpRequest, person: Person, **more: Any) -> HttpResponse:
    """The page of one person; `more` are forms with their errors, or a new link to copy."""
    tenant = tenant_of(request)
    context: dict[str, Any] = {
        "page_title": person.name,
        "tabs": settings_tabs(request, "people"),
        "subject": person,
        "has_left": has_left(person, tenant.today),
        "is_oneself": person.id == tenant.person.id,
        "words_form": PersonForm(
            initial={"name": person.name, "title": person.title, "territory": person.territory}
        ),
        "role_form": RoleForm(initial={"role": person.role}),
        "line_form": LineForm(
            person=person,
            today=tenant.today,
            initial=_line_of(tenant.chart.manager_of, person.id),
        ),
        "lines": lines_of(person.id),
        "zone": tenant.zone,
        "forever": FOREVER,
        "address_form": AddressForm(initial={"email": person.email}),
        "invitation": open_invitation_of(person.id),
        "may_sign_in": person.role != Role.INTEGRATION,
        "factors": factor_words(factor_kinds(person.user_id)),
        "now": tenant.now,
    } | more
    forms = [context[name] for name in ("words_form", "role_form", "address_form", "line_form")]
    has_errors = any(form.errors for form in forms)
    return render(request, "otc/identity/person.html", context, status=422 if has_errors else 200)


@require_safe
@never_cache
@page("manage_people")
def person(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """One person: role, sign-in, access."""
    return render_person(request, person_or_404(person_id))


@require_POST
@page("manage_people")
def change_words(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """Change name, title and territory."""
    found = person_or_404(person_id)
    form = PersonForm(request.POST)
    if not form.is_valid():
        return render_person(request, found, words_form=form)
    try:
        step_id = person_describe_undoably(found, **form.cleaned_data)
    except ValueError as refusal:
        form.add_error("name", str(refusal))
        return render_person(request, found, words_form=form)
    if step_id is not None:
        messages.success(request, f"{found.name} is changed.", extra_tags=undo_address(slug, step_id))
    return redirect("person", slug=slug, person_id=person_id)


@require_POST
@page("manage_people")
def change_role(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """Give the person another role; an undo names the one before in its address."""
    found = person_or_404(person_id)
    form = RoleForm({"role": request.POST.get("role") or request.GET.get("role")})
    before = found.role
    if not form.is_valid():
        return render_person(request, found, role_form=form)
    try:
        person_role_set(found, role=form.cleaned_data["role"])
    except LastAdministrator as refusal:
        form.add_error("role", str(refusal))
        return render_person(request, found, role_form=form)
    if before != found.role:
        undo = f"{reverse('person_role', kwargs={'slug': slug, 'person_id': person_id})}?role={before}"
        text = f"{found.name} is now {found.get_role_display().lower()}."
        messages.success(request, text, extra_tags=undo)
    return redirect("person", slug=slug, person_id=person_id)


@require_POST
@page("manage_people")
def change_line(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """Let the person report to `manager` from the start of the day `since` on; today begins now."""
    tenant, found = tenant_of(request), person_or_404(person_id)
    form = LineForm(request.POST, person=found, today=tenant.today)
    if not form.is_valid():
        return render_person(request, found, line_form=form)
    day = form.cleaned_data["since"]
    if day < tenant.today:
        form.add_error("since", "The past stays as it was; choose today or a later day")
        return render_person(request, found, line_form=form)
    since = tenant.now if day == tenant.today else datetime.combine(day, time(), tzinfo=tenant.zone)
    try:
        step_id = line_set_undoably(found, manager_id=form.manager_id, since=since)
    except CyclicLine as refusal:
        form.add_error("manager", str(refusal))
        return render_person(request, found, line_form=form)
    messages.success(
        request, f"{found.name} has a new reporting line", extra_tags=undo_address(slug, step_id)
    )
    return redirect("person", slug=slug, person_id=person_id)


@require_POST
@page("manage_people")
def deactivate(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """End the person's access at once; an open invitation goes with it."""
    tenant, found = tenant_of(request), person_or_404(person_id)
    if has_left(found, tenant.today):
        return redirect("people", slug=slug)
    try:
        person_leave(found, now=timezone.now(), today=tenant.today)
    except LastAdministrator as refusal:
        messages.error(request, f"{refusal}.")
        return redirect("person", slug=slug, person_id=person_id)
    invitation = open_invitation_of(found.id)
    undo = reverse("person_reactivate", kwargs={"slug": slug, "person_id": person_id})
    if invitation is not None:
        invitation_revoke(invitation, now=tenant.now)
        undo = f"{undo}?invitation={invitation.id}"
    messages.success(request, f"{found.name} no longer has access.", extra_tags=undo)
    return redirect("people", slug=slug)


@require_POST
@page("manage_people")
def reactivate(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """Let a person who left back in; an undo names the invitation that went with them, which opens again."""
    found = person_or_404(person_id)
    if found.left_on is not None:
        person_return(found)
        if (revoked := revoked_invitation(found.id, request.GET.get("invitation", ""))) is not None:
            invitation_reopen(revoked)
        messages.success(request, f"{found.name} has access again.")
    return redirect("person", slug=slug, person_id=person_id)
