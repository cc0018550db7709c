"""What is asked for and posted from the products' panel of a deal's page."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.lines.forms import LineForm
from pipeline.lines.models import DealLine
from pipeline.lines.services import amount_follow, line_add, line_change, line_remove
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.views.answers import deal_or_404
from pipeline.opportunities.views.rooms import room_form, room_saved

ROOM = "products"


@page("edit_deal")
def deal_line_new(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/lines/new/`: GET the form, POST a product onto the deal."""
    deal = deal_or_404(request, deal_id)
    if request.method != "POST":
        return ask(request, deal, LineForm(deal=deal))
    form = LineForm(request.POST, deal=deal)
    try:
        if not form.is_valid() or form.terms is None:
            return ask(request, deal, form)
        written = line_add(deal_id, product_id=form.product_id, terms=form.terms, now=tenant_of(request).now)
    except Refused as refusal:
        return ask(request, deal, form, refusal=refusal)
    said = f"{form.cleaned_data['product'].name} is on {deal.name}"
    return room_saved(request, deal_id, room=ROOM, said=said, undo=undo_address(slug, written.step))


@page("edit_deal")
def deal_line(request: HttpRequest, slug: str, deal_id: UUID, line_id: UUID) -> HttpResponse:
    """`/deals/<id>/lines/<line>/`: GET the form of a line, POST changes it, with `remove` takes it off."""
    deal = deal_or_404(request, deal_id)
    line = DealLine.objects.select_related("product").filter(id=line_id, opportunity_id=deal_id).first()
    if line is None:
        raise Http404
    if request.method != "POST":
        return ask(request, deal, LineForm(deal=deal, instance=line), line=line)
    now = tenant_of(request).now
    form = LineForm(request.POST, deal=deal, instance=line)
    try:
        if "remove" in request.POST:
            step, said = (
                line_remove(deal_id, line_id, now=now).step,
                f"{line.product.name} is off {deal.name}",
            )
            return room_saved(request, deal_id, room=ROOM, said=said, undo=undo_address(slug, step))
        if not form.is_valid() or form.terms is None:
            return ask(request, deal, form, line=line)
        written = line_change(deal_id, line_id, product_id=form.product_id, terms=form.terms, now=now)
    except Refused as refusal:
        return ask(request, deal, form, line=line, refusal=refusal)
    said = f"{line.product.name} is changed" if written.step else ""
    return room_saved(request, deal_id, room=ROOM, said=said, undo=undo_address(slug, written.step))


@require_POST
@page("edit_deal")
def deal_lines_follow(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """POST `follows` (yes or no): whether the deal's amount is what its products come to."""
    deal = deal_or_404(request, deal_id)
    follows = request.POST.get("follows") == "yes"
    try:
        step = amount_follow(deal_id, follows=follows)
    except Refused as refusal:
        return room_saved(request, deal_id, room=ROOM, failed=refusal.reason)
    said = f"The amount of {deal.name} {'follows its products' if follows else 'stands by itself'}"
    return room_saved(request, deal_id, room=ROOM, said=said, undo=undo_address(slug, step))


def ask(
    request: HttpRequest,
    deal: Opportunity,
    form: LineForm,
    *,
    line: DealLine | None = None,
    refusal: Refused | None = None,
) -> HttpResponse:
    """The form; 422 with what was typed where it can't be so."""
    if refusal is not None:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.reason)
    title = f"{line.product.name} on {deal.name}" if line else f"Add a product to {deal.name}"
    return room_form(
        request,
        deal,
        "pipeline/lines/_form.html",
        {"form": form, "line": line, "offered": form.offered},
        title=title,
        is_refused=form.is_bound,
    )
