"""Trends over the API: the trends page's report."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import (
    MINOR,
    FrameItem,
    PeriodItem,
    UnconvertibleSumItem,
    frame_item,
    period_item,
    unconvertible_sum_items,
)
from forecasting.rollup.api import CoverageItem, coverage_item
from forecasting.trends.make_up import Largest
from forecasting.trends.report import PeriodTrend, Trends, trends_report
from forecasting.trends.rules import Point
from otc.api.endpoints import Endpoint
from otc.api.parameters import FrameQuery
from otc.question import ask


class PointItem(serializers.Serializer):
    """The period at the end of a week, as it was known then (or is today, with `knowledge=now`)."""

    week = serializers.IntegerField(help_text="0 where the period starts.")
    at = serializers.DateTimeField()
    is_present = serializers.BooleanField(
        help_text="The question's own instant, in a week that hasn't ended."
    )
    open_minor = serializers.IntegerField(help_text=MINOR)
    pipeline_minor = serializers.IntegerField(help_text="A single category of the open pipeline.")
    best_case_minor = serializers.IntegerField()
    most_likely_minor = serializers.IntegerField()
    commit_minor = serializers.IntegerField()
    no_category_minor = serializers.IntegerField()
    open_count = serializers.IntegerField()
    won_minor = serializers.IntegerField(help_text="Won in the period so far.")
    won_count = serializers.IntegerField()
    created_minor = serializers.IntegerField(
        help_text="Deals created in the period so far, whenever they close, at their worth of that instant."
    )
    created_count = serializers.IntegerField()
    unconvertible_count = serializers.IntegerField(help_text="Deals of the period without a rate: in no sum.")
    coverage = CoverageItem()


class PeriodTrendItem(serializers.Serializer):
    period = PeriodItem()
    quota_minor = serializers.IntegerField(allow_null=True)
    points = PointItem(many=True)


class AgeItem(serializers.Serializer):
    from_days = serializers.IntegerField()
    below_days = serializers.IntegerField(allow_null=True, help_text="Null: and older.")
    count = serializers.IntegerField()
    amount_minor = serializers.IntegerField()


class LargestItem(serializers.Serializer):
    id = serializers.UUIDField(allow_null=True, help_text="Null for what you can't see today.")
    name = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()
    amount_minor = serializers.IntegerField()
    share = serializers.FloatField(help_text="Of the open pipeline, 0 to 1.")


class TrendsAnswer(serializers.Serializer):
    frame = FrameItem()
    current = PeriodTrendItem()
    pasts = PeriodTrendItem(many=True, help_text="The four periods before, the latest first.")
    needed_minor = serializers.ListField(
        child=serializers.IntegerField(allow_null=True),
        help_text="By week from 0: what past periods had created by then for wins of this period's quota; null "
        "without a quota or wins.",
    )
    ages = AgeItem(many=True)
    largest_deals = LargestItem(many=True)
    largest_accounts = LargestItem(many=True)
    unconvertible_sums = UnconvertibleSumItem(many=True)


class TrendsEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_inspection"}

    @extend_schema(
        operation_id="trends",
        summary="A period by week beside the four before it",
        parameters=[FrameQuery],
        responses=TrendsAnswer,
        tags=["forecasting"],
    )
    def get(self, request: Request) -> Response:
        parameters = self.parameters(FrameQuery)
        question = ask(self.tenant, parameters)
        return Response(trends_item(trends_report(question, knowledge=parameters.get("knowledge") or "then")))


def trends_item(trends: Trends) -> dict[str, Any]:
    made = trends.make_up
    return {
        "frame": frame_item(trends.question),
        "current": period_trend_item(trends.current),
        "pasts": [period_trend_item(past) for past in trends.pasts],
        "needed_minor": trends.needed,
        "ages": [
            {
                "from_days": age.band.first,
                "below_days": age.band.end,
                "count": age.count,
                "amount_minor": age.amount_minor,
            }
            for age in made.ages
        ],
        "largest_deals": [largest_item(one, made.open_minor) for one in made.deals],
        "largest_accounts": [largest_item(one, made.open_minor) for one in made.accounts],
        "unconvertible_sums": unconvertible_sum_items(made.unconvertible),
    }


def period_trend_item(trend: PeriodTrend) -> dict[str, Any]:
    return {
        "period": period_item(trend.period),
        "quota_minor": trend.quota_minor,
        "points": [point_item(point) for point in trend.points],
    }


def point_item(point: Point) -> dict[str, Any]:
    return {
        "week": point.sample.week,
        "at": point.sample.at,
        "is_present": point.is_present,
        "open_minor": point.sums.open_minor,
        **point.sums.by_column,
        "coverage": coverage_item(point.coverage),
    }


def largest_item(one: Largest, open_minor: int) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "count": one.count,
        "amount_minor": one.amount_minor,
        "share": one.amount_minor / open_minor if open_minor else 0.0,
    }
