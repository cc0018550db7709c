"""Changing the deals that were picked in the list: one field of all of them, or into the trash."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from otc.fields.queries import Book
from otc.question import BadQuestion
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.fields.forms import INPUT
from pipeline.opportunities.bulk import (
    MOST_DEALS,
    Bulk,
    SomeRefused,
    deals_delete,
    deals_edit,
    deals_to_change,
)
from pipeline.opportunities.cells import CELLS, Cell, Typing, cell_named, own_stages
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.report import matching_ids
from pipeline.opportunities.views.answers import back, is_htmx
from pipeline.opportunities.views.frame import frame_of

# In the order of the bar. Names and amounts are each deal's own.
FIELDS = ("close", "stage", "category", "owner", "next", "next-on")
DELETE = "delete"


@page("edit_deal")
def deals_bulk(request: HttpRequest, slug: str) -> HttpResponse:
    """`/deals/bulk/`: GET the form for `field` of the picked deals, POST the value.

    `deal` names a deal each; `all` takes every one that `query`, the list's address, shows.
    """
    asked = request.POST if request.method == "POST" else request.GET
    try:
        deals = picked(request, asked)
        field = asked.get("field", "")
        cell = None if field == DELETE else cell_of(field)
    except BadQuestion as problem:
        # Asked without picks, the page says how to pick.
        return answer(request, {"error": problem.message}, status=422 if request.method == "POST" else 200)
    if request.method != "POST":
        return answer(request, form_of(field, cell, deals))
    if field == DELETE:
        return done(request, deals_delete(deals, said=f"{told(len(deals))} deleted"), "deleted")
    assert cell is not None
    return change(request, field, cell, deals)


def picked(request: HttpRequest, asked: QueryDict) -> list[Opportunity]:
    """The deals that are meant, those in sight. Raises BadQuestion for none, too many, or the past."""
    if asked.get("all"):
        framed = frame_of(tenant_of(request), QueryDict(asked.get("query", "")))
        if framed.question.is_past:
            raise BadQuestion("as_of", "The past can’t be changed; go back to now first")
        ids = matching_ids(framed.question, framed.asked, since=framed.since, limit=MOST_DEALS + 1)
    else:
        ids = [as_id(text) for text in asked.getlist("deal")]
    if len(ids) > MOST_DEALS:
        raise BadQuestion("deal", f"At most {MOST_DEALS} deals are changed at once; narrow the list first")
    deals = deals_to_change(ids, visible=tenant_of(request).visible)
    if not deals:
        raise BadQuestion("deal", "Pick the deals first: X, or a click on their owner’s initials")
    return deals


def as_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as problem:
        raise BadQuestion("deal", "That is no deal; pick them in the list again") from problem


def cell_of(field: str) -> Cell:
    """What can be set on many deals. Raises BadQuestion."""
    cell = cell_named(field) if field in FIELDS or field.startswith(INPUT) else None
    if cell is None:
        raise BadQuestion("field", "Choose what to change")
    return cell


def change(request: HttpRequest, field: str, cell: Cell, deals: Sequence[Opportunity]) -> HttpResponse:
    tenant, typed = tenant_of(request), request.POST.get("value", "").strip()
    clears = "clear" in request.POST
    if not typed and not clears:
        return answer(request, form_of(field, cell, deals) | {"error": "Say what it should be"}, status=422)

    def wanted(deal: Opportunity) -> Mapping[str, Any] | None:
        typing = Typing(deal, tenant.organization, tenant.today, tenant.calendar)
        value = cell.read("" if clears else typed, typing)
        return None if value == cell.present(deal) else cell.changes(value)

    said = f"{cell.label} of {told(len(deals))} {'cleared' if clears else 'changed'}"
    try:
        bulk = deals_edit(deals, changes=wanted, said=said, skips_refused="rest" in request.POST)
    except SomeRefused as problem:
        context = form_of(field, cell, deals) | {
            "value": typed,
            "clears": clears,
            "refused": problem.refused,
            "others": problem.others,
        }
        return answer(request, context, status=422)
    return done(request, bulk, f"{cell.label.lower()} {'cleared' if clears else 'changed'}")


def form_of(field: str, cell: Cell | None, deals: Sequence[Opportunity]) -> dict[str, Any]:
    """What the form shows: the field, the values that every picked deal can take, and the deals."""
    context: dict[str, Any] = {"field": field, "deals": deals, "count": told(len(deals))}
    if cell is None:
        return context
    choices = common_choices(cell, deals)
    return context | {
        "cell": cell,
        "choices": [choice for choice in choices if choice[0]],
        "can_clear": cell.kind != "choice" or any(not key for key, _ in choices),
        "currency": cell.currency(deals[0]),
    }


def common_choices(cell: Cell, deals: Sequence[Opportunity]) -> list[tuple[str, str]]:
    """What can be chosen for all of them: deals of other processes have other stages."""
    if cell.choices is None:
        return []
    # To which stage a switch of processes leads depends on the deal: it is made deal by deal.
    choices = own_stages if cell.column == "stage_id" else cell.choices
    of_each = [list(choices(deal)) for deal in {deal.process_id: deal for deal in deals}.values()]
    return [choice for choice in of_each[0] if all(choice in others for others in of_each[1:])]


def done(request: HttpRequest, bulk: Bulk, what: str) -> HttpResponse:
    """Back to the list, with what happened and Undo."""
    slug = tenant_of(request).organization.slug
    said = f"{told(bulk.changed)}: {what}" if bulk.changed else "They were so already"
    if bulk.changed and bulk.unchanged:
        said += f"; {bulk.unchanged} already had it"
    answered = back(request, reverse("deals", args=[slug]), said=said, undo=undo_address(slug, bulk.step_id))
    if is_htmx(request):
        return HttpResponse(headers={"HX-Redirect": answered["Location"]})
    return answered


def answer(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    asked = request.POST if request.method == "POST" else request.GET
    template = "pipeline/opportunities/_bulk.html" if is_htmx(request) else "pipeline/opportunities/bulk.html"
    titled = {"page_title": "Change deals", "next": asked.get("next", ""), **context}
    return render(request, template, titled, status=status)


def bulk_fields(book: Book) -> list[tuple[str, str]]:
    """What the bar offers: (field, label), custom fields last."""
    return [
        *((name, CELLS[name].label) for name in FIELDS),
        *((f"{INPUT}{one.key}", one.label) for one in book.active),
    ]


def told(count: int) -> str:
    return "1 deal" if count == 1 else f"{count} deals"
