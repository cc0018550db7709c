"""The only writers of views: save, change, delete with undo, choose what one's list starts with."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from otc.tenancy.models import Person
from otc.tenancy.names import clean_lines
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.deal_views.models import DealView, Shared

KIND = "deal_view_deleted"
MOST_VIEWS = 100
LONGEST_QUERY = 8000
KEPT_FOR_UNDO = ("name", "query", "shared")


class ViewRefused(ValueError):
    """The view isn't saved; the text says why and what to do."""


def deal_view_save(
    person_id: UUID, *, name: str, query: str, shared: str = Shared.NOBODY, branch_id: UUID | None = None
) -> DealView:
    """Keep a list under a name; one's own view of that name is replaced. Raises ViewRefused."""
    name = clean_lines({"name": " ".join(name.split())})["name"]
    if not name:
        raise ViewRefused("Give the view a name")
    if len(name) > 100:
        raise ViewRefused("A name has at most 100 characters")
    if len(query) > LONGEST_QUERY:
        raise ViewRefused("This address is too long; let go of a filter")
    if shared not in Shared.values or (shared == Shared.BRANCH) != (branch_id is not None):
        raise ViewRefused("Choose who sees the view")
    mine = DealView.objects.filter(person_id=person_id)
    view: DealView = mine.filter(name=name).first() or DealView(person_id=person_id, name=name)
    if view._state.adding and mine.count() >= MOST_VIEWS:
        raise ViewRefused(f"You have {MOST_VIEWS} views; delete one first")
    view.query, view.shared, view.branch_id = query, shared, branch_id
    view.save()
    return view


def deal_view_delete(view_id: UUID, *, person_id: UUID) -> UUID | None:
    """Delete one's own view; returns the step that Undo takes back. Raises DealView.DoesNotExist."""
    view = DealView.objects.select_for_update().get(id=view_id, person_id=person_id)
    payload = {name: getattr(view, name) for name in KEPT_FOR_UNDO}
    payload |= {"id": str(view.id), "branch": str(view.branch_id) if view.branch_id else None}
    payload["defaults"] = [
        str(one) for one in Person.objects.filter(default_deal_view=view.id).values_list("id", flat=True)
    ]
    Person.objects.filter(default_deal_view=view.id).update(default_deal_view=None)
    view.delete()
    return undo_offer(KIND, said=f"View {view.name} deleted", payload={**payload, "person": str(person_id)})


@undoes(KIND, action="view_deals")
def put_view_back(payload: Mapping[str, Any]) -> str:
    """The view with its id, so that old links name it again, for those who began with it too."""
    view = DealView(
        id=UUID(payload["id"]),
        person_id=UUID(payload["person"]),
        branch_id=UUID(payload["branch"]) if payload["branch"] else None,
        **{name: payload[name] for name in KEPT_FOR_UNDO},
    )
    try:
        with transaction.atomic():
            view.save(force_insert=True)
    except IntegrityError as problem:
        raise CantUndo(f"You have another view called {view.name} by now; rename it first") from problem
    Person.objects.filter(id__in=payload["defaults"], default_deal_view=None).update(
        default_deal_view=view.id
    )
    return f"{view.name} is back"


def default_deal_view_set(person_id: UUID, *, view_id: UUID | None) -> None:
    """What the person's list of deals starts with; None is the usual list."""
    Person.objects.filter(id=person_id).update(default_deal_view=view_id)
