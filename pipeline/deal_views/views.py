"""Saved lists of deals: open, save, share, delete, start with."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from otc.question import BadQuestion
from otc.tenancy.lines import UnknownScope
from otc.tenancy.middleware import Tenant, tenant_of
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.deal_views.models import DealView, Shared
from pipeline.deal_views.queries import teams_of, view_in_sight, views_in_sight
from pipeline.deal_views.rules import kept
from pipeline.deal_views.services import (
    ViewRefused,
    deal_view_delete,
    deal_view_save,
    default_deal_view_set,
)
from pipeline.fields.columns import list_columns
from pipeline.grid.grouping import grouping_named
from pipeline.opportunities.report import check_sort
from pipeline.opportunities.views.answers import is_htmx
from pipeline.opportunities.views.frame import frame_of


@page("view_deals")
def deal_views(request: HttpRequest, slug: str) -> HttpResponse:
    """`/deals/views/`: those in sight; `query` is the list that may be saved. POST `name`, `query`, `shared` saves."""
    tenant = tenant_of(request)
    if request.method == "POST":
        return save(request, tenant)
    views = views_in_sight(tenant)
    context = {
        "page_title": "Views of deals",
        "views": [(view, href_of(view, slug)) for view in views],
        "default_id": tenant.person.default_deal_view,
        "query": request.GET.get("query", "")[:8000],
        "is_asked": "query" in request.GET,
        "teams": teams_of(tenant),
        "plain_href": f"{reverse('deals', args=[slug])}?view=none",
    }
    template = "pipeline/deal_views/_menu.html" if is_htmx(request) else "pipeline/deal_views/views.html"
    return render(request, template, context)


def save(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    slug = tenant.organization.slug
    shared, branch_id = shared_of(request.POST.get("shared", ""), tenant)
    query = request.POST.get("query", "")
    try:
        made = deal_view_save(
            tenant.person.id,
            name=request.POST.get("name", ""),
            query=view_query(tenant, QueryDict(query)),
            shared=shared,
            branch_id=branch_id,
        )
    except (BadQuestion, UnknownScope, ViewRefused) as problem:
        messages.error(request, str(problem))
        return redirect(f"{reverse('deal_views', args=[slug])}?{urlencode({'query': query})}")
    messages.success(request, f"“{made.name}” is saved")
    return redirect(href_of(made, slug))


def shared_of(text: str, tenant: Tenant) -> tuple[str, UUID | None]:
    """`nobody`, `everyone`, or the id of a team's head; what is none of those is refused by the service."""
    if text in (Shared.NOBODY, Shared.EVERYONE):
        return text, None
    head = next((head for head, _ in teams_of(tenant) if str(head) == text), None)
    return (Shared.BRANCH, head) if head else ("", None)


def view_query(tenant: Tenant, query: QueryDict) -> str:
    """What a view keeps of the list's address. Raises BadQuestion for one that can't be meant."""
    asked = frame_of(tenant, query).asked
    check_sort(asked)
    if asked.group:
        grouping_named(asked.group, book=asked.book)
    remembered = tuple(name for name in tenant.person.deal_columns.split(",") if name)
    columns = list_columns(asked.columns, remembered, book=asked.book)
    pairs = [(name, value) for name, values in query.lists() for value in values]
    chosen = kept(pairs, viewer=str(tenant.person.id), columns=",".join(one.name for one in columns))
    return urlencode(chosen)


def href_of(view: DealView, slug: str) -> str:
    """The list as the view keeps it, all of it in the address, named by the view's id."""
    return f"{reverse('deals', args=[slug])}?{view.query}&view={view.id}"


@require_POST
@page("view_deals")
def deal_view_default(request: HttpRequest, slug: str) -> HttpResponse:
    """`/deals/views/default/`: `view` is what one's list starts with; empty for the usual list."""
    tenant, text = tenant_of(request), request.POST.get("view", "")
    view = next((one for one in views_in_sight(tenant) if str(one.id) == text), None)
    if text and view is None:
        raise Http404
    default_deal_view_set(tenant.person.id, view_id=view.id if view else None)
    said = f"Your list starts with “{view.name}”" if view else "Your list starts as usual"
    messages.success(request, said)
    return redirect("deal_views", slug=slug)


@require_POST
@page("view_deals")
def deal_view_forget(request: HttpRequest, slug: str, view_id: UUID) -> HttpResponse:
    """`/deals/views/<id>/delete/`: one's own."""
    tenant = tenant_of(request)
    view = view_in_sight(view_id, tenant)
    if view is None or view.person_id != tenant.person.id:
        raise Http404
    step_id = deal_view_delete(view.id, person_id=tenant.person.id)
    messages.success(request, f"“{view.name}” is deleted", extra_tags=undo_address(slug, step_id))
    return redirect("deal_views", slug=slug)


def default_href(tenant: Tenant) -> str:
    """Where the bare address of the list leads somebody who has a view to start with; empty for the usual list."""
    chosen = tenant.person.default_deal_view
    view = view_in_sight(chosen, tenant) if chosen else None
    return href_of(view, tenant.organization.slug) if view else ""


def view_shown(request: HttpRequest) -> tuple[DealView | None, bool]:
    """The view that the address names, and whether it shows something else by now. One query where one is named."""
    try:
        view_id = UUID(request.GET.get("view", ""))
    except ValueError:
        return None, False
    tenant = tenant_of(request)
    view = view_in_sight(view_id, tenant)
    if view is None:
        return None, False
    pairs = [(name, value) for name, values in request.GET.lists() for value in values]
    columns = QueryDict(view.query).get("columns", "")
    shown = kept(pairs, viewer=str(tenant.person.id), columns=columns)
    was = [(name, value) for name, values in QueryDict(view.query).lists() for value in values]
    return view, sorted(shown) != sorted(was)
