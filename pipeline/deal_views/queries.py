"""Which views may somebody open? Their own, everybody's, and those of a team that they belong to."""

from uuid import UUID

from otc.tenancy.lines import people_by_id
from otc.tenancy.middleware import Tenant
from pipeline.deal_views.models import DealView, Shared


def views_in_sight(tenant: Tenant) -> list[DealView]:
    """One's own first, then the shared ones, by name. One query."""
    me = tenant.person.id
    found = DealView.objects.select_related("person", "branch").order_by("name", "id")
    seen = [view for view in found if is_in_sight(view, tenant)]
    return sorted(seen, key=lambda view: (view.person_id != me, view.name.casefold()))


def view_in_sight(view_id: UUID, tenant: Tenant) -> DealView | None:
    """The view, or None: not there and not shared with the viewer look the same."""
    view = DealView.objects.select_related("person", "branch").filter(id=view_id).first()
    return view if view is not None and is_in_sight(view, tenant) else None


def is_in_sight(view: DealView, tenant: Tenant) -> bool:
    if view.person_id == tenant.person.id or view.shared == Shared.EVERYONE:
        return True
    return view.branch_id is not None and tenant.person.id in tenant.chart.branch(view.branch_id)


def teams_of(tenant: Tenant) -> list[tuple[UUID, str]]:
    """The teams that somebody may share with: their own if they lead one, and those of their managers."""
    heads: list[UUID] = []
    person: UUID | None = tenant.person.id
    while person is not None and person not in heads:
        heads.append(person)
        person = tenant.chart.manager_of.get(person)
    leading = [head for head in heads if len(tenant.chart.branch(head)) > 1]
    names = people_by_id(leading) if leading else {}
    return [
        (head, "My team" if head == tenant.person.id else f"{names[head].name}’s team") for head in leading
    ]
