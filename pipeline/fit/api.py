"""Fit over the API: the scorecard that counts, its versions, and how well a deal fits."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.errors import refused, translate
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged
from otc.api.parameters import Strict
from pipeline.fit.models import Scorecard
from pipeline.fit.queries import books, offered_attributes, scorecard_now
from pipeline.fit.report import fit_report
from pipeline.fit.rules import BANDS, LONGEST_NAME, MOST_POINTS, RULE_WORDS, FitRefused, read_criterion
from pipeline.fit.services import scorecard_set
from pipeline.opportunities.api import DealEndpoint
from pipeline.opportunities.queries import visible_opportunity

TAGS = ["fit"]
BY_NUMBER = {"number": Sort("number", int)}

translate(FitRefused, lambda refusal: refused(refusal.field, refusal.reason))


class CriterionItem(serializers.Serializer):
    name = serializers.CharField()
    attribute = serializers.CharField(
        help_text="`account.industry`, `account.field.<key>`, `deal.source` ..."
    )
    rule = serializers.ChoiceField(tuple(RULE_WORDS))
    points = serializers.IntegerField()
    values = serializers.ListField(child=serializers.CharField())
    low = serializers.CharField(allow_null=True)
    high = serializers.CharField(allow_null=True)


class ScorecardItem(serializers.Serializer):
    """A version. The highest number counts; without criteria nothing is asked for."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    criteria = CriterionItem(many=True)
    fair_percent = serializers.IntegerField()
    good_percent = serializers.IntegerField()
    made_by_id = serializers.UUIDField(allow_null=True)
    made_at = serializers.DateTimeField()


class CriterionInput(Strict):
    name = serializers.CharField(max_length=LONGEST_NAME, required=False, allow_blank=True)
    attribute = serializers.CharField(max_length=100)
    rule = serializers.ChoiceField(tuple(RULE_WORDS))
    wanted = serializers.CharField(
        max_length=5000,
        required=False,
        allow_blank=True,
        help_text="As on the page: “Rail, Ports”, “500”, “500 to 5000”; nothing for `is_set`.",
    )
    points = serializers.IntegerField(min_value=1, max_value=MOST_POINTS)


class ScorecardInput(Strict):
    criteria = CriterionInput(many=True)
    fair_percent = serializers.IntegerField(min_value=1, max_value=100, default=40)
    good_percent = serializers.IntegerField(min_value=1, max_value=100, default=70)


class FitResultItem(serializers.Serializer):
    name = serializers.CharField()
    asked = serializers.CharField(help_text="In words.")
    given = serializers.CharField()
    is_met = serializers.BooleanField()
    points = serializers.IntegerField()


class FitItem(serializers.Serializer):
    """Null points and no results: the organization asks for nothing."""

    points = serializers.IntegerField(allow_null=True)
    of = serializers.IntegerField(allow_null=True)
    band = serializers.ChoiceField(BANDS, allow_null=True)
    scorecard_number = serializers.IntegerField(allow_null=True)
    results = FitResultItem(many=True)


def item(card: Scorecard) -> dict[str, Any]:
    names = ("id", "number", "criteria", "fair_percent", "good_percent", "made_by_id", "made_at")
    return {name: getattr(card, name) for name in names}


class FitScorecard(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "PUT": "manage_fit"}

    @extend_schema(operation_id="scorecard_get", tags=TAGS, responses=ScorecardItem)
    def get(self, request: Request) -> Response:
        """The scorecard by which deals are measured now; 404 before the first."""
        card = scorecard_now()
        if card is None:
            raise Http404
        return Response(item(card))

    @extend_schema(operation_id="scorecard_set", tags=TAGS, request=ScorecardInput, responses=ScorecardItem)
    def put(self, request: Request) -> Response:
        """Measure deals by these criteria from now on; what was stays readable as a version."""
        given = self.content(ScorecardInput)
        offered = {one.key: one for one in offered_attributes(books())}
        criteria = [
            read_criterion(
                field=f"criteria.{number}",
                name=one.get("name", ""),
                offered=offered.get(one["attribute"]),
                rule=one["rule"],
                typed=one.get("wanted", ""),
                points=one["points"],
            )
            for number, one in enumerate(given.pop("criteria"), start=1)
        ]
        made, _ = scorecard_set(criteria=criteria, now=self.tenant.now, **given)
        return Response(item(made))


class FitScorecards(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(
        operation_id="scorecards_list",
        tags=TAGS,
        parameters=[PageQuery],
        responses=page_schema(ScorecardItem),
    )
    def get(self, request: Request) -> Response:
        """Every version of the scorecard."""
        rows = Scorecard.objects.values(
            "id", "number", "criteria", "fair_percent", "good_percent", "made_by_id", "made_at"
        )
        page = keyset_page(rows, parameters=self.parameters(PageQuery), sorts=BY_NUMBER)
        return Response(paged(request, page))


class OpportunityFit(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(operation_id="opportunity_fit", tags=TAGS, responses=FitItem)
    def get(self, request: Request, opportunity_id: UUID) -> Response:
        """How well the deal fits, with a reason for each criterion."""
        deal = visible_opportunity(opportunity_id, visible=self.tenant.visible)
        if deal is None:
            raise Http404
        report = fit_report(account=deal.account, deal=deal, organization=self.tenant.organization)
        if report is None:
            nothing = dict.fromkeys(("points", "of", "band", "scorecard_number"))
            return Response({**nothing, "results": []})
        return Response(
            {
                "points": report.fit.points,
                "of": report.fit.of,
                "band": report.band,
                "scorecard_number": report.scorecard.number,
                "results": [
                    {
                        "name": result.criterion.name,
                        "asked": asked,
                        "given": result.reason,
                        "is_met": result.is_met,
                        "points": result.criterion.points,
                    }
                    for result, asked in report.rows
                ],
            }
        )
