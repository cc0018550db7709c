"""The history of a forecast over the API: one point a week or a day, each as of then."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import MINOR, FrameItem, frame_item
from forecasting.history.report import STEPS, HistoryPoint, history_report
from forecasting.rollup.api import ColumnsItem, RollupQuery, amounts_item
from forecasting.types.queries import type_asked
from otc.api.endpoints import Endpoint
from otc.question import ask
from pipeline.process.columns import COLUMNS


class HistoryQuery(RollupQuery):
    step = serializers.ChoiceField(
        choices=tuple(STEPS), required=False, help_text="week (default), or day: the last fortnight."
    )


class HistoryPointItem(serializers.Serializer):
    as_of = serializers.DateTimeField()
    quota_minor = serializers.IntegerField(allow_null=True, help_text=MINOR)
    calls = serializers.DictField(
        child=serializers.IntegerField(), help_text=f"The call that stood, by column. {MINOR}"
    )
    amounts = ColumnsItem(help_text="By column: single categories and cumulative ones.")


class HistoryItem(FrameItem):
    type = serializers.CharField(allow_null=True, help_text="The forecast type; null for all deals.")
    step = serializers.CharField()
    person_id = serializers.UUIDField(allow_null=True, help_text="Whose calls they are.")
    points = HistoryPointItem(many=True, help_text="At most 16, the oldest first; the last is `as_of`.")


class HistoryEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_forecast"}

    @extend_schema(
        operation_id="forecast_history_get",
        tags=["forecasting"],
        parameters=[HistoryQuery],
        responses=HistoryItem,
    )
    def get(self, request: Request) -> Response:
        """How the forecast of a period and scope got to where it is, each point computed as of its instant."""
        parameters = self.parameters(HistoryQuery)
        question = ask(self.tenant, parameters)
        type_ = type_asked(parameters.get("type", ""))
        found = history_report(
            question, step=parameters.get("step") or "week", type_id=type_.id if type_ else None
        )
        more = {"type": type_.slug if type_ else None, "step": found.step, "person_id": found.person_id}
        return Response(
            frame_item(question) | more | {"points": [point_item(point) for point in found.points]}
        )


def point_item(point: HistoryPoint) -> dict[str, Any]:
    return {
        "as_of": point.as_of,
        "quota_minor": point.quota_minor,
        "calls": dict(point.calls),
        "amounts": {column: amounts_item(point.amounts[column]) for column in COLUMNS},
    }
