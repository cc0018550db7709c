"""The landing over the API: the page's report."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import (
    MINOR,
    FrameItem,
    SinceQuery,
    UnconvertibleSumItem,
    frame_item,
    unconvertible_sum_items,
)
from forecasting.landing.beside import forecasters, rollup_of
from forecasting.landing.report import LandingReport, landing_report
from forecasting.types.queries import type_asked
from otc.api.endpoints import Endpoint
from otc.question import ask, since_instant


class LandingQuery(SinceQuery):
    type = serializers.CharField(
        required=False, max_length=50, help_text="A forecast type; without it all deals."
    )


class LandingStageItem(serializers.Serializer):
    """The open deals of a stage, and what share of such deals past periods won from the same point on."""

    stage_id = serializers.UUIDField(allow_null=True)
    count = serializers.IntegerField()
    amount_minor = serializers.IntegerField(help_text=MINOR)
    seen_before = serializers.IntegerField(help_text="Past deals that stood in the stage at the same point.")
    won_before = serializers.IntegerField(help_text="How many of them their period won.")
    share = serializers.FloatField(help_text="0 to 1; leans on all stages' share where few were seen.")
    expected_minor = serializers.IntegerField(help_text=MINOR)


class ForecasterItem(serializers.Serializer):
    key = serializers.CharField(
        help_text="landing, call, stage_weighted, run_rate, commit_reported or commit_final."
    )
    amount_minor = serializers.IntegerField(allow_null=True, help_text=MINOR)


class LandingBranchItem(serializers.Serializer):
    person_id = serializers.UUIDField(allow_null=True, help_text="Null: unassigned.")
    name = serializers.CharField()
    amount_minor = serializers.IntegerField(help_text=MINOR)
    change_minor = serializers.IntegerField(help_text="Since `since`.")
    quota_minor = serializers.IntegerField(allow_null=True)


class StrayItem(serializers.Serializer):
    """A past period's remainder against what the others would have said of it: 0.1 is a tenth more."""

    period = serializers.CharField()
    strayed = serializers.FloatField()


class LandingAnswer(serializers.Serializer):
    frame = FrameItem()
    type = serializers.CharField(allow_null=True)
    since = serializers.DateTimeField()
    amount_minor = serializers.IntegerField(
        help_text=f"Where the period ends on average: won, open and to come. {MINOR}"
    )
    change_minor = serializers.IntegerField(help_text="Since `since`.")
    won_minor = serializers.IntegerField()
    open_minor = serializers.IntegerField(help_text="What is expected of the open deals.")
    to_come_minor = serializers.IntegerField(help_text="Of deals not created or not in the period yet.")
    p10_minor = serializers.IntegerField()
    p50_minor = serializers.IntegerField()
    p90_minor = serializers.IntegerField()
    quota_minor = serializers.IntegerField(allow_null=True)
    chance = serializers.FloatField(allow_null=True, help_text="Of reaching the quota, 0 to 1.")
    week = serializers.IntegerField(help_text="The last week that ended: where past periods are looked at.")
    past_periods = serializers.ListField(
        child=serializers.CharField(), help_text="Their keys, the latest first."
    )
    strays = StrayItem(many=True, help_text="Of the whole organization, the latest first.")
    swing = serializers.FloatField(help_text="How far a past period's remainder strayed, as a share.")
    stages = LandingStageItem(many=True)
    forecasters = ForecasterItem(many=True)
    branches = LandingBranchItem(many=True)
    unconvertible_sums = UnconvertibleSumItem(many=True)


class LandingEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_forecast"}

    @extend_schema(
        operation_id="landing",
        summary="Where a period will end",
        parameters=[LandingQuery],
        responses=LandingAnswer,
        tags=["forecasting"],
    )
    def get(self, request: Request) -> Response:
        parameters = self.parameters(LandingQuery)
        question = ask(self.tenant, parameters)
        _, since = since_instant(question, parameters.get("since", ""), last_visit=None)
        type_ = type_asked(parameters.get("type", ""))
        return Response(landing_item(landing_report(question, since=since, type_=type_)))


def landing_item(found: LandingReport) -> dict[str, Any]:
    landing, rolled = found.landing, rollup_of(found)
    return {
        "frame": frame_item(found.question),
        "type": found.type.slug if found.type else None,
        "since": found.since,
        "amount_minor": landing.mean_minor,
        "change_minor": found.change_minor,
        "won_minor": landing.won_minor,
        "open_minor": landing.open_minor,
        "to_come_minor": landing.later_minor,
        "p10_minor": landing.p10_minor,
        "p50_minor": landing.p50_minor,
        "p90_minor": landing.p90_minor,
        "quota_minor": found.quota_minor,
        "chance": found.chance,
        "week": found.week,
        "past_periods": found.pasts,
        "strays": [
            {"period": key, "strayed": found.strays[key]} for key in found.pasts if key in found.strays
        ],
        "swing": landing.swing,
        "stages": [
            {
                "stage_id": row.stage_id,
                "count": row.count,
                "amount_minor": row.minor,
                "seen_before": row.seen,
                "won_before": row.won,
                "share": row.share,
                "expected_minor": row.expected_minor,
            }
            for row in found.stages
        ],
        "forecasters": [{"key": one.key, "amount_minor": one.minor} for one in forecasters(found, rolled)],
        "branches": [
            {
                "person_id": row.person_id,
                "name": row.name,
                "amount_minor": row.mean_minor,
                "change_minor": row.change_minor,
                "quota_minor": row.quota_minor,
            }
            for row in found.branches
        ],
        "unconvertible_sums": unconvertible_sum_items(rolled.unconvertible_sums),
    }
