"""Calls over the API: what people submitted, and a call of one's own."""

from datetime import datetime
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.calls.models import Call, CallColumn
from forecasting.calls.services import call_submit
from forecasting.types.queries import type_asked
from otc.api.endpoints import Endpoint
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import MomentField, Strict
from otc.question import ask
from otc.tenancy.lines import Owners

TAGS = ["forecasting"]
COLUMNS = (
    "id",
    "person_id",
    "period",
    "type_id",
    "column",
    "amount_minor",
    "currency",
    "note",
    "submitted_at",
    "submitted_by_id",
)
SORTS = {"submitted_at": Sort("submitted_at", datetime)}


class CallItem(serializers.Serializer):
    id = serializers.UUIDField()
    person_id = serializers.UUIDField()
    period = serializers.CharField()
    type_id = serializers.UUIDField(allow_null=True, help_text="Null: of all deals.")
    column = serializers.ChoiceField(
        CallColumn.choices, help_text="Cumulative: with what is closed and surer."
    )
    amount_minor = serializers.IntegerField(help_text="Corporate minor units.")
    currency = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    submitted_at = serializers.DateTimeField()
    submitted_by_id = serializers.UUIDField(allow_null=True)


class CallQuery(PageQuery):
    period = serializers.CharField(required=False, max_length=8)
    person_id = serializers.UUIDField(required=False)
    type = serializers.CharField(
        required=False,
        max_length=50,
        help_text="A forecast type's slug; `all`: calls of all deals. Default: both.",
    )
    column = serializers.ChoiceField(CallColumn.choices, required=False)
    submitted_before = MomentField(required=False, help_text="Earlier than this instant.")
    sort = sort_field(SORTS, default="-submitted_at")


class CallInput(Strict):
    """The latest call per person, period and column counts; one that was submitted is never changed."""

    period = serializers.CharField(max_length=8, help_text="2026-Q4, 2026-11 or 2026.")
    amount_minor = serializers.IntegerField(min_value=0, max_value=2**62, help_text="Corporate minor units.")
    column = serializers.ChoiceField(CallColumn.choices, required=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=500)
    type_id = serializers.UUIDField(
        required=False, help_text="Of one type of forecast; left out: of all deals."
    )
    person_id = serializers.UUIDField(
        required=False, help_text="Somebody else, for administrators and integrations."
    )


def call_rows(parameters: dict[str, Any], *, visible: Owners) -> Any:
    """Calls of people whose deals may be seen, as the filters ask."""
    conditions = {
        "period": parameters.get("period"),
        "person_id": parameters.get("person_id"),
        "column": parameters.get("column"),
        "submitted_at__lt": parameters.get("submitted_before"),
    }
    given = {name: value for name, value in conditions.items() if value is not None}
    calls = Call.objects.filter(visible.matching("person"), **given)
    if "type" in parameters:
        calls = calls.filter(type=type_asked(parameters["type"]))
    return calls.values(*COLUMNS)


class Calls(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_forecast", "POST": "submit_call"}

    @extend_schema(
        operation_id="calls_list", tags=TAGS, parameters=[CallQuery], responses=page_schema(CallItem)
    )
    def get(self, request: Request) -> Response:
        """Every call of the people whose deals you may see, the latest first."""
        parameters = self.parameters(CallQuery)
        rows = call_rows(parameters, visible=self.tenant.visible.owners)
        return Response(paged(request, keyset_page(rows, parameters=parameters, sorts=SORTS)))

    @extend_schema(operation_id="calls_submit", tags=TAGS, request=CallInput, responses={201: CallItem})
    def post(self, request: Request) -> Response:
        """Submit a call for a period that still runs."""
        fields = self.content(CallInput)
        question = ask(self.tenant, {"period": fields.pop("period")})
        type_ = type_asked(fields.pop("type", ""))
        call = call_submit(
            self.tenant.organization,
            author=self.tenant.person,
            period=question.period,
            now=self.tenant.now,
            today=self.tenant.today,
            type_id=type_.id if type_ else None,
            **fields,
        )
        return Response(Call.objects.filter(id=call.id).values(*COLUMNS).get(), status=201)
