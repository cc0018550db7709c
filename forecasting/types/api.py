"""Forecast types over the API: which there are, what each asks, and what a change of a filter would change."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.types.difference import type_difference
from forecasting.types.models import ForecastType
from forecasting.types.queries import filters_of, types_offered
from forecasting.types.services import (
    conditions_read,
    forecast_type_change,
    forecast_type_create,
    forecast_type_restore,
    forecast_type_retire,
)
from otc.api.endpoints import Endpoint
from otc.api.parameters import Strict
from otc.question import ask

TAGS = ["forecasting"]
VALUES = "By name a list of values: kind, source, process_id, stage_id, product_id, field.<key>. All hold together."


class ForecastTypeItem(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField(help_text="As `type` takes it.")
    conditions = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), help_text=VALUES
    )


class ForecastTypeList(serializers.Serializer):
    results = ForecastTypeItem(many=True)


class ForecastTypeInput(Strict):
    name = serializers.CharField(max_length=100)
    conditions = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=200)), help_text=VALUES
    )


class ForecastTypeChange(Strict):
    name = serializers.CharField(max_length=100, required=False)
    conditions = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=200)),
        required=False,
        help_text=VALUES,
    )
    is_retired = serializers.BooleanField(required=False)


class TypePreviewInput(Strict):
    """What the forecast of a period would be by other conditions; nothing is written."""

    period = serializers.CharField(max_length=8, required=False)
    conditions = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=200)), help_text=VALUES
    )


class TypePreviewItem(serializers.Serializer):
    period = serializers.CharField()
    deals_before = serializers.IntegerField()
    deals_after = serializers.IntegerField()
    before = serializers.DictField(child=serializers.IntegerField(), help_text="Unadjusted, by column.")
    after = serializers.DictField(child=serializers.IntegerField(), help_text="Unadjusted, by column.")


class ForecastTypes(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_forecast", "POST": "manage_forecast_types"}

    @extend_schema(operation_id="forecast_types_list", tags=TAGS, responses=ForecastTypeList)
    def get(self, request: Request) -> Response:
        """The types in their order. Without `type` a forecast is of all deals."""
        offered = list(types_offered())
        filters = filters_of(offered)
        return Response({"results": [item(one, filters.get(one.id, {})) for one in offered]})

    @extend_schema(
        operation_id="forecast_types_create",
        tags=TAGS,
        request=ForecastTypeInput,
        responses={201: ForecastTypeItem},
    )
    def post(self, request: Request) -> Response:
        """A further forecast beside that of all deals."""
        fields = self.content(ForecastTypeInput)
        made = forecast_type_create(
            self.tenant.organization, author=self.tenant.person, now=self.tenant.now, **fields
        )
        return Response(item(made, filters_of([made]).get(made.id, {})), status=201)


class ForecastTypeDetail(Endpoint):
    actions: ClassVar[dict[str, str]] = {"PATCH": "manage_forecast_types"}

    @extend_schema(
        operation_id="forecast_types_change",
        tags=TAGS,
        request=ForecastTypeChange,
        responses=ForecastTypeItem,
    )
    def patch(self, request: Request, type_id: UUID) -> Response:
        """Another name or filter, from now on; or retire it. Periods that are over keep the filter of their time."""
        found = ForecastType.objects.select_for_update().get(id=type_id)
        fields = self.content(ForecastTypeChange)
        retires = fields.pop("is_retired", None)
        if retires is False:
            forecast_type_restore(found)
        if fields:
            forecast_type_change(
                self.tenant.organization,
                type_=found,
                author=self.tenant.person,
                now=self.tenant.now,
                **fields,
            )
        if retires:
            forecast_type_retire(found, now=self.tenant.now)
        return Response(item(found, filters_of([found]).get(found.id, {})))


class ForecastTypePreview(Endpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "manage_forecast_types"}

    @extend_schema(
        operation_id="forecast_types_preview",
        tags=TAGS,
        request=TypePreviewInput,
        responses=TypePreviewItem,
    )
    def post(self, request: Request, type_id: UUID) -> Response:
        """What a change of the filter would change in a period, before it is made."""
        found = ForecastType.objects.get(id=type_id)
        fields = self.content(TypePreviewInput)
        organization = self.tenant.organization
        question = ask(self.tenant, {"period": fields.get("period", "")})
        wanted = conditions_read(organization, fields["conditions"])
        one = type_difference(question, period=question.period, type_=found, conditions=wanted)
        return Response(
            {
                "period": one.period.key,
                "deals_before": one.deals_before,
                "deals_after": one.deals_after,
                "before": one.before,
                "after": one.after,
            }
        )


def item(one: ForecastType, conditions: Any) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "slug": one.slug, "conditions": conditions}
