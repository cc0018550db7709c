"""How values come in: strict serializers, and fields for days, instants and free attributes."""

from datetime import UTC, date, datetime
from typing import Any

from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
LARGEST_ATTRIBUTES = 20_000


class Strict(serializers.Serializer):
    """A serializer that refuses names it doesn't know: a misspelt filter must not look like an empty one."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, QueryDict):
            data = _single_values(data)
        if isinstance(data, dict):
            known = [name for name, given in self.fields.items() if not given.read_only]
            unknown = {name: [_not_known(known)] for name in data if name not in known}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


def _not_known(known: list[str]) -> str:
    return "Not known here; known are: " + ", ".join(sorted(known)) if known else "Nothing can be given here."


def _single_values(query: QueryDict) -> dict[str, str]:
    repeated = {name: ["Given more than once."] for name in query if len(query.getlist(name)) > 1}
    if repeated:
        raise serializers.ValidationError(repeated)
    return {name: str(value) for name, value in query.items()}


class DayField(serializers.DateField):
    """A day of the years 1900 to 2200."""

    def to_internal_value(self, value: Any) -> date:
        day: date = super().to_internal_value(value)
        if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
            raise serializers.ValidationError(f"A day between {EARLIEST_YEAR} and {LATEST_YEAR}, please.")
        return day


class MomentField(serializers.DateTimeField):
    """An instant with its offset, of the years 1900 to 2200; kept in UTC."""

    def to_internal_value(self, value: Any) -> datetime:
        return _instant(str(value)) if isinstance(value, str) else self.fail("invalid", format="ISO 8601")


def _instant(text: str) -> datetime:
    try:
        instant = parse_datetime(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise serializers.ValidationError("An instant is written like 2026-11-22T09:30:00Z.")
    if not EARLIEST_YEAR <= instant.year <= LATEST_YEAR:
        raise serializers.ValidationError(f"A year between {EARLIEST_YEAR} and {LATEST_YEAR}, please.")
    return instant.astimezone(UTC)


class MomentQuery(Strict):
    """As of when something is asked for, as otc.question.ask reads it."""

    as_of = serializers.CharField(
        required=False,
        max_length=40,
        help_text="A day (its end, in the organization's zone) or an instant; default: now.",
    )
    knowledge = serializers.ChoiceField(
        choices=("then", "now"), required=False, help_text="Known at that instant, or known today of it."
    )


class FrameQuery(MomentQuery):
    """The whole frame of a report. A subclass adds the report's own parameters."""

    period = serializers.CharField(
        required=False,
        max_length=20,
        help_text="A fiscal year, quarter, month or week: 2026, 2026-Q4, 2026-11, 2026-W47. Years of weeks have "
        "2026-P11 for their months.",
    )
    currency = serializers.CharField(
        required=False,
        max_length=3,
        help_text="Sums in another currency that has rates: each deal at the rates of its close date. "
        "Default: the organization's, whatever the person sees on the pages.",
    )
    scope = serializers.CharField(
        required=False, max_length=40, help_text="Whose deals: a person's id, `unassigned` or `everyone`."
    )
    org_chart = serializers.ChoiceField(
        choices=("then", "now"), required=False, help_text="Whose reporting lines make up a scope."
    )


@extend_schema_field({"type": "object", "additionalProperties": True})
class AttributesField(serializers.JSONField):
    """Custom attributes: one JSON object that PostgreSQL can keep."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("An object, please.")
        text = str(data)
        if len(text) > LARGEST_ATTRIBUTES:
            raise serializers.ValidationError(f"At most {LARGEST_ATTRIBUTES} characters.")
        _check_storable(data)
        return data


def _check_storable(value: Any) -> None:
    """PostgreSQL's jsonb has no NUL, no lone surrogate and no infinity."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_storable(key)
            _check_storable(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_storable(inner)
    elif isinstance(value, str) and ("\x00" in value or any("\ud800" <= c <= "\udfff" for c in value)):
        raise serializers.ValidationError("A text in here has a character that can't be stored.")
    elif isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise serializers.ValidationError("A number in here isn't finite.")
