"""What is posted from the links on a deal's page."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.links.models import DealLink
from pipeline.links.services import link_add, link_remove
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.views.answers import deal_or_404
from pipeline.opportunities.views.rooms import room_form, room_saved

ROOM = "links"


@page("edit_deal")
def deal_link_new(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/links/new/`: GET the form, POST `url` and `name`."""
    deal = deal_or_404(request, deal_id)
    if request.method != "POST":
        return ask(request, deal)
    name, url = request.POST.get("name", ""), request.POST.get("url", "")
    try:
        written = link_add(deal_id, name=name, url=url, now=tenant_of(request).now)
    except Refused as refusal:
        return ask(request, deal, refusal=refusal)
    said, undo = f"{written.link.name} is on {deal.name}", undo_address(slug, written.step)
    return room_saved(request, deal_id, room=ROOM, said=said, undo=undo)


@require_POST
@page("edit_deal")
def deal_link_remove(request: HttpRequest, slug: str, deal_id: UUID, link_id: UUID) -> HttpResponse:
    """Take a link off."""
    deal = deal_or_404(request, deal_id)
    try:
        written = link_remove(deal_id, link_id, now=tenant_of(request).now)
    except DealLink.DoesNotExist as missing:
        raise Http404 from missing
    said, undo = f"{written.link.name} is off {deal.name}", undo_address(slug, written.step)
    return room_saved(request, deal_id, room=ROOM, said=said, undo=undo)


def ask(request: HttpRequest, deal: Opportunity, *, refusal: Refused | None = None) -> HttpResponse:
    """The form; 422 with what was typed when `refusal` says why."""
    return room_form(
        request,
        deal,
        "pipeline/links/_form.html",
        {"name": request.POST.get("name", ""), "url": request.POST.get("url", ""), "refusal": refusal},
        title=f"Add a link to {deal.name}",
        is_refused=refusal is not None,
    )
