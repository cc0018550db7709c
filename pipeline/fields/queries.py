"""Custom fields in the SQL of deals: conditions and orders, on the typed table for now, on attributes for the past."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    DateField,
    Exists,
    F,
    FilteredRelation,
    Func,
    IntegerField,
    JSONField,
    OuterRef,
    Q,
    Subquery,
    TextField,
    UUIDField,
    Value,
    When,
)

from otc.api.pages import Sort
from otc.fields.rules import NOT_SET, Field, option_document
from otc.tenancy.models import Person
from pipeline.fields.asked import FieldCondition
from pipeline.fields.models import OpportunityFieldValue

# Which column of the typed table holds a kind's values.
COLUMN_OF = {
    "text": "text",
    "choice": "text",
    "number": "number",
    "money": "number",
    "date": "day",
    "person": "person_id",
}
SORTED = "sorted_field"


def matching(rows: Any, conditions: Iterable[FieldCondition], *, is_past: bool) -> Any:
    """The deals, or their versions where `is_past`, that hold every condition."""
    for place, condition in enumerate(conditions):
        if is_past:
            alias = f"field_{place}"
            rows = rows.alias(**{alias: read_expression(condition.field)}).filter(_asks(condition, alias))
        else:
            rows = rows.filter(_present(condition))
    return rows


def _present(condition: FieldCondition) -> Any:
    values = OpportunityFieldValue.objects.filter(field_id=condition.field.id, opportunity_id=OuterRef("id"))
    if condition.is_set is not None:
        return Exists(values) if condition.is_set else ~Exists(values)
    keys = [key for key in condition.keys if key != NOT_SET]
    if condition.keys:
        column = COLUMN_OF[condition.field.kind]
        held = Q(Exists(values.filter(**{f"{column}__in": keys}))) if keys else Q()
        return held | Q(~Exists(values)) if NOT_SET in condition.keys else held
    return Exists(values.filter(_asks(condition, COLUMN_OF[condition.field.kind])))


def _asks(condition: FieldCondition, column: str) -> Q:
    """The condition on one column that holds the value as it is compared, NULL where it isn't set."""
    if condition.is_set is not None:
        return Q(**{f"{column}__isnull": not condition.is_set})
    if condition.keys:
        keys = [key for key in condition.keys if key != NOT_SET]
        held = Q(**{f"{column}__in": keys})
        return held | Q(**{f"{column}__isnull": True}) if NOT_SET in condition.keys else held
    if condition.how:
        return _words(condition, column)
    found = Q()
    if condition.low is not None:
        found &= Q(**{f"{column}__gte": condition.low})
    if condition.high is not None:
        found &= Q(**{f"{column}__lte": condition.high})
    return found


# The largest code point: what starts with "kes" sorts from "kes" up to "kes" + LAST.
LAST = "\U0010ffff"


def _words(condition: FieldCondition, column: str) -> Q:
    """Case and spaces don't matter. What starts with words is a range, which an index on text in C order serves."""
    words = Func(Value(condition.words), function="pipeline_field_folded", output_field=TextField())
    if condition.how == "is":
        return Q(**{column: words})
    if condition.how == "contains":
        return Q(Contains(F(column), words))
    after = Func(words, Value(LAST), function="concat", output_field=TextField())
    return Q(**{f"{column}__gte": words, f"{column}__lt": after})


class Contains(Func):
    """Whether the second text stands in the first; neither is a pattern."""

    template = "(strpos(%(expressions)s) > 0)"
    conditional = True

    output_field = BooleanField()


def read_expression(field: Field, column: str = "attributes") -> Func:
    """The value of the field in a row's attributes, as it is compared; NULL where it isn't set."""
    return Func(
        F(column), *(Value(value, output_field=kind) for value, kind in _arguments(field)), **_reader(field)
    )


def _arguments(field: Field) -> list[tuple[Any, Any]]:
    arguments: list[tuple[Any, Any]] = [(field.attribute, TextField())]
    if field.kind == "money":
        arguments.append((field.currency, TextField()))
    if field.kind == "choice":
        arguments.append(([option_document(option) for option in field.options], JSONField()))
    return arguments


_READERS: dict[str, tuple[str, Any]] = {
    "text": ("pipeline_field_text", TextField),
    "choice": ("pipeline_field_option", TextField),
    "number": ("pipeline_field_number", BigIntegerField),
    "money": ("pipeline_field_minor", BigIntegerField),
    "date": ("pipeline_field_day", DateField),
    "person": ("pipeline_field_person", UUIDField),
}


def _reader(field: Field) -> dict[str, Any]:
    function, kind = _READERS[field.kind]
    return {"function": function, "output_field": kind()}


def read_sql(field: Field, alias: str) -> tuple[str, dict[str, Any]]:
    """The same as SQL over `alias`.attributes, with its parameters: for reports written by hand."""
    function, _ = _READERS[field.kind]
    parameters: dict[str, Any] = {"field_attribute": field.attribute}
    more = ""
    if field.kind == "money":
        parameters["field_currency"], more = field.currency, ", %(field_currency)s"
    if field.kind == "choice":
        parameters["field_options"] = json.dumps([option_document(option) for option in field.options])
        more = ", %(field_options)s::jsonb"
    return f"{function}({alias}.attributes, %(field_attribute)s{more})", parameters


def sortable(rows: Any, field: Field, *, is_past: bool) -> tuple[Any, Sort]:
    """The rows with what they are sorted by: options in their order, people by name; and the sort."""
    kind = {"number": int, "money": int, "choice": int}.get(field.kind)
    if is_past:
        rows = rows.alias(read_field=read_expression(field))
        if field.kind == "person":
            names = Person.objects.filter(id=OuterRef("read_field")).values("name_folded")[:1]
            return rows.annotate(**{SORTED: Subquery(names)}), Sort(SORTED, str, is_nullable=True)
        held = "read_field"
    else:
        relation = FilteredRelation("field_values", condition=Q(field_values__field_id=field.id))
        rows = rows.annotate(held_value=relation)
        held = f"held_value__{COLUMN_OF[field.kind]}"
        if field.kind == "person":
            held = "held_value__person__name_folded"
    order = _option_order(field, held) if field.kind == "choice" else F(held)
    rows = rows.annotate(**{SORTED: order})
    return rows, Sort(SORTED, kind or (date if field.kind == "date" else str), is_nullable=True)


def _option_order(field: Field, held: str) -> Case:
    cases = [When(**{held: option.key}, then=Value(place)) for place, option in enumerate(field.options)]
    return Case(*cases, default=Value(None), output_field=IntegerField())
