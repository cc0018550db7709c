"""Take an account out that nothing needs; say clearly what keeps one that something does."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from otc.audit.services import audit_append
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.rules import Invalid
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity

COLUMNS = (
    "name",
    "name_folded",
    "external_id",
    "parent_id",
    "industry",
    "country",
    "attributes",
    "created_at",
)


def account_delete(account_id: UUID) -> UUID | None:
    """Delete an account without deals, people or accounts below it. Returns the step that brings it back.

    Raises Invalid, which says what hangs on it and what to do with that: nothing is ever orphaned.
    """
    account: Account = Account.objects.select_for_update().get(id=account_id)
    deals = Opportunity.objects.filter(account_id=account_id)
    open_count = deals.filter(outcome__isnull=True, deleted_at__isnull=True).count()
    if open_count:
        raise Invalid(
            "account",
            f"{account.name} has {_counted(open_count, 'open deal')}: give {'it' if open_count == 1 else 'them'} "
            "another account first, or merge this account into the one it belongs to",
        )
    if deals.exists() or OpportunityVersion.objects.filter(account_id=account_id).exists():
        raise Invalid(
            "account",
            f"The history of deals names {account.name}: merge it into the account that it belongs to instead",
        )
    people = Contact.everything.filter(account_id=account_id).count()
    if people:
        raise Invalid(
            "account",
            f"{account.name} has {_counted(people, 'contact')}: merge it into their account, or remove them",
        )
    below = Account.everything.filter(parent_id=account_id) | Account.everything.filter(
        merged_into_id=account_id
    )
    if below.exists():
        raise Invalid("account", f"Other accounts belong to {account.name}: give them another place first")
    state = {column: _plain(getattr(account, column)) for column in COLUMNS}
    account.delete()
    audit_append(
        "account.deleted",
        subject_kind="account",
        subject_id=account_id,
        summary=f"Account “{account.name}” deleted",
    )
    return undo_offer("account_delete", said=account.name, payload={"id": str(account_id), "state": state})


@undoes("account_delete", action="edit_account")
def put_account_in_again(payload: Mapping[str, Any]) -> str:
    state = dict(payload["state"])
    external_id, parent_id = state["external_id"], state["parent_id"]
    if external_id and Account.everything.filter(external_id=external_id).exists():
        raise CantUndo(f"Another account has the external id {external_id} by now")
    if parent_id and not Account.objects.filter(id=parent_id).exists():
        state["parent_id"] = None
    created_at = state.pop("created_at")
    Account(id=UUID(payload["id"]), **state).save(force_insert=True)
    Account.objects.filter(id=payload["id"]).update(created_at=created_at)
    return f"{state['name']} is back"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
