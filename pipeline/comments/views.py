"""What is said on a deal's page: a comment, its change, and the names that an @ offers."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from otc.tenancy.middleware import tenant_of
from otc.tenancy.models import Person
from otc.tenancy.services import fold
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.comments.models import DealComment
from pipeline.comments.rules import LONGEST_COMMENT
from pipeline.comments.services import Said, comment_add, comment_delete, comment_edit
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.views.answers import deal_or_404
from pipeline.opportunities.views.rooms import room_form, room_saved
from pipeline.team.audience import people_seeing

ROOM = "timeline"
MOST_OFFERED = 8


@page("comment_deal")
def deal_comment_new(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/comments/`: GET the box on a page of its own, POST `text`."""
    deal = deal_or_404(request, deal_id)
    if request.method != "POST":
        return ask(request, deal)
    tenant = tenant_of(request)
    try:
        said = comment_add(
            deal_id, text=request.POST.get("text", ""), audience=audience(request, deal), now=tenant.now
        )
    except Refused as refusal:
        return ask(request, deal, refusal=refusal)
    return done(request, deal, said, "Said")


@page("comment_deal")
def deal_comment(request: HttpRequest, slug: str, deal_id: UUID, comment_id: UUID) -> HttpResponse:
    """`/deals/<id>/comments/<comment>/`: GET the form of one's own, POST `text` changes it, `remove` deletes it."""
    deal = deal_or_404(request, deal_id)
    comment = DealComment.objects.filter(
        id=comment_id, opportunity_id=deal_id, deleted_at__isnull=True
    ).first()
    if comment is None or comment.author_id != tenant_of(request).person.id:
        raise Http404
    if request.method != "POST":
        return ask(request, deal, comment=comment)
    now = tenant_of(request).now
    if "remove" in request.POST:
        return done(request, deal, comment_delete(deal_id, comment_id, now=now), "Comment deleted")
    try:
        said = comment_edit(
            deal_id,
            comment_id,
            text=request.POST.get("text", ""),
            audience=audience(request, deal),
            now=now,
        )
    except Refused as refusal:
        return ask(request, deal, comment=comment, refusal=refusal)
    return done(request, deal, said, "Comment changed" if said.step else "")


@page("comment_deal")
def deal_people(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/comments/people/?q=an`: who may be meant, as the options of a list box."""
    deal = deal_or_404(request, deal_id)
    wanted = fold(request.GET.get("q", "")[:100].replace("\x00", ""))
    found = [
        person
        for person in audience(request, deal)
        if any(part.startswith(wanted) for part in (person.name_folded, *person.name_folded.split()))
    ]
    return render(request, "pipeline/comments/_people.html", {"people": found[:MOST_OFFERED]})


def audience(request: HttpRequest, deal: Opportunity) -> list[Person]:
    """Who may see the deal, and so may be mentioned on it."""
    tenant = tenant_of(request)
    return people_seeing(deal, organization=tenant.organization, chart=tenant.chart, today=tenant.today)


def ask(
    request: HttpRequest,
    deal: Opportunity,
    *,
    comment: DealComment | None = None,
    refusal: Refused | None = None,
) -> HttpResponse:
    """The box; 422 with what was typed when `refusal` says why."""
    typed = request.POST.get("text", comment.text if comment else "")
    return room_form(
        request,
        deal,
        "pipeline/comments/_form.html",
        {"comment": comment, "text": typed, "refusal": refusal, "longest": LONGEST_COMMENT},
        title=f"Comment on {deal.name}",
        is_refused=refusal is not None,
    )


def done(request: HttpRequest, deal: Opportunity, said: Said, words: str) -> HttpResponse:
    if words and said.unknown:
        names = ", ".join(f"“@{name}”" for name in said.unknown[:5])
        words = f"{words}. {names} is nobody who may see this deal, or more than one: nobody was told"
    undo = undo_address(tenant_of(request).organization.slug, said.step)
    return room_saved(request, deal.id, room=ROOM, said=words, undo=undo)
