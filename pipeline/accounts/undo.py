"""Edits of accounts and contacts that can be put back, unless somebody edited the same record since."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.services import account_edit, contact_edit, state_of


def account_edit_undoably(account_id: UUID, *, changes: Mapping[str, Any]) -> UUID | None:
    """Edit and offer to undo. Returns the step's id. Raises Invalid."""
    return _edit(
        Account, account_id, kind="account_edit", edit=lambda: account_edit(account_id, changes=changes)
    )


def contact_edit_undoably(contact_id: UUID, *, changes: Mapping[str, Any]) -> UUID | None:
    """Edit and offer to undo. Returns the step's id. Raises Invalid."""
    return _edit(
        Contact, contact_id, kind="contact_edit", edit=lambda: contact_edit(contact_id, changes=changes)
    )


def _edit(
    model: type[Account] | type[Contact], record_id: UUID, *, kind: str, edit: Callable[[], Account | Contact]
) -> UUID | None:
    before = state_of(model.objects.select_for_update().get(id=record_id))
    after = state_of(edit())
    if before == after:
        return None
    payload = {"id": str(record_id), "before": before, "after": after}
    return undo_offer(kind, said=str(after["name"]), payload=payload)


@undoes("account_edit", action="edit_account")
def put_account_back(payload: Mapping[str, Any]) -> str:
    return _put_back(Account, payload)


@undoes("contact_edit", action="edit_account")
def put_contact_back(payload: Mapping[str, Any]) -> str:
    return _put_back(Contact, payload)


def _put_back(model: type[Account] | type[Contact], payload: Mapping[str, Any]) -> str:
    found = model.objects.select_for_update().filter(id=payload["id"]).first()
    if found is None:
        raise CantUndo(f"{payload['after']['name']} is gone")
    present = state_of(found)
    if any(present[column] != value for column, value in payload["after"].items()):
        raise CantUndo(f"Somebody edited {found.name} since; change by hand what you want back")
    external_id = payload["before"].get("external_id")
    if external_id and model.everything.filter(external_id=external_id).exclude(id=found.id).exists():
        raise CantUndo(f"Another one has the external id {external_id} by now")
    model.objects.filter(id=found.id).update(**payload["before"])
    return f"{payload['before']['name']} is as it was before"
