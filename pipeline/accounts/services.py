"""The only writers of accounts and of the people there."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F
from django.utils import timezone

from otc.audit.services import audit_append
from otc.fields.queries import field_book
from otc.fields.rules import NotAccepted
from otc.fields.writing import attributes_with, untyped_with
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization
from otc.tenancy.names import clean_lines, clean_name
from otc.tenancy.services import fold
from pipeline.accounts.hierarchy import is_below
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.rules import Invalid, check_account, check_contact

# What an edit may change of each, as stored.
COLUMNS: Mapping[type[Account] | type[Contact], tuple[str, ...]] = {
    Account: ("name", "name_folded", "parent_id", "industry", "country", "external_id", "attributes"),
    Contact: ("name", "name_folded", "title", "email", "phone", "external_id", "attributes"),
}


def account_create(*, name: str, **fields: Any) -> Account:
    """Add an account. Raises Invalid, naming field and reason."""
    name, fields = clean_name(name), clean_lines(fields)
    check_account({"name": name, **fields})
    _check_parent(None, fields)
    _check_external_id(Account, fields)
    account = Account(name=name, name_folded=fold(name), **_columns(fields))
    _apply_fields(account, fields, is_new=True)
    account.save(force_insert=True)
    return account


def account_named(name: str) -> Account:
    """The account of this name, whatever the case; it is added where there is none."""
    named = Account.everything.filter(name_folded=fold(clean_name(name)))
    # One that was merged stands for what it became; one that stands under the name goes first.
    found = named.select_related("merged_into").order_by(F("merged_into").asc(nulls_first=True), "id").first()
    if found is None:
        return account_create(name=name)
    return found.merged_into or found


def account_edit(account_id: UUID, *, changes: Mapping[str, Any]) -> Account:
    """Change name, parent, industry, country or attributes. Raises Invalid."""
    account: Account = Account.objects.select_for_update().get(id=account_id)
    before = state_of(account)
    wanted = clean_lines(changes)
    check_account(wanted)
    _check_parent(account_id, wanted)
    _check_external_id(Account, wanted, but=account_id)
    for column, value in _columns(wanted).items():
        setattr(account, column, value)
    _apply_fields(account, wanted)
    account.name_folded = fold(account.name)
    account.save()
    _record("account.changed", account, before)
    return account


def contact_create(account_id: UUID, *, name: str, **fields: Any) -> Contact:
    """Add a person at an account. Raises Invalid."""
    name, fields = clean_name(name), clean_lines(fields)
    check_contact({"name": name, **fields})
    if not Account.objects.filter(id=account_id).exists():
        raise Invalid("account", "There is no such account")
    _check_external_id(Contact, fields)
    contact = Contact(account_id=account_id, name=name, name_folded=fold(name), **_columns(fields))
    _apply_fields(contact, fields, is_new=True)
    contact.save(force_insert=True)
    return contact


def contact_edit(contact_id: UUID, *, changes: Mapping[str, Any]) -> Contact:
    """Change name, title, email or phone. Raises Invalid."""
    contact: Contact = Contact.objects.select_for_update().get(id=contact_id)
    before = state_of(contact)
    wanted = clean_lines(changes)
    check_contact(wanted)
    _check_external_id(Contact, wanted, but=contact_id)
    for column, value in _columns(wanted).items():
        setattr(contact, column, value)
    _apply_fields(contact, wanted)
    contact.name_folded = fold(contact.name)
    contact.save()
    _record("contact.changed", contact, before)
    return contact


def contact_delete(contact_id: UUID) -> None:
    """Take a contact out; activities with them stay, without the name."""
    Contact.objects.filter(id=contact_id).delete()


def state_of(record: Account | Contact) -> dict[str, Any]:
    """What an edit may change of the record, as JSON."""
    values = {column: getattr(record, column) for column in COLUMNS[type(record)]}
    return {column: str(value) if isinstance(value, UUID) else value for column, value in values.items()}


def _record(action: str, record: Account | Contact, before: Mapping[str, Any]) -> None:
    """On the audit log what was changed, each with what it was; nothing where nothing was."""
    after = state_of(record)
    changed = [name for name in after if name != "name_folded" and before[name] != after[name]]
    noun = action.partition(".")[0]
    if changed:
        audit_append(
            action,
            subject_kind=noun,
            subject_id=record.id,
            summary=f"{noun.capitalize()} “{record.name}”: {', '.join(changed)}",
            detail={name: {"before": before[name], "after": after[name]} for name in changed},
        )


def _columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What is written as it is; custom fields and attributes go through their rules."""
    return {name: value for name, value in changes.items() if name not in ("fields", "attributes")}


def _apply_fields(row: Account | Contact, changes: Mapping[str, Any], *, is_new: bool = False) -> None:
    """Custom fields under `fields` by key; `attributes` replaces what stands under no field. Raises Invalid."""
    if not is_new and not {"fields", "attributes"} & set(changes):
        return
    noun = "account" if isinstance(row, Account) else "contact"
    book = field_book(noun)
    zone = Organization.objects.values_list("timezone", flat=True).get(id=current_organization_id())
    created_on = (row.created_at or timezone.now()).astimezone(ZoneInfo(zone)).date()
    try:
        if "attributes" in changes:
            row.attributes = untyped_with(row.attributes, changes["attributes"], book=book)
        row.attributes = attributes_with(
            row.attributes,
            changes.get("fields") or {},
            object=noun,
            created_on=created_on,
            is_new=is_new,
            book=book,
        )
    except NotAccepted as problem:
        field = problem.key if problem.key == "attributes" else f"fields.{problem.key}"
        raise Invalid(field, problem.reason) from problem


def _check_external_id(
    model: type[Account | Contact], changes: dict[str, Any], *, but: UUID | None = None
) -> None:
    """Refuse an external id that another row has, as it will be written; an empty one is none."""
    if "external_id" not in changes:
        return
    changes["external_id"] = external_id = changes["external_id"] or None
    if external_id and model.everything.filter(external_id=external_id).exclude(id=but).exists():
        raise Invalid("external_id", f"“{external_id}” is taken; edit that one instead")


def _check_parent(account_id: UUID | None, changes: Mapping[str, Any]) -> None:
    parent_id = changes.get("parent_id")
    if parent_id is None:
        return
    if parent_id == account_id:
        raise Invalid("parent", "An account can't be its own parent")
    if not Account.objects.filter(id=parent_id).exists():
        raise Invalid("parent", "There is no such account")
    if account_id is not None and is_below(parent_id, account_id):
        raise Invalid("parent", "That account belongs to this one; a circle has no top")
