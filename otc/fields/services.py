"""The only writers of field definitions. Each change is on the audit log; the one before it can be put back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Max

from otc.audit.services import audit_append
from otc.fields.models import CustomField
from otc.fields.native import NATIVE
from otc.fields.rules import (
    KINDS,
    LARGEST_NUMBER,
    MAX_DECIMALS,
    MAX_FIELDS,
    MAX_OPTIONS,
    MAX_TEXT,
    OBJECTS,
    NotAccepted,
    Option,
    is_key,
    key_from,
    option_document,
)
from otc.jobs.services import enqueue
from otc.money.queries import corporate_currency
from otc.money.rules import DECIMALS
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization

# What may change at any time, and what undo puts back.
EDITABLE = ("label", "help_text", "options", "decimals", "minimum", "maximum", "max_length", "required_from")
CONVERSION_JOB = "field_conversion"
UNDONE = (*EDITABLE, "is_active")


def field_create(
    *,
    object: str,
    label: str,
    kind: str,
    key: str = "",
    attribute: str = "",
    currency: str = "",
    **more: Any,
) -> CustomField:
    """Define a field, the last of its object. Raises NotAccepted, naming the part of the definition.

    `attribute` is where its values stand already, when an import's attribute is adopted; else its key.
    """
    if object not in OBJECTS:
        raise NotAccepted("object", "Choose one of: " + ", ".join(OBJECTS))
    if kind not in KINDS:
        raise NotAccepted("kind", "Choose one of: " + ", ".join(KINDS))
    _lock_definitions()
    there = list(CustomField.objects.filter(object=object).values_list("key", "attribute"))
    if len(there) >= MAX_FIELDS:
        raise NotAccepted(
            "object", f"An object has at most {MAX_FIELDS} fields; restore a retired one instead"
        )
    taken = {one for pair in there for one in pair}
    key = key or key_from(label, taken=taken)
    _check_key(key, attribute or key, there)
    row = CustomField(
        object=object,
        key=key,
        attribute=attribute or key,
        kind=kind,
        currency=_currency(currency) if kind == "money" else "",
        position=(CustomField.objects.filter(object=object).aggregate(last=Max("position"))["last"] or 0) + 1,
    )
    _apply(row, {"label": label, **more})
    row.save(force_insert=True)
    row.refresh_from_db()
    _log("field.created", row, f"Field “{row.label}” ({row.kind}) for {row.object}s")
    return row


def field_edit(field_id: UUID, *, changes: Mapping[str, Any]) -> CustomField:
    """Change what EDITABLE names; the key and the object stay. Raises NotAccepted."""
    row = _locked(field_id)
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise NotAccepted(unknown[0], f"{unknown[0]} can't be changed")
    before = definition_document(row)
    _apply(row, changes)
    return _changed(row, before)


def field_retire(field_id: UUID, *, is_active: bool = False) -> CustomField:
    """Take a field off every surface, or bring it back; its values stay where they are."""
    row = _locked(field_id)
    before = definition_document(row)
    if is_active:
        _check_label(row)
    row.is_active = is_active
    return _changed(row, before, action="field.restored" if is_active else "field.retired")


def field_undo(field_id: UUID) -> CustomField:
    """Put back the definition before the last change; once more puts the change back."""
    row = _locked(field_id)
    if row.before is None:
        raise NotAccepted("undo", "This field has not been changed since it was made")
    before, earlier = definition_document(row), row.before
    for name in UNDONE:
        setattr(row, name, _loaded(name, earlier[name]))
    return _changed(row, before)


def field_move(field_id: UUID, *, to: int) -> None:
    """Put a field at the place `to`, counted from 1 among its object's fields."""
    row = _locked(field_id)
    ordered = list(CustomField.objects.filter(object=row.object).order_by("position", "id"))
    ordered = [one for one in ordered if one.id != row.id]
    ordered.insert(max(0, min(to - 1, len(ordered))), row)
    for position, one in enumerate(ordered, start=1):
        one.position = position
    CustomField.objects.bulk_update(ordered, ["position"])
    _log("field.moved", row, f"Field “{row.label}” is number {ordered.index(row) + 1} of {row.object}s")


def field_become(field_id: UUID, *, kind: str, options: Sequence[Option] = (), **more: Any) -> CustomField:
    """Change the kind, once its values are known to convert. There is no way back but another conversion."""
    row = _locked(field_id)
    before = definition_document(row)
    row.kind, row.options = kind, [option_document(option) for option in options]
    currency = more.pop("currency", "")
    row.currency = _currency(currency) if kind == "money" else ""
    row.minimum = row.maximum = None
    _apply(row, more)
    row.before = row.pending = None
    row.save()
    _log("field.converted", row, f"Field “{row.label}” is a {kind} now", before=before)
    return row


def field_convert_later(field_id: UUID, *, definition: Mapping[str, Any]) -> None:
    """Have a job convert the field's values, for they are many; the definition follows when it is done."""
    row = _locked(field_id)
    row.pending = dict(definition)
    row.save(update_fields=["pending"])
    _restamp()
    enqueue(CONVERSION_JOB, subject=field_id)


def options_merged(row: CustomField, labels: Iterable[str]) -> list[Option]:
    """The options that lines of labels mean: known ones keep their key, missing ones are retired, new ones get one.

    A label changed in its line can't be told from a new one; renaming goes by `option_rename`.
    """
    present = list(row.definition.options)
    wanted = list(dict.fromkeys(label.strip() for label in labels if label.strip()))
    by_label = {option.label.casefold(): option for option in present}
    taken = {option.key for option in present}
    found: list[Option] = []
    for label in wanted:
        old = by_label.get(label.casefold())
        if old is not None:
            found.append(Option(old.key, label, False, old.aliases))
            continue
        key = key_from(label, taken=taken, fallback="option")
        taken.add(key)
        found.append(Option(key, label))
    kept = {option.key for option in found}
    retired = [Option(one.key, one.label, True, one.aliases) for one in present if one.key not in kept]
    return [*found, *retired]


def definition_document(row: CustomField) -> dict[str, Any]:
    """What undo needs, as JSON."""
    return {name: _plain(getattr(row, name)) for name in (*UNDONE, "kind", "currency")}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date) else value


def _loaded(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in ("minimum", "maximum"):
        return Decimal(value)
    return date.fromisoformat(value) if name == "required_from" else value


def _lock_definitions() -> None:
    """One definition at a time, so that two can't take one key or the last place together."""
    Organization.objects.select_for_update(no_key=True).get(id=current_organization_id())


def _locked(field_id: UUID) -> CustomField:
    row: CustomField = CustomField.objects.select_for_update().get(id=field_id)
    return row


def _changed(row: CustomField, before: dict[str, Any], *, action: str = "field.changed") -> CustomField:
    after = definition_document(row)
    if after == before:
        return row
    row.before = before
    row.save()
    verb = action.partition(".")[2]
    changed = {name: [before[name], after[name]] for name in after if after[name] != before[name]}
    _log(action, row, f"Field “{row.label}” of {row.object}s {verb}", changed=changed)
    return row


def _restamp() -> None:
    """Whatever was kept of the definitions is read anew."""
    Organization.objects.filter(id=current_organization_id()).update(fields_stamp=uuid4())


def _log(action: str, row: CustomField, summary: str, **detail: Any) -> None:
    _restamp()
    named = {"object": row.object, "key": row.key, "kind": row.kind}
    audit_append(action, subject_kind="field", subject_id=row.id, summary=summary, detail=named | detail)


def _check_key(key: str, attribute: str, there: Sequence[tuple[str, str]]) -> None:
    if not is_key(key):
        raise NotAccepted(
            "key", "A key is lower-case letters, digits and _, starts with a letter, at most 40 long"
        )
    if key in {taken for taken, _ in there}:
        raise NotAccepted("key", f"There is a field “{key}” already; choose another key")
    if attribute in {taken for _, taken in there}:
        raise NotAccepted("attribute", f"“{attribute}” is a field already")
    if not attribute or len(attribute) > 200 or "\x00" in attribute:
        raise NotAccepted("attribute", "An attribute has 1 to 200 characters")


def _currency(code: str) -> str:
    found = code.strip().upper() or corporate_currency()
    if found not in DECIMALS:
        raise NotAccepted("currency", f"“{found[:10]}” is not a currency code of ISO 4217, like EUR")
    return found


def _apply(row: CustomField, changes: Mapping[str, Any]) -> None:
    """Write checked parts of the definition to the row."""
    for name, value in changes.items():
        setattr(row, name, _CHECKS[name](value))
    if "label" in changes:
        _check_label(row)
    if row.kind == "choice" and not row.options:
        raise NotAccepted("options", "A choice needs at least one option")
    if row.kind != "choice" and row.options:
        raise NotAccepted("options", "Only a choice has options")
    if row.minimum is not None and row.maximum is not None and row.minimum > row.maximum:
        raise NotAccepted("maximum", "The largest value lies below the smallest")
    if row.kind != "number" and (row.minimum is not None or row.maximum is not None):
        raise NotAccepted("minimum", "Only a number has bounds")


def _label(value: Any) -> str:
    text = " ".join(str(value or "").split())
    if not text or len(text) > 80 or not text.isprintable():
        raise NotAccepted("label", "A label has 1 to 80 characters that can be seen")
    return text


def _check_label(row: CustomField) -> None:
    """Two columns called alike can't be told apart, neither on a page nor in a file."""
    label = row.label.casefold()
    if label in NATIVE[row.object]:
        raise NotAccepted("label", f"Every {row.object} has “{row.label}” already; call this one otherwise")
    others = CustomField.objects.filter(object=row.object, is_active=True).exclude(pk=row.pk)
    if label in {other.casefold() for other in others.values_list("label", flat=True)}:
        raise NotAccepted("label", f"There is a field “{row.label}” already; call this one otherwise")


def _help(value: Any) -> str:
    text = " ".join(str(value or "").replace("\x00", "").split())
    if len(text) > 300:
        raise NotAccepted("help_text", "A help text has at most 300 characters")
    return text


def _options(value: Any) -> list[dict[str, Any]]:
    options = list(value or ())
    if len(options) > MAX_OPTIONS:
        raise NotAccepted("options", f"A choice has at most {MAX_OPTIONS} options, retired ones too")
    for option in options:
        if not is_key(option.key):
            raise NotAccepted(
                "options", f"“{option.key[:40]}” is not a key: lower-case letters, digits and _"
            )
        _label(option.label)
    for what in ("key", "label"):
        found = [getattr(option, what).casefold() for option in options]
        if len(set(found)) != len(found):
            raise NotAccepted("options", f"Two options have the same {what}")
    return [option_document(option) for option in options]


def _bound(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise NotAccepted("minimum", f"“{str(value)[:40]}” is not a number") from None
    if (
        not number.is_finite()
        or abs(number) > LARGEST_NUMBER
        or -int(number.as_tuple().exponent) > MAX_DECIMALS
    ):
        raise NotAccepted("minimum", f"A bound has at most {MAX_DECIMALS} decimals and 12 digits before them")
    return number


def _within(name: str, low: int, high: int) -> Any:
    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise NotAccepted(name, f"{name} is a whole number from {low} to {high}")
        return value

    return check


def _day(value: Any) -> date | None:
    if value is None or type(value) is date:
        return value
    raise NotAccepted("required_from", "A day like 2026-03-31")


_CHECKS: dict[str, Any] = {
    "label": _label,
    "help_text": _help,
    "options": _options,
    "decimals": _within("decimals", 0, MAX_DECIMALS),
    "minimum": _bound,
    "maximum": _bound,
    "max_length": _within("max_length", 1, MAX_TEXT),
    "required_from": _day,
}
