"""The only writers of forecast types. A filter is never changed: the next one holds from its instant on."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.text import slugify

from forecasting.types.models import ForecastType, ForecastTypeFilter
from forecasting.types.rules import Conditions, read_conditions
from otc.audit.services import audit_append
from otc.fields.queries import field_book
from otc.tenancy.lines import lock_lines
from otc.tenancy.models import Organization, Person
from pipeline.opportunities.rules import Refused

MOST_TYPES = 20
RESERVED = frozenset({"all"})


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
) -> ForecastType:
    """Another name, or another filter from now on: periods that are over keep theirs. Raises Refused."""
    lock_lines()
    if type_.retired_at is not None:
        raise Refused("type", f"{type_.name} is retired; bring it back first")
    if name is not None:
        type_.name = _name(name)
        type_.save(update_fields=["name"])
    found = None
    if conditions is not None:
        found = conditions_read(organization, conditions)
        last = type_.filters.order_by("-known_from").first()
        at = now if last is None else max(now, last.known_from + timedelta(microseconds=1))
        _filter(type_, found, author=author, at=at)
    _note("forecast_type.changed", type_, f"Forecast type {type_.name} is changed", conditions=found)
    return type_


def forecast_type_retire(type_: ForecastType, *, now: datetime) -> None:
    """No longer offered; its calls, adjustments and past stay."""
    if type_.retired_at is None:
        type_.retired_at = now
        type_.save(update_fields=["retired_at"])
        _note("forecast_type.retired", type_, f"Forecast type {type_.name} is retired")


def forecast_type_restore(type_: ForecastType) -> None:
    """Offered again."""
    if type_.retired_at is not None:
        type_.retired_at = None
        type_.save(update_fields=["retired_at"])
        _note("forecast_type.restored", type_, f"Forecast type {type_.name} is back")


def conditions_read(organization: Organization, conditions: Mapping[str, Any]) -> Conditions:
    """As read_conditions, with the organization's own fields."""
    keys = frozenset(one.key for one in field_book("deal", organization).active)
    return read_conditions(conditions, fields=keys)


def _name(name: str) -> str:
    name = " ".join(name.split())[:100]
    if not name:
        raise Refused("name", "A forecast type needs a name")
    return name


def _filter(type_: ForecastType, conditions: Conditions, *, author: Person, at: datetime) -> None:
    ForecastTypeFilter(type=type_, conditions=conditions, known_from=at, set_by=author).save(
        force_insert=True
    )


def _note(action: str, type_: ForecastType, summary: str, *, conditions: Conditions | None = None) -> None:
    audit_append(
        action,
        subject_kind="forecast_type",
        subject_id=type_.id,
        summary=summary,
        detail={"slug": type_.slug, "conditions": conditions},
    )
