"""Custom fields over the API: their definitions, and how values go in and out under `fields`."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.errors import refused, translate
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged
from otc.api.parameters import DayField, Strict
from otc.fields.models import CustomField, FieldKind, FieldObject
from otc.fields.queries import Book
from otc.fields.rules import MAX_DECIMALS, MAX_TEXT, NotAccepted, Option
from otc.fields.services import field_create, field_edit, field_move, field_retire

TAGS = ["fields"]
COLUMNS = (
    *("id", "object", "key", "label", "kind", "options", "currency", "decimals", "minimum", "maximum"),
    *("max_length", "required_from", "help_text", "position", "is_active"),
)
# By key, so that a page of a changing list neither skips nor repeats.
SORTS = {"id": Sort("id", UUID)}

translate(NotAccepted, lambda refusal: refused(refusal.key, refusal.reason))

VALUE = {
    "oneOf": [
        {"type": "string", "description": "Text; a choice's option key; an ISO day; a person's id."},
        {"type": "number"},
        {
            "type": "object",
            "required": ["amount_minor", "currency"],
            "properties": {"amount_minor": {"type": "integer"}, "currency": {"type": "string"}},
        },
    ],
    "nullable": True,
}


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": VALUE,
        "description": "Custom fields by key, as /fields defines them; null is not set.",
    }
)
class FieldValues(serializers.JSONField):
    """Values by key; the rules of each field are checked where they are written."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
            raise serializers.ValidationError("An object of fields by key, please.")
        return data


def with_fields(item: dict[str, Any], book: Book) -> dict[str, Any]:
    """A record's item with its custom fields under `fields` and only the rest under `attributes`."""
    attributes = item["attributes"]
    item["fields"] = book.members(attributes)
    item["attributes"] = book.others(attributes)
    return item


class OptionItem(serializers.Serializer):
    key = serializers.CharField(help_text="What a value holds; it never changes.")
    label = serializers.CharField()  # type: ignore[assignment]  # hides Field.label, on purpose
    is_retired = serializers.BooleanField(help_text="Stays where it stands and is not offered.")


class FieldItem(serializers.Serializer):
    id = serializers.UUIDField()
    object = serializers.ChoiceField(FieldObject.choices)
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # as above
    kind = serializers.ChoiceField(FieldKind.choices)
    options = OptionItem(many=True)
    currency = serializers.CharField(allow_blank=True, help_text="Money's only currency.")
    decimals = serializers.IntegerField()
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    max_length = serializers.IntegerField()
    required_from = serializers.DateField(allow_null=True, help_text="Records of that day or later need it.")
    help_text = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # as above
    position = serializers.IntegerField()
    is_active = serializers.BooleanField()


class FieldQuery(PageQuery):
    object = serializers.ChoiceField(FieldObject.choices, required=False)
    is_active = serializers.BooleanField(required=False, allow_null=True, default=None)


class OptionInput(Strict):
    key = serializers.CharField(max_length=40)
    label = serializers.CharField(max_length=80)  # type: ignore[assignment]  # as above
    is_retired = serializers.BooleanField(required=False, default=False)


class FieldEdit(Strict):
    """Only what is sent changes. `options` replaces the list; an option that is left out is retired."""

    label = serializers.CharField(max_length=80, required=False)  # type: ignore[assignment]  # as above
    help_text = serializers.CharField(  # type: ignore[assignment]  # as above
        max_length=300, required=False, allow_blank=True
    )
    options = OptionInput(many=True, required=False)
    decimals = serializers.IntegerField(required=False, min_value=0, max_value=MAX_DECIMALS)
    minimum = serializers.DecimalField(19, 6, required=False, allow_null=True)
    maximum = serializers.DecimalField(19, 6, required=False, allow_null=True)
    max_length = serializers.IntegerField(required=False, min_value=1, max_value=MAX_TEXT)
    required_from = DayField(required=False, allow_null=True)
    position = serializers.IntegerField(required=False, min_value=1, max_value=1000)
    is_active = serializers.BooleanField(required=False)


class FieldInput(Strict):
    object = serializers.ChoiceField(FieldObject.choices)
    label = serializers.CharField(max_length=80)  # type: ignore[assignment]  # as above
    kind = serializers.ChoiceField(FieldKind.choices)
    key = serializers.CharField(max_length=40, required=False)
    currency = serializers.CharField(min_length=3, max_length=3, required=False)
    help_text = serializers.CharField(  # type: ignore[assignment]  # as above
        max_length=300, required=False, allow_blank=True
    )
    options = OptionInput(many=True, required=False)
    decimals = serializers.IntegerField(required=False, min_value=0, max_value=MAX_DECIMALS)
    minimum = serializers.DecimalField(19, 6, required=False, allow_null=True)
    maximum = serializers.DecimalField(19, 6, required=False, allow_null=True)
    max_length = serializers.IntegerField(required=False, min_value=1, max_value=MAX_TEXT)
    required_from = DayField(required=False, allow_null=True)


def field_item(row: CustomField) -> dict[str, Any]:
    return as_item({name: getattr(row, name) for name in COLUMNS})


def as_item(row: dict[str, Any]) -> dict[str, Any]:
    options = [
        {name: option.get(name, False) for name in ("key", "label", "is_retired")}
        for option in row["options"]
    ]
    bounds = {name: None if row[name] is None else float(row[name]) for name in ("minimum", "maximum")}
    return {**row, **bounds, "options": options}


def with_options(values: dict[str, Any], row: CustomField | None = None) -> dict[str, Any]:
    """Options as the services take them; those left out of a changed list stay, retired."""
    if "options" not in values:
        return values
    present = {option.key: option for option in row.definition.options} if row else {}
    given = [
        Option(
            one["key"],
            one["label"],
            one["is_retired"],
            present[one["key"]].aliases if one["key"] in present else (),
        )
        for one in values["options"]
    ]
    named = {option.key for option in given}
    left = [Option(one.key, one.label, True, one.aliases) for one in present.values() if one.key not in named]
    return values | {"options": [*given, *left]}


def field_or_404(field_id: UUID) -> CustomField:
    row: CustomField | None = CustomField.objects.filter(id=field_id).first()
    if row is None:
        raise Http404
    return row


class Fields(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "POST": "manage_fields"}

    @extend_schema(
        operation_id="fields_list", tags=TAGS, parameters=[FieldQuery], responses=page_schema(FieldItem)
    )
    def get(self, request: Request) -> Response:
        """The custom fields of deals, accounts and contacts."""
        parameters = self.parameters(FieldQuery)
        rows = CustomField.objects.values(*COLUMNS)
        if parameters.get("object"):
            rows = rows.filter(object=parameters["object"])
        if parameters.get("is_active") is not None:
            rows = rows.filter(is_active=parameters["is_active"])
        page = keyset_page(rows, parameters=parameters, sorts=SORTS)
        return Response(paged(request, page) | {"results": [as_item(row) for row in page.rows]})

    @extend_schema(operation_id="fields_create", tags=TAGS, request=FieldInput, responses={201: FieldItem})
    def post(self, request: Request) -> Response:
        """A new field, the last of its object."""
        row = field_create(**with_options(self.content(FieldInput)))
        location = request.build_absolute_uri(f"{request.path}/{row.id}")
        return Response(field_item(row), status=201, headers={"Location": location})


class FieldDetail(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "PATCH": "manage_fields"}

    @extend_schema(operation_id="fields_get", tags=TAGS, responses=FieldItem)
    def get(self, request: Request, field_id: UUID) -> Response:
        """One field."""
        self.parameters(Strict)
        return Response(field_item(field_or_404(field_id)))

    @extend_schema(operation_id="fields_edit", tags=TAGS, request=FieldEdit, responses=FieldItem)
    def patch(self, request: Request, field_id: UUID) -> Response:
        """Change a definition, move it, retire or restore it. The key, the object and the kind stay."""
        row = field_or_404(field_id)
        changes = with_options(self.content(FieldEdit), row)
        position, is_active = changes.pop("position", None), changes.pop("is_active", None)
        if changes:
            field_edit(field_id, changes=changes)
        if is_active is not None and is_active != row.is_active:
            field_retire(field_id, is_active=is_active)
        if position is not None:
            field_move(field_id, to=position)
        return Response(field_item(field_or_404(field_id)))
