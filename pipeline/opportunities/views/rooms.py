"""What the rooms around a deal share: a form that stands in its page or as a page, and the page after a write."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.views.answers import back, deal_url, is_htmx, toast
from pipeline.opportunities.views.deal import deal_main


def room_form(
    request: HttpRequest,
    deal: Opportunity,
    template: str,
    context: dict[str, Any],
    *,
    title: str,
    is_refused: bool = False,
) -> HttpResponse:
    """`template` is the form as a fragment, put into a page of its own where htmx didn't ask; 422 when refused."""
    shown = context | {
        "deal": deal,
        "page_title": title,
        "fragment": template,
        "home": deal_url(request, deal.id),
    }
    name = template if is_htmx(request) else "pipeline/opportunities/room.html"
    return render(request, name, shown, status=422 if is_refused else 200)


def room_saved(
    request: HttpRequest, deal_id: UUID, *, room: str, said: str = "", undo: str = "", failed: str = ""
) -> HttpResponse:
    """The deal's page again with a toast for htmx, else a redirect to the room's place on it."""
    if is_htmx(request):
        spoken = toast(request, said or failed, undo=undo, is_error=bool(failed)) if said or failed else ""
        return deal_main(request, deal_id, edited=room, beside=spoken)
    home = f"{deal_url(request, deal_id)}#{room}"
    return back(request, home, said=said, undo=undo, failed=failed, has_origin=False)
