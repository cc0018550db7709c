"""Splitting a deal on its page: the form, its page, and the way back."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from otc.tenancy.middleware import tenant_of
from otc.tenancy.models import Person, Role
from otc.ui.pages import page
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from otc.undo.views import undo_address
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.views.answers import deal_or_404
from pipeline.opportunities.views.rooms import room_form, room_saved
from pipeline.team.models import SplitKind
from pipeline.team.queries import splits_of
from pipeline.team.rules import MOST_SPLITS, Share, TeamRefused, read_share
from pipeline.team.services import splits_set

ROOM, KIND = "deal-team", "deal_splits"
# Without a script there are this many rows to fill beside those that stand.
SPARE_ROWS = 2


@page("edit_splits")
def deal_splits(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/splits/`: GET the shares as a form, POST replaces them all; `whole` gives it to its owner again."""
    deal = deal_or_404(request, deal_id)
    if not tenant_of(request).may_on("edit_splits", deal.owner_id):
        raise PermissionDenied
    present = present_shares(deal_id)
    if request.method != "POST":
        return ask(request, deal, rows_of(present))
    before = present
    rows = [row for row in typed_rows(request) if row["person"] and row["share"].strip()]
    try:
        shares = [] if "whole" in request.POST else [share_of(row) for row in rows]
        splits_set(deal_id, shares=shares, now=timezone.now())
    except TeamRefused as refusal:
        return ask(request, deal, typed_rows(request), refusal=refusal)
    step = None
    if present_shares(deal_id) != before:
        payload = {"deal": str(deal_id), "before": before, "after": present_shares(deal_id)}
        step = undo_offer(KIND, said=f"Splits of {deal.name}", payload=payload)
    said = f"{deal.name} is {'split' if shares else 'its owner’s alone'}" if step else ""
    return room_saved(request, deal_id, room=ROOM, said=said, undo=undo_address(slug, step))


def present_shares(deal_id: UUID) -> list[list[Any]]:
    """The shares as JSON: person, kind, basis points."""
    return [[str(split.person_id), split.kind, split.share_bp] for split in splits_of(deal_id)]


def rows_of(shares: list[list[Any]]) -> list[dict[str, str]]:
    return [
        {"person": person_id, "kind": kind, "share": f"{share_bp / 100:g}"}
        for person_id, kind, share_bp in shares
    ]


def typed_rows(request: HttpRequest) -> list[dict[str, str]]:
    """What was typed, row by row."""
    names = ("person", "kind", "share")
    columns = [request.POST.getlist(name)[:MOST_SPLITS] for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=False)]


def share_of(row: Mapping[str, str]) -> Share:
    try:
        person_id = UUID(row["person"])
    except ValueError as problem:
        raise TeamRefused("splits", "Choose who of the list") from problem
    return Share(person_id, row["kind"], read_share(row["share"]))


def ask(
    request: HttpRequest,
    deal: Opportunity,
    rows: list[dict[str, str]],
    *,
    refusal: TeamRefused | None = None,
) -> HttpResponse:
    """The form with two rows to spare; 422 with what was typed when `refusal` says why."""
    if not rows and deal.owner_id is not None:
        rows = [{"person": str(deal.owner_id), "kind": SplitKind.REVENUE, "share": "100"}]
    spare = [{"person": "", "kind": SplitKind.REVENUE, "share": ""}] * SPARE_ROWS
    return room_form(
        request,
        deal,
        "pipeline/team/_splits_form.html",
        {
            "rows": [*rows, *spare][:MOST_SPLITS],
            "people": people_to_choose(deal.id),
            "kinds": SplitKind.choices,
            "refusal": refusal,
        },
        title=f"Split {deal.name}",
        is_refused=refusal is not None,
    )


def people_to_choose(deal_id: UUID) -> list[tuple[str, str]]:
    """Whoever is here, by name, and whoever has a share still."""
    here = Person.objects.filter(left_on__isnull=True).exclude(role=Role.INTEGRATION)
    named = dict(here.order_by("name_folded", "id").values_list("id", "name"))
    gone = {split.person_id: split.person.name for split in splits_of(deal_id)}
    return [(str(person_id), name) for person_id, name in (named | gone).items()]


@undoes(KIND, action="edit_splits")
def put_splits_back(payload: Mapping[str, Any]) -> str:
    deal_id = UUID(payload["deal"])
    if present_shares(deal_id) != payload["after"]:
        raise CantUndo("Somebody split this deal otherwise since; change by hand what you want back")
    try:
        shares = [Share(UUID(person_id), kind, share_bp) for person_id, kind, share_bp in payload["before"]]
        splits_set(deal_id, shares=shares, now=timezone.now())
    except TeamRefused as refusal:
        raise CantUndo(refusal.reason) from refusal
    return "The splits are as they were before"
