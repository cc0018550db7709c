"""Duplicates: pairs that look like one, two side by side with what wins, and what was merged."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from otc.question import BadQuestion, parse_uuid
from otc.tenancy.middleware import Tenant, tenant_of
from otc.ui.bar import answers_bad_questions
from otc.ui.controls import Tab, href_with
from otc.ui.pages import page
from otc.undo.registry import CantUndo
from otc.undo.views import undo_address
from pipeline.duplicates.choices import GONE, KEPT, choices_of
from pipeline.duplicates.finding import duplicates_ask, is_looking, last_look
from pipeline.duplicates.models import RecordKind
from pipeline.duplicates.relations import MODELS, counts
from pipeline.duplicates.report import (
    duplicates_report,
    faces_of,
    merges_report,
    pair_of,
    visible_merges,
)
from pipeline.duplicates.services import (
    CantMerge,
    merge_offer_undo,
    merge_undo,
    pair_dismiss,
    records_merge,
)
from pipeline.opportunities.queries import visible_opportunities
from pipeline.opportunities.views.answers import back

LABELS = {"account": "Accounts", "contact": "Contacts", "opportunity": "Deals"}
FIELD = "field."


@require_http_methods(["GET", "HEAD", "POST"])
@page("merge_duplicates")
@answers_bad_questions
def duplicates(request: HttpRequest, slug: str) -> HttpResponse:
    """`/duplicates/?kind=&after=`; POST looks again."""
    if request.method == "POST":
        duplicates_ask()
        messages.success(request, "Looking for duplicates; come back in a moment")
        return redirect("duplicates", slug=slug)
    kind, after = request.GET.get("kind") or "account", request.GET.get("after")
    tenant, looked_at = tenant_of(request), last_look()
    report = duplicates_report(kind, visible=tenant.visible, after=after)
    tabs = [
        Tab(label, href_with(request.path, {}, kind=key), report.counts[key], key == kind)
        for key, label in LABELS.items()
    ]
    context = {
        "page_title": "Duplicates",
        "report": report,
        "tabs": tabs,
        "shown_count": report.counts[kind],
        "noun": LABELS[kind].lower(),
        "looked_at": looked_at.astimezone(tenant.zone) if looked_at else None,
        "is_looking": is_looking(),
        "next_href": href_with(request.path, request.GET, after=report.next_cursor)
        if report.next_cursor
        else "",
        "first_href": href_with(request.path, request.GET, after=None) if after else "",
    }
    return render(request, "pipeline/duplicates/duplicates.html", context)


@require_POST
@page("merge_duplicates")
def duplicate_dismiss(request: HttpRequest, slug: str, pair_id: UUID) -> HttpResponse:
    """Not a duplicate: never proposed again, unless that is undone."""
    pair = pair_of(pair_id, visible=tenant_of(request).visible)
    if pair is None:
        raise Http404
    step_id = pair_dismiss(pair_id, now=timezone.now())
    home = f"{reverse('duplicates', args=[slug])}?kind={pair.kind}"
    return back(request, home, said="Remembered: these are two", undo=undo_address(slug, step_id))


@require_http_methods(["GET", "HEAD", "POST"])
@page("merge_duplicates")
@answers_bad_questions
def merge_new(request: HttpRequest, slug: str) -> HttpResponse:
    """`/duplicates/merge/?kind=&keep=&gone=`: both side by side; POST the same with `field.<name>` merges."""
    asked = request.POST if request.method == "POST" else request.GET
    if not asked:
        return redirect("duplicates", slug=slug)
    kind = asked.get("kind", "")
    kept, gone = both_of(tenant_of(request), kind, asked)
    chosen = {name.removeprefix(FIELD): str(value) for name, value in asked.items() if name.startswith(FIELD)}
    error = ""
    if request.method == "POST":
        try:
            with transaction.atomic():
                merge = records_merge(
                    kind, kept_id=kept.id, gone_id=gone.id, chosen=chosen, now=timezone.now()
                )
                step_id = merge_offer_undo(merge)
        except CantMerge as refusal:
            error = str(refusal)
        else:
            said = f"{merge.gone_name} is part of {merge.kept_name} now"
            messages.success(request, said, extra_tags=undo_address(slug, step_id))
            return redirect(record_url(slug, kind, kept))
    chosen = {key: wins for key, wins in chosen.items() if wins in (KEPT, GONE)}
    context = {
        "page_title": f"Merge {gone.name}",
        "kind": kind,
        "kept": kept,
        "gone": gone,
        "faces": faces_of(kind, [kept.id, gone.id]),
        "choices": choices_of(kind, kept, gone, chosen=chosen),
        "moving": counts(kind, gone.id),
        "swap_href": href_with(request.path, {}, kind=kind, keep=str(gone.id), gone=str(kept.id)),
        "home": href_with(reverse("duplicates", args=[slug]), {}, kind=kind),
        "error": error,
    }
    return render(request, "pipeline/duplicates/merge.html", context, status=422 if error else 200)


def both_of(tenant: Tenant, kind: str, asked: Any) -> tuple[Any, Any]:
    """The two records that are asked about, if one may see them. Raises BadQuestion, or Http404."""
    if kind not in MODELS:
        raise BadQuestion("kind", f"“{kind}” is none of: {', '.join(RecordKind.values)}")
    ids = [parse_uuid(asked.get(name, ""), name) for name in ("keep", "gone")]
    is_deal = kind == RecordKind.OPPORTUNITY
    rows = visible_opportunities(tenant.visible) if is_deal else MODELS[kind].objects.all()
    if None in ids or ids[0] == ids[1]:
        raise BadQuestion("gone", "Name two different records: keep and gone")
    found = {one.id: one for one in rows.filter(id__in=ids)}
    if len(found) < 2:
        raise Http404
    return found[ids[0]], found[ids[1]]


def record_url(slug: str, kind: str, record: Any) -> str:
    if kind == RecordKind.OPPORTUNITY:
        return reverse("deal", args=[slug, record.id])
    return reverse("account", args=[slug, record.account_id if kind == RecordKind.CONTACT else record.id])


@require_safe
@page("merge_duplicates")
@answers_bad_questions
def merges(request: HttpRequest, slug: str) -> HttpResponse:
    """`/duplicates/merges/?after=`: what was merged by whom, each with its Undo."""
    after = request.GET.get("after")
    rows, next_cursor = merges_report(visible=tenant_of(request).visible, after=after)
    context = {
        "page_title": "Merges",
        "rows": rows,
        "next_href": href_with(request.path, request.GET, after=next_cursor) if next_cursor else "",
        "first_href": href_with(request.path, request.GET, after=None) if after else "",
    }
    return render(request, "pipeline/duplicates/merges.html", context)


@require_POST
@page("merge_duplicates")
def merge_take_back(request: HttpRequest, slug: str, merge_id: UUID) -> HttpResponse:
    if not visible_merges(visible=tenant_of(request).visible).filter(id=merge_id).exists():
        raise Http404
    home = reverse("merges", args=[slug])
    try:
        with transaction.atomic():
            merge = merge_undo(merge_id, now=timezone.now())
    except CantUndo as refusal:
        return back(request, home, failed=str(refusal))
    return back(request, home, said=f"{merge.gone_name} and {merge.kept_name} are two again")
