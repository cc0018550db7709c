"""What is posted from the buying team's panel on a deal's page; each answer leads back there."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from pipeline.accounts.models import Contact
from pipeline.buying.forms import BuyingRoleForm
from pipeline.buying.models import BuyingRole, Part
from pipeline.buying.services import (
    Written,
    buying_role_add,
    buying_role_change,
    buying_role_remove,
    buying_role_undo,
)
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.views.answers import back, deal_or_404, deal_url

INCOMPLETE = "Choose who, and which part they play"


@require_POST
@page("edit_deal")
def buying_role_new(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """Give `contact` a part in the deal."""
    deal_or_404(request, deal_id)
    form = BuyingRoleForm(request.POST, contacts=list(Contact.objects.filter(id=_contact_id(request))))
    if not form.is_valid():
        return _team(request, deal_id, failed=INCOMPLETE)
    try:
        written = buying_role_add(
            deal_id, contact_id=form.contact_id, now=tenant_of(request).now, **form.changes
        )
    except Refused as refusal:
        return _team(request, deal_id, failed=refusal.reason)
    return _done(request, deal_id, written, "{name} is {part} now")


@require_POST
@page("edit_deal")
def buying_role_edit(request: HttpRequest, slug: str, deal_id: UUID, buying_role_id: UUID) -> HttpResponse:
    """Change a part, or with `remove` end it."""
    deal_or_404(request, deal_id)
    now = tenant_of(request).now
    try:
        if "remove" in request.POST:
            written = buying_role_remove(deal_id, buying_role_id, now=now)
            return _done(request, deal_id, written, "{name} is no longer {part}")
        present = BuyingRole.objects.get(id=buying_role_id, opportunity_id=deal_id)
        form = BuyingRoleForm(request.POST, instance=present)
        if not form.is_valid():
            return _team(request, deal_id, failed=INCOMPLETE)
        written = buying_role_change(deal_id, buying_role_id, changes=form.changes, now=now)
    except BuyingRole.DoesNotExist:
        raise Http404 from None
    except Refused as refusal:
        return _team(request, deal_id, failed=refusal.reason)
    return _done(request, deal_id, written, "{name} is {part} now")


@require_POST
@page("edit_deal")
def buying_team_undo(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """Take back the last change of the team, as its message offers."""
    deal_or_404(request, deal_id)
    try:
        buying_role_undo(
            deal_id,
            made_id=_asked_id(request, "made"),
            ended_id=_asked_id(request, "ended"),
            now=tenant_of(request).now,
        )
    except Refused as refusal:
        return _team(request, deal_id, failed=refusal.reason)
    return _team(request, deal_id, said="The buying team is as it was before")


def _done(request: HttpRequest, deal_id: UUID, written: Written, words: str) -> HttpResponse:
    """Say what was done, with the address that takes it back; nothing was, where nothing differed."""
    role = written.made or written.ended
    if role is None:
        return _team(request, deal_id)
    said = words.format(name=role.contact.name, part=Part(role.role).label.lower())
    asked = {"made": written.made, "ended": written.ended}
    query = urlencode({name: found.id for name, found in asked.items() if found is not None})
    undo = reverse("buying_team_undo", args=[tenant_of(request).organization.slug, deal_id])
    return _team(request, deal_id, said=said, undo=f"{undo}?{query}")


def _team(
    request: HttpRequest, deal_id: UUID, *, said: str = "", undo: str = "", failed: str = ""
) -> HttpResponse:
    return back(request, f"{deal_url(request, deal_id)}#buying-team", said=said, undo=undo, failed=failed)


def _contact_id(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.POST.get("contact", ""))
    except ValueError:
        return None


def _asked_id(request: HttpRequest, name: str) -> UUID | None:
    given = request.POST.get(name) or request.GET.get(name)
    if not given:
        return None
    try:
        return UUID(given)
    except ValueError as problem:
        raise Http404 from problem
