"""Which forecast types are there, and which deals were of one at an instant? A condition in SQL on versions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from forecasting.types.models import ForecastType, ForecastTypeFilter
from forecasting.types.rules import REFERENCES, TEXTS, Conditions
from otc.fields.queries import field_book
from otc.fields.rules import PREFIX
from otc.question import BadQuestion
from otc.tenancy.models import Organization
from pipeline.fields.queries import read_sql


@dataclass(frozen=True)
class TypeCondition:
    """SQL on the version `v` with its parameters; the default holds for every deal."""

    sql: str = "true"
    parameters: dict[str, Any] = field(default_factory=dict)


# What an address may say for no type.
ALL = "all"
EVERY_DEAL = TypeCondition()
NO_DEAL = TypeCondition("false")


def types_offered() -> list[ForecastType]:
    """The types in their order, without retired ones."""
    return list(ForecastType.objects.filter(retired_at=None).order_by("position", "id"))


def type_asked(slug: str) -> ForecastType | None:
    """The type that an address means by `type`, a retired one too; None for all deals. Raises BadQuestion."""
    if not slug or slug == ALL:
        return None
    found: ForecastType | None = ForecastType.objects.filter(slug=slug[:50]).first()
    if found is None:
        known = ", ".join(one.slug for one in types_offered()) or "none yet"
        raise BadQuestion("type", f"There is no forecast type “{slug[:50]}”; known are: {known}")
    return found


def conditions_at(type_id: UUID, *, instant: datetime) -> Conditions | None:
    """The filter as it was at `instant`; before its beginning there was none."""
    filters = ForecastTypeFilter.objects.filter(type_id=type_id, known_from__lte=instant)
    found: Conditions | None = (
        filters.order_by("-known_from", "-id").values_list("conditions", flat=True).first()
    )
    return found


def type_condition(organization: Organization, *, type_id: UUID | None, instant: datetime) -> TypeCondition:
    """Which deals count in the forecast of the type, by the filter of `instant`: before there was one, by the first."""
    if type_id is None:
        return EVERY_DEAL
    conditions = conditions_at(type_id, instant=instant)
    if conditions is None:
        first = ForecastTypeFilter.objects.filter(type_id=type_id).order_by("known_from", "id").first()
        conditions = first.conditions if first else None
    return NO_DEAL if conditions is None else condition_of(organization, conditions)


def condition_of(organization: Organization, conditions: Conditions) -> TypeCondition:
    """The conditions as SQL. A field that is gone holds for no deal."""
    parts: list[str] = []
    parameters: dict[str, Any] = {}
    book = None
    for place, (name, values) in enumerate(sorted(conditions.items())):
        key = f"type_{place}"
        if name in TEXTS:
            parts.append(f"lower(v.{name}) = ANY(%({key})s::text[])")
            parameters[key] = [value.lower() for value in values]
        elif name in REFERENCES:
            parts.append(f"v.{name} = ANY(%({key})s::uuid[])")
            parameters[key] = values
        else:
            book = book or field_book("deal", organization)
            found = book.by_key(name.removeprefix(PREFIX))
            if found is None:
                return NO_DEAL
            sql, more = read_sql(found, "v")
            parts.append(f"({sql.replace('%(field_', f'%({key}_field_')})::text = ANY(%({key})s::text[])")
            parameters[key] = values
            parameters |= {f"{key}_{parameter}": value for parameter, value in more.items()}
    return TypeCondition(" AND ".join(parts), parameters)


def filters_of(types: Iterable[ForecastType]) -> dict[UUID, Any]:
    """The filter of today of each. One query."""
    found = ForecastTypeFilter.objects.filter(type__in=list(types)).order_by("type_id", "-known_from")
    return dict(found.distinct("type_id").values_list("type_id", "conditions"))
