"""The one address for a block of cells: pasted, filled down, cleared, or typed into many at once."""

import json
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST

from otc.imports.dates import DAY_FIRST, MONTH_FIRST
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.grid.rules import BadBlock, Block, read_block
from pipeline.grid.services import BlockRefused, BlockWritten, Desk, block_write
from pipeline.opportunities.views.answers import back, toast
from pipeline.opportunities.views.cell import rows_html

REFUSED, CHANGED = 422, 409
LISTED = 8
ORDERS = {DAY_FIRST: "The day comes first", MONTH_FIRST: "The month comes first"}


@dataclass(frozen=True)
class Posted:
    """A block, whether its refused cells may be left out, and whether a page or JSON is wanted back."""

    block: Block
    skips_refused: bool
    wants_page: bool


@require_POST
@page("edit_deal")
def deals_block(request: HttpRequest, slug: str) -> HttpResponse:
    """`/deals/block/`: JSON `deals`, `fields`, `values`, `was`, `rest`; or a form with that JSON as `block`.

    200 with the rows as they stand now and Undo; 422 names the cells that a rule refuses, 409 those that somebody
    changed since: then nothing is written.
    """
    wants_page = "next" in request.POST and not request.headers.get("X-Requested-With")
    try:
        posted = read_posted(request, wants_page=wants_page)
    except BadBlock as problem:
        return refused(request, {"problem": str(problem)}, REFUSED, wants_page=wants_page)
    tenant = tenant_of(request)
    desk = Desk(tenant.visible, tenant.organization, tenant.today, tenant.calendar)
    try:
        written = block_write(posted.block, desk=desk, skips_refused=posted.skips_refused)
    except BlockRefused as problem:
        return refused(request, told(posted.block, problem), status_of(problem), wants_page=wants_page)
    return done(request, posted, written)


def read_posted(request: HttpRequest, *, wants_page: bool) -> Posted:
    """Raises BadBlock."""
    try:
        is_json = request.content_type == "application/json"
        body = json.loads((request.body if is_json else request.POST.get("block")) or "{}")
    except ValueError as problem:
        raise BadBlock("That is no JSON") from problem
    rest = "rest" in request.POST or (isinstance(body, dict) and body.get("rest") is True)
    return Posted(read_block(body), rest, wants_page)


def status_of(problem: BlockRefused) -> int:
    return REFUSED if problem.bad else CHANGED


def told(block: Block, problem: BlockRefused) -> dict[str, Any]:
    """What the refusal shows: the cells by row and column, and the blocks that its buttons send."""
    present = {(one.cell.row, one.cell.column): one.theirs.written for one in problem.changed}
    return {
        "bad": problem.bad[:LISTED],
        "changed": problem.changed[:LISTED],
        "bad_count": len(problem.bad),
        "changed_count": len(problem.changed),
        "count": block.count,
        "others": problem.others,
        "over_count": problem.others + len(problem.changed),
        "sent": json.dumps(block.as_json()),
        "orders": [
            (label, json.dumps(replace(block, days=order).as_json()))
            for order, label in ORDERS.items()
            if any(one.has_two_readings for one in problem.bad)
        ],
        "over": json.dumps(block.seen_as(present).as_json()),
    }


def refused(request: HttpRequest, context: dict[str, Any], status: int, *, wants_page: bool) -> HttpResponse:
    """The cells, where and why, with the choice to write the rest."""
    context |= {"next": request.POST.get("next", ""), "wants_page": wants_page}
    if wants_page:
        return render(
            request, "pipeline/grid/block.html", {"page_title": "Nothing written"} | context, status=status
        )
    body = {
        "error": context.get("problem", "Nothing was written"),
        "refused": [
            {
                "row": one.cell.row,
                "column": one.cell.column,
                "deal": str(one.cell.deal_id),
                "field": one.cell.field,
                "reason": one.reason,
            }
            for one in context.get("bad", ())
        ],
        "changed": [
            {
                "row": one.cell.row,
                "column": one.cell.column,
                "deal": str(one.cell.deal_id),
                "field": one.cell.field,
                "theirs": one.theirs.written,
                "by": one.theirs.who,
            }
            for one in context.get("changed", ())
        ],
        "others": context.get("others", 0),
        "html": render_to_string("pipeline/grid/_refused.html", context, request=request),
    }
    return JsonResponse(body, status=status)


def done(request: HttpRequest, posted: Posted, written: BlockWritten) -> HttpResponse:
    slug = tenant_of(request).organization.slug
    undo = undo_address(slug, written.step_id)
    said = f"{_counted(written.cells, 'cell')} of {_counted(len(written.deal_ids), 'deal')} changed"
    if not written.cells:
        said = "They were so already"
    if posted.wants_page:
        return back(request, reverse("deals", args=[slug]), said=said, undo=undo)
    rows = rows_html(request, posted.block.deals)
    return JsonResponse(
        {
            "said": said,
            "undo": undo,
            # A deal that left one's sight by this has no row any more.
            "rows": {str(deal_id): rows.get(deal_id, "") for deal_id in posted.block.deals},
            "toast": toast(request, said, undo=undo),
        }
    )


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
