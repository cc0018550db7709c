"""What may a file be that no preset fits? Columns are matched to native ones by name, in whatever case and spacing."""

import re
from collections.abc import Mapping
from typing import Any

from otc.fields.importing import field_columns
from otc.fields.rules import PREFIX
from otc.imports.columns import FieldColumn
from otc.imports.presets import source_columns
from pipeline.imports.deal_names import id_from_names
from pipeline.imports.registry import KINDS

# Other words for native columns, in the form that names are compared in.
ALSO = {
    "external_id": ("id", "record id", "opportunity id", "deal id", "account id", "contact id", "user id"),
    "name": (
        *("opportunity name", "deal name", "deal title", "opportunity", "deal"),
        *("account name", "contact name", "full name", "company"),
    ),
    "account": ("account name", "company", "company name", "customer", "organization", "account id"),
    "owner": ("sales rep", "rep", "sales agent", "deal owner", "opportunity owner", "owner name", "owner id"),
    "stage": ("deal stage", "sales stage", "stage name"),
    "category": ("forecast category",),
    "amount": ("value", "deal value", "deal amount", "close value", "revenue"),
    "close_date": ("closing date", "expected close date", "close on", "expected close"),
    "created_at": ("created", "created date", "create date", "created on"),
    "closed_at": ("closed", "closed on", "actual close date"),
    "source": ("lead source",),
    "kind": ("type", "deal type"),
    "next_step_on": ("next step date",),
    "title": ("job title",),
    "email": ("e mail", "email address", "mail"),
    "phone": ("phone number", "telephone"),
    "at": ("date", "timestamp", "changed at", "changed on", "when"),
    "manager": ("reports to", "manager name"),
    "industry": ("sector",),
    "list_price": ("price", "sales price"),
    "parent": ("parent account", "subsidiary of"),
}
# What our own download of deals says beside them: computed, so never brought back in.
COMPUTED = frozenset({"corporate_amount", "health", "slip_risk", "fit", "fit_points"})
# A name beside one of these is a deal's, ids or not.
DEAL_WORDS = frozenset({"amount", "close_date", "stage"})
_WORD = re.compile(r"[^a-z0-9]+")
# What other systems put around the name of a field of one's own.
_FRAME = re.compile(r"^propert(?:y|ies)[_.]|__c$", re.IGNORECASE)


def plain(name: str) -> str:
    return _WORD.sub(" ", name.casefold()).strip()


def columns_by_name(header: tuple[str, ...], *, kind: str) -> dict[str, Any]:
    """Native columns of a kind that a column of the file is called like; deals without ids are known by their names."""
    by_plain = {plain(name): name for name in reversed(header)}
    found: dict[str, Any] = {}
    for column in KINDS[kind].columns:
        for word in (plain(column.name), *ALSO.get(column.name, ())):
            if word in by_plain and by_plain[word] not in found.values():
                found[column.name] = by_plain[word]
                break
    has_id = "external_id" in found or KINDS[kind].key_column != "external_id"
    if not has_id and DEAL_WORDS & set(found) and (named := id_from_names(found)):
        found["external_id"] = named
    return found


def guessed_mapping(header: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """The kind that most columns speak for and has all it needs, with its mapping; an empty kind when none has."""
    best, most = "", 0
    for kind in KINDS.values():
        found = columns_by_name(header, kind=kind.name)
        required = {column.name for column in kind.columns if column.is_required}
        if required <= set(found) and len(found) > most:
            best, most = kind.name, len(found)
    if not best:
        return "", {}
    document: dict[str, Any] = {"columns": columns_by_name(header, kind=best)}
    if best == "opportunities" and set(header) >= COMPUTED:
        document["ignore"] = sorted(COMPUTED)
    return best, document


def fields_found(document: Mapping[str, Any], header: tuple[str, ...], *, kind: str) -> dict[str, Any]:
    """The mapping with every custom field that a free column is called like, `Region__c` and `property_region`
    included, and without those that the organization hasn't or has retired.
    """
    fields = field_columns(kind)
    known = {field.name for field in fields}
    columns = {
        name: source
        for name, source in document.get("columns", {}).items()
        if not name.startswith(PREFIX) or name in known
    }
    used = set().union(*map(source_columns, columns.values())) if columns else set()
    taken = used | set(document.get("where", ())) | set(document.get("ignore", ()))
    taken |= set(document.get("attributes", ()))
    for field in fields:
        free = [name for name in header if name not in taken]
        if field.name not in columns and (own := _called_like(field, free)):
            columns[field.name] = own
            taken.add(own)
    return {**document, "columns": columns}


def _called_like(field: FieldColumn, names: list[str]) -> str:
    """The name that means the field, one of the field's own spellings first; empty when none does."""
    words = {plain(field.field.label), plain(field.field.key)}
    alike = [name for name in names if plain(_FRAME.sub("", name)) in words]
    return next((name for name in names if field.is_called(name)), alike[0] if alike else "")
