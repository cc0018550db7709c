"""Judgements of deals over the API: what managers said, and the next step of one's own."""

from datetime import datetime
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.adjustments.api import ADJUSTABLE_COLUMNS, CORPORATE
from forecasting.adjustments.rules import LARGEST_MINOR, Cell
from forecasting.judgements.models import DealJudgement, Verdict
from forecasting.judgements.rules import VERDICTS
from forecasting.judgements.services import (
    JudgementMade,
    SomebodyJudged,
    judgement_set,
    judgement_withdraw,
)
from otc.api.endpoints import Endpoint
from otc.api.errors import Problem, translate
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import DayField, MomentField, Strict
from otc.question import ask

TAGS = ["forecasting"]
COLUMNS = (
    "id",
    "period",
    "column",
    "person_id",
    "opportunity_id",
    "author_id",
    "verdict",
    "amount_minor",
    "currency",
    "close_date",
    "reason",
    "made_at",
)
SORTS = {"made_at": Sort("made_at", datetime)}
READ = "The latest judgement of the deal as you read it; null for none. Another by now is answered with 409."


def _changed(error: SomebodyJudged) -> Problem:
    said = error.reason
    if error.step is not None:
        said += f" (step {error.step.id}: {error.step.verdict})"
    return Problem(409, "conflict", said, {error.field: [error.reason]})


translate(SomebodyJudged, _changed)


class JudgementItem(serializers.Serializer):
    id = serializers.UUIDField()
    period = serializers.CharField()
    column = serializers.CharField(help_text=", ".join(ADJUSTABLE_COLUMNS))
    person_id = serializers.UUIDField(help_text="Whose part of the deal is judged.")
    opportunity_id = serializers.UUIDField()
    author_id = serializers.UUIDField()
    verdict = serializers.ChoiceField(Verdict.choices)
    amount_minor = serializers.IntegerField(allow_null=True, help_text=CORPORATE)
    currency = serializers.CharField()
    close_date = serializers.DateField(allow_null=True)
    reason = serializers.CharField()
    made_at = serializers.DateTimeField()


class JudgementQuery(PageQuery):
    period = serializers.CharField(required=False, max_length=8)
    person_id = serializers.UUIDField(required=False)
    opportunity_id = serializers.UUIDField(required=False)
    author_id = serializers.UUIDField(required=False)
    column = serializers.CharField(required=False, max_length=24)
    made_before = MomentField(required=False, help_text="Earlier than this instant.")
    sort = sort_field(SORTS, default="-made_at")


class PlaceInput(Strict):
    """Which deal of whom is meant, in which column of which period."""

    period = serializers.CharField(max_length=8, help_text="2026-Q4, 2026-11 or 2026.")
    person_id = serializers.UUIDField()
    column = serializers.CharField(max_length=40, help_text=", ".join(ADJUSTABLE_COLUMNS))
    opportunity_id = serializers.UUIDField()


class JudgementInput(PlaceInput):
    """A step is never changed: the next one replaces it."""

    verdict = serializers.ChoiceField(VERDICTS)
    amount_minor = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=LARGEST_MINOR, help_text=CORPORATE
    )
    close_date = DayField(required=False, allow_null=True)
    reason = serializers.CharField(max_length=500)
    expected_step_id = serializers.UUIDField(allow_null=True, help_text=READ)


class JudgementStepInput(PlaceInput):
    expected_step_id = serializers.UUIDField(help_text=READ)


class Judgements(Endpoint):
    actions: ClassVar[dict[str, str]] = {
        "GET": "view_forecast",
        "POST": "adjust_forecast",
        "DELETE": "adjust_forecast",
    }

    @extend_schema(
        operation_id="judgements_list",
        tags=TAGS,
        parameters=[JudgementQuery],
        responses=page_schema(JudgementItem),
    )
    def get(self, request: Request) -> Response:
        """Every judgement of deals of the people below you, the latest first; what is withdrawn too."""
        parameters = self.parameters(JudgementQuery)
        names = ("period", "person_id", "opportunity_id", "author_id", "column")
        given = {name: parameters[name] for name in names if parameters.get(name) is not None}
        if parameters.get("made_before") is not None:
            given["made_at__lt"] = parameters["made_before"]
        rows = DealJudgement.objects.filter(self.tenant.visible.owners.matching("person"), **given)
        rows = rows.exclude(person_id=self.tenant.person.id).values(*COLUMNS)
        return Response(paged(request, keyset_page(rows, parameters=parameters, sorts=SORTS)))

    @extend_schema(
        operation_id="judgements_set", tags=TAGS, request=JudgementInput, responses={201: JudgementItem}
    )
    def post(self, request: Request) -> Response:
        """Judge an open deal of a direct report: in or out of your call, at your amount, or on your date."""
        fields = self.content(JudgementInput)
        made = judgement_set(self.tenant.organization, **_said_by(self, fields), **fields)
        return Response(_item(made), status=201)

    @extend_schema(
        operation_id="judgements_withdraw",
        tags=TAGS,
        parameters=[JudgementStepInput],
        responses={200: JudgementItem},
    )
    def delete(self, request: Request) -> Response:
        """Withdraw the judgement that stands. What was said stays to be read."""
        fields = self.parameters(JudgementStepInput)
        return Response(
            _item(judgement_withdraw(self.tenant.organization, **_said_by(self, fields), **fields))
        )


def _said_by(endpoint: Endpoint, fields: dict[str, Any]) -> dict[str, Any]:
    """Who says it when, and in which cell, taken out of `fields`."""
    tenant = endpoint.tenant
    period = ask(tenant, {"period": fields.pop("period")}).period
    cell = Cell(period, fields.pop("person_id"), fields.pop("column"))
    return {"author": tenant.person, "cell": cell, "now": tenant.now, "today": tenant.today}


def _item(made: JudgementMade) -> dict[str, Any]:
    item: dict[str, Any] = DealJudgement.objects.filter(id=made.step.id).values(*COLUMNS).get()
    return item
