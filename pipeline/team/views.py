"""What is posted from the deal team's panel on a deal's page; each answer leads back there."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.views.answers import back, deal_or_404, deal_url
from pipeline.opportunities.views.rooms import room_form
from pipeline.team.forms import PARTS, TeamMemberForm
from pipeline.team.models import DealTeamMember
from pipeline.team.rules import TeamRefused
from pipeline.team.services import team_member_add, team_member_remove, team_member_restore


def editable_deal(request: HttpRequest, deal_id: UUID) -> Opportunity:
    """The deal, if it is visible; 403 where one may not edit its team."""
    deal = deal_or_404(request, deal_id)
    if not tenant_of(request).may_on("edit_team", deal.owner_id):
        raise PermissionDenied
    return deal


@page("edit_team")
def deal_team_add(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/team/`: GET the form, POST `person` and `part`."""
    deal = editable_deal(request, deal_id)
    if request.method != "POST":
        context = {"form": TeamMemberForm(), "usual_parts": PARTS}
        title = f"Add a colleague to {deal.name}"
        return room_form(request, deal, "pipeline/team/_member_form.html", context, title=title)
    form = TeamMemberForm(request.POST)
    if not form.is_valid():
        return back(request, deal_url(request, deal_id), failed="Choose who, and say what they do here")
    try:
        member = team_member_add(
            deal.id, person_id=form.person_id, part=form.cleaned_data["part"], now=tenant_of(request).now
        )
    except TeamRefused as refusal:
        return back(request, deal_url(request, deal_id), failed=refusal.reason)
    said = f"{member.person.name} is on the team of {deal.name} as {member.part}"
    undo = reverse("deal_team_remove", args=[slug, deal_id, member.id])
    return back(request, deal_url(request, deal_id), said=said, undo=undo)


@require_POST
@page("edit_team")
def deal_team_remove(request: HttpRequest, slug: str, deal_id: UUID, member_id: UUID) -> HttpResponse:
    """Take somebody off the team."""
    deal = editable_deal(request, deal_id)
    try:
        member = team_member_remove(deal.id, member_id, now=tenant_of(request).now)
    except DealTeamMember.DoesNotExist as missing:
        raise Http404 from missing
    said = f"{member.person.name} is no longer on the team of {deal.name}"
    undo = reverse("deal_team_restore", args=[slug, deal_id, member.id])
    return back(request, deal_url(request, deal_id), said=said, undo=undo)


@require_POST
@page("edit_team")
def deal_team_restore(request: HttpRequest, slug: str, deal_id: UUID, member_id: UUID) -> HttpResponse:
    """Undo of a removal."""
    deal = editable_deal(request, deal_id)
    try:
        member = team_member_restore(deal.id, member_id)
    except DealTeamMember.DoesNotExist as missing:
        raise Http404 from missing
    except TeamRefused as refusal:
        return back(request, deal_url(request, deal_id), failed=refusal.reason)
    return back(request, deal_url(request, deal_id), said=f"{member.person.name} is on the team again")
