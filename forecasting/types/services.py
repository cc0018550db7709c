"""The only writers of forecast types. A filter is never changed: the next one holds from its instant on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.text import slugify

from forecasting.types.models import ForecastType, ForecastTypeFilter
from forecasting.types.rules import Conditions, read_conditions
from otc.audit.services import audit_append
from otc.fields.queries import field_book
from otc.tenancy.context import current_context
from otc.tenancy.lines import lock_lines
from otc.tenancy.models import Organization, Person
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.opportunities.rules import Refused

MOST_TYPES = 20
UNDO = "forecast_type"
RESERVED = frozenset({"all"})


@dataclass(frozen=True)
class Changed:
    """A type after a change, what to say of it, and the step that takes it back."""

    type: ForecastType
    said: str
    undo_id: UUID | None


def forecast_type_create(
    organization: Organization, *, author: Person, name: str, conditions: Mapping[str, Any], now: datetime
) -> ForecastType:
    """A further forecast of the deals that hold the conditions. Raises Refused."""
    lock_lines()
    name = _name(name)
    found = conditions_read(organization, conditions)
    slug = slugify(name)[:50] or "type"
    if slug in RESERVED or ForecastType.objects.filter(slug=slug).exists():
        raise Refused("name", f"There is a forecast type “{slug}” already; choose another name")
    if ForecastType.objects.filter(retired_at=None).count() >= MOST_TYPES:
        raise Refused("name", f"There are {MOST_TYPES} types already; retire one first")
    last = ForecastType.objects.order_by("-position").values_list("position", flat=True).first()
    made = ForecastType(name=name, slug=slug, position=0 if last is None else last + 1)
    made.save(force_insert=True)
    _filter(made, found, author=author, at=now)
    _note("forecast_type.created", made, f"Forecast type {name}", conditions=found)
    return made


def forecast_type_change(
    organization: Organization,
    *,
    type_: ForecastType,
    author: Person,
    now: datetime,
    name: str | None = None,
    conditions: Mapping[str, Any] | None = None,
) -> Changed:
    """Another name, or another filter from now on: periods that are over keep theirs. Raises Refused."""
    lock_lines()
    if type_.retired_at is not None:
        raise Refused("type", f"{type_.name} is retired; bring it back first")
    was = {"name": type_.name, "conditions": _conditions_of(type_)}
    if name is not None:
        type_.name = _name(name)
        type_.save(update_fields=["name"])
    found = None
    if conditions is not None:
        found = conditions_read(organization, conditions)
        if found != was["conditions"]:
            _filter(type_, found, author=author, at=now)
    _note("forecast_type.changed", type_, f"Forecast type {type_.name} is changed", conditions=found)
    return _changed(type_, f"The forecast of {type_.name} is changed from now on", was)


def forecast_type_retire(type_: ForecastType, *, now: datetime) -> Changed:
    """No longer offered; its calls, adjustments and past stay."""
    said = f"{type_.name} is no longer offered; what was said of it stays"
    if type_.retired_at is not None:
        return Changed(type_, said, None)
    type_.retired_at = now
    type_.save(update_fields=["retired_at"])
    _note("forecast_type.retired", type_, f"Forecast type {type_.name} is retired")
    return _changed(type_, said, {"retired_at": None})


def forecast_type_restore(type_: ForecastType) -> Changed:
    """Offered again."""
    said = f"{type_.name} is offered again"
    if type_.retired_at is None:
        return Changed(type_, said, None)
    was = type_.retired_at.isoformat()
    type_.retired_at = None
    type_.save(update_fields=["retired_at"])
    _note("forecast_type.restored", type_, f"Forecast type {type_.name} is back")
    return _changed(type_, said, {"retired_at": was})


@undoes(UNDO, action="manage_forecast_types")
def put_type_back(payload: Mapping[str, Any]) -> str:
    """As it was before the change, from now on: what was summed in between keeps the filter of that time."""
    type_ = ForecastType.objects.select_for_update().get(id=payload["type"])
    if payload["after"] != _state(type_):
        raise CantUndo("Somebody has changed this forecast type since")
    was = payload["was"]
    if "retired_at" in was:
        type_.retired_at = datetime.fromisoformat(was["retired_at"]) if was["retired_at"] else None
    type_.name = was.get("name", type_.name)
    type_.save(update_fields=["retired_at", "name"])
    conditions = was.get("conditions")
    if conditions is not None and conditions != _conditions_of(type_):
        author = Person.objects.filter(id=current_context().person_id).first()
        _filter(type_, conditions, author=author, at=timezone.now())
    _note("forecast_type.changed", type_, f"Forecast type {type_.name} is as it was", conditions=conditions)
    return f"{type_.name} is as it was"


def conditions_read(organization: Organization, conditions: Mapping[str, Any]) -> Conditions:
    """As read_conditions, with the organization's own fields."""
    keys = frozenset(one.key for one in field_book("deal", organization).active)
    return read_conditions(conditions, fields=keys)


def _name(name: str) -> str:
    name = " ".join(name.split())[:100]
    if not name:
        raise Refused("name", "A forecast type needs a name")
    return name


def _filter(type_: ForecastType, conditions: Conditions, *, author: Person | None, at: datetime) -> None:
    last = type_.filters.order_by("-known_from").first()
    known_from = at if last is None else max(at, last.known_from + timedelta(microseconds=1))
    ForecastTypeFilter(type=type_, conditions=conditions, known_from=known_from, set_by=author).save(
        force_insert=True
    )


def _conditions_of(type_: ForecastType) -> Conditions | None:
    return type_.filters.order_by("-known_from").values_list("conditions", flat=True).first()


def _state(type_: ForecastType) -> dict[str, Any]:
    retired = type_.retired_at
    return {
        "name": type_.name,
        "conditions": _conditions_of(type_),
        "retired_at": retired.isoformat() if retired else None,
    }


def _changed(type_: ForecastType, said: str, was: Mapping[str, Any]) -> Changed:
    payload = {"type": str(type_.id), "was": dict(was), "after": _state(type_)}
    return Changed(type_, said, undo_offer(UNDO, said=said, payload=payload))


def _note(action: str, type_: ForecastType, summary: str, *, conditions: Conditions | None = None) -> None:
    audit_append(
        action,
        subject_kind="forecast_type",
        subject_id=type_.id,
        summary=summary,
        detail={"slug": type_.slug, "conditions": conditions},
    )
