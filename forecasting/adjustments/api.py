"""Adjustments over the API: what was said and what it does, and the next step of one's own."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.adjustments.models import AdjustmentStep, StepKind
from forecasting.adjustments.rules import LARGEST_MINOR, Cell
from forecasting.adjustments.services import (
    Adjusted,
    SomebodyAdjusted,
    adjustment_keep,
    adjustment_set,
    adjustment_withdraw,
)
from forecasting.rollup.rules import ADJUSTABLE
from otc.api.endpoints import Endpoint
from otc.api.errors import Problem, translate
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import DayField, MomentField, Strict
from otc.question import ask
from otc.tenancy.lines import Owners

TAGS = ["forecasting"]
COLUMNS = (
    "id",
    "period",
    "type_id",
    "column",
    "person_id",
    "author_id",
    "is_own",
    "kind",
    "amount_minor",
    "currency",
    "reason",
    "expires_on",
    "base_minor",
    "made_at",
)
SORTS = {"made_at": Sort("made_at", datetime)}
ADJUSTABLE_COLUMNS = sorted(ADJUSTABLE)
CORPORATE = "Corporate minor units."
READ = "The latest step of your role in the cell as you read it; null for none. Another by now is answered with 409."


def _changed(error: SomebodyAdjusted) -> Problem:
    said = error.reason
    if error.step is not None:
        said += f" (step {error.step.id}: {error.step.kind} {error.step.amount_minor})"
    return Problem(409, "conflict", said, {error.field: [error.reason]})


translate(SomebodyAdjusted, _changed)


class AdjustmentItem(serializers.Serializer):
    id = serializers.UUIDField()
    period = serializers.CharField()
    type_id = serializers.UUIDField(allow_null=True, help_text="Null: the forecast of all deals.")
    column = serializers.CharField(help_text=", ".join(ADJUSTABLE_COLUMNS))
    person_id = serializers.UUIDField()
    author_id = serializers.UUIDField()
    is_own = serializers.BooleanField()
    kind = serializers.ChoiceField(StepKind.choices)
    amount_minor = serializers.IntegerField(help_text=CORPORATE)
    currency = serializers.CharField()
    reason = serializers.CharField()
    expires_on = serializers.DateField(allow_null=True, help_text="The last day on which it counts.")
    base_minor = serializers.IntegerField(help_text="The amount below it as its author saw it.")
    made_at = serializers.DateTimeField()


class AdjustmentQuery(PageQuery):
    period = serializers.CharField(required=False, max_length=8)
    type_id = serializers.UUIDField(required=False)
    person_id = serializers.UUIDField(required=False)
    author_id = serializers.UUIDField(required=False)
    column = serializers.CharField(required=False, max_length=24)
    made_before = MomentField(required=False, help_text="Earlier than this instant.")
    sort = sort_field(SORTS, default="-made_at")


class CellInput(Strict):
    """Which cell of the forecast is meant."""

    period = serializers.CharField(max_length=8, help_text="2026-Q4, 2026-11 or 2026.")
    person_id = serializers.UUIDField()
    column = serializers.CharField(max_length=40, help_text=", ".join(ADJUSTABLE_COLUMNS))
    type_id = serializers.UUIDField(required=False, allow_null=True)


class AdjustmentInput(CellInput):
    """A step is never changed: the next one replaces it."""

    kind = serializers.ChoiceField(("absolute", "delta"))
    amount_minor = serializers.IntegerField(
        min_value=-LARGEST_MINOR, max_value=LARGEST_MINOR, help_text=CORPORATE
    )
    reason = serializers.CharField(max_length=500)
    expires_on = DayField(required=False, allow_null=True)
    base_minor = serializers.IntegerField(
        required=False,
        min_value=-(2**62),
        max_value=2**62,
        help_text="The amount below as you read it; where it moved since, the step shows as stale.",
    )
    expected_step_id = serializers.UUIDField(allow_null=True, help_text=READ)


class StepInput(CellInput):
    expected_step_id = serializers.UUIDField(help_text=READ)


def adjustment_rows(parameters: dict[str, Any], *, visible: Owners, viewer_id: UUID) -> Any:
    """Steps on people whose deals may be seen; what a manager said of oneself is for the manager."""
    conditions = {
        name: parameters.get(name) for name in ("period", "type_id", "person_id", "author_id", "column")
    }
    conditions["made_at__lt"] = parameters.get("made_before")
    given = {name: value for name, value in conditions.items() if value is not None}
    rows = AdjustmentStep.objects.filter(visible.matching("person"), **given)
    return rows.exclude(person_id=viewer_id, is_own=False).values(*COLUMNS)


class Adjustments(Endpoint):
    actions: ClassVar[dict[str, str]] = {
        "GET": "view_forecast",
        "POST": "adjust_forecast",
        "DELETE": "adjust_forecast",
    }

    @extend_schema(
        operation_id="adjustments_list",
        tags=TAGS,
        parameters=[AdjustmentQuery],
        responses=page_schema(AdjustmentItem),
    )
    def get(self, request: Request) -> Response:
        """Every step on the people whose deals you may see, the latest first; what is withdrawn too."""
        parameters = self.parameters(AdjustmentQuery)
        visible = self.tenant.visible.owners
        rows = adjustment_rows(parameters, visible=visible, viewer_id=self.tenant.person.id)
        return Response(paged(request, keyset_page(rows, parameters=parameters, sorts=SORTS)))

    @extend_schema(
        operation_id="adjustments_set", tags=TAGS, request=AdjustmentInput, responses={201: AdjustmentItem}
    )
    def post(self, request: Request) -> Response:
        """Adjust your own amount, or that of a direct report, in a period that still runs and isn't locked."""
        fields = self.content(AdjustmentInput)
        made = adjustment_set(self.tenant.organization, **said_by(self, fields), **fields)
        return Response(_item(made), status=201)

    @extend_schema(
        operation_id="adjustments_withdraw",
        tags=TAGS,
        parameters=[StepInput],
        responses={200: AdjustmentItem},
    )
    def delete(self, request: Request) -> Response:
        """Withdraw the adjustment in force. What was said stays to be read."""
        fields = self.parameters(StepInput)
        return Response(
            _item(adjustment_withdraw(self.tenant.organization, **said_by(self, fields), **fields))
        )


class AdjustmentsKept(Endpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "adjust_forecast"}

    @extend_schema(
        operation_id="adjustments_keep", tags=TAGS, request=StepInput, responses={201: AdjustmentItem}
    )
    def post(self, request: Request) -> Response:
        """Say of a stale adjustment that it still holds, on the amount that is below now."""
        fields = self.content(StepInput)
        made = adjustment_keep(self.tenant.organization, **said_by(self, fields), **fields)
        return Response(_item(made), status=201)


def said_by(endpoint: Endpoint, fields: dict[str, Any]) -> dict[str, Any]:
    """Who says it when, and of which cell, taken out of `fields`."""
    tenant = endpoint.tenant
    period = ask(tenant, {"period": fields.pop("period")}).period
    cell = Cell(period, fields.pop("person_id"), fields.pop("column"), fields.pop("type_id", None))
    return {"author": tenant.person, "cell": cell, "now": tenant.now, "today": tenant.today}


def _item(made: Adjusted) -> dict[str, Any]:
    item: dict[str, Any] = AdjustmentStep.objects.filter(id=made.step.id).values(*COLUMNS).get()
    return item
