"""Health over the API: bands, failed checks, limits by stage, and the deals behind them."""

from dataclasses import asdict
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.parameters import MomentQuery
from otc.question import ask
from pipeline.health.listing import HealthRow
from pipeline.health.report import SORTS, Asked, HealthReport, health_report
from pipeline.health.rules import BANDS, CHECKS, most_of

CHECK_KEYS = [check.key for check in CHECKS]
BAND_KEYS = [band.key for band in BANDS]
SUM = "Minor units of `currency`; deals without a rate are in no sum."


class HealthQuery(MomentQuery):
    """Which deals: health has no period, it is about every open deal of the scope."""

    scope = serializers.CharField(
        required=False, max_length=40, help_text="Whose deals: a person's id, `unassigned` or `everyone`."
    )
    org_chart = serializers.ChoiceField(choices=("then", "now"), required=False)
    currency = serializers.CharField(required=False, max_length=3)
    band = serializers.ChoiceField(choices=BAND_KEYS, required=False)
    check = serializers.ChoiceField(choices=CHECK_KEYS, required=False, help_text="Deals that fail it.")
    sort = serializers.ChoiceField(
        choices=[name for sort in SORTS for name in (sort, f"-{sort}")], required=False, default="health"
    )
    page = serializers.IntegerField(required=False, default=0, min_value=0, max_value=100_000)


class HealthSumItem(serializers.Serializer):
    count = serializers.IntegerField()
    amount_minor = serializers.IntegerField(help_text=SUM)
    unconvertible = serializers.IntegerField()


class HealthBandItem(HealthSumItem):
    band = serializers.CharField(help_text="healthy, watch, weak or critical.")
    least = serializers.IntegerField(help_text="The lowest score of the band.")
    most = serializers.IntegerField()


class HealthCheckItem(HealthSumItem):
    check = serializers.CharField()
    title = serializers.CharField()
    penalty = serializers.IntegerField()
    is_made = serializers.BooleanField(help_text="False: the organization switched it off.")


class HealthStageItem(serializers.Serializer):
    stage_id = serializers.UUIDField()
    name = serializers.CharField()
    stalled_days = serializers.IntegerField()
    silent_days = serializers.IntegerField()
    least_days_to_close = serializers.IntegerField()
    won_deals = serializers.IntegerField()
    is_default = serializers.BooleanField(help_text="Too few won deals yet to learn from.")


class HealthDayItem(serializers.Serializer):
    day = serializers.DateField()
    band = serializers.CharField(help_text="healthy, watch, weak or critical.")
    deal_count = serializers.IntegerField()
    amount_minor = serializers.IntegerField(help_text="Minor units of the organization's currency.")


class FailedCheckItem(serializers.Serializer):
    check = serializers.CharField()
    title = serializers.CharField()
    penalty = serializers.IntegerField()
    detail = serializers.CharField(help_text="Why, as a sentence with its numbers.")


class DealHealthItem(serializers.Serializer):
    deal_id = serializers.UUIDField()
    name = serializers.CharField()
    owner_id = serializers.UUIDField(allow_null=True)
    owner_name = serializers.CharField(allow_null=True)
    stage_name = serializers.CharField(allow_null=True)
    amount_minor = serializers.IntegerField(allow_null=True, help_text="Minor units of the deal's currency.")
    currency = serializers.CharField()
    corporate_minor = serializers.IntegerField(allow_null=True)
    close_date = serializers.DateField(allow_null=True)
    score = serializers.IntegerField(allow_null=True, help_text="0 to 100; null: not scored yet.")
    failed = FailedCheckItem(many=True)
    why = serializers.CharField(allow_blank=True)


class HealthItem(serializers.Serializer):
    scope = serializers.CharField()
    as_of = serializers.DateTimeField()
    knowledge = serializers.CharField()
    org_chart = serializers.CharField()
    currency = serializers.CharField()
    total = HealthSumItem(help_text="All open deals of the scope.")
    mean = serializers.FloatField(allow_null=True)
    unscored = serializers.IntegerField()
    bands = HealthBandItem(many=True)
    checks = HealthCheckItem(many=True)
    stages = HealthStageItem(many=True)
    days = HealthDayItem(many=True, help_text="As the daily run left them, this weekday of thirteen weeks.")
    shown = HealthSumItem(help_text="The deals of the asked band or check, on all pages.")
    deals = DealHealthItem(many=True)
    next = serializers.URLField(allow_null=True)


class HealthEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_health"}

    @extend_schema(
        operation_id="health_get", tags=["pipeline"], parameters=[HealthQuery], responses=HealthItem
    )
    def get(self, request: Request) -> Response:
        """How healthy the open deals are, what fails, and why; as of any past day judged by what was known then."""
        parameters = self.parameters(HealthQuery)
        question = ask(self.tenant, {**parameters, "period": ""})
        asked = Asked(
            band=parameters.get("band", ""),
            check=parameters.get("check", ""),
            sort=parameters["sort"],
            page=parameters["page"],
        )
        report = health_report(question, asked=asked)
        frame = question.frame
        return Response(
            {
                "scope": question.scope,
                "as_of": question.as_of,
                "knowledge": frame["knowledge"],
                "org_chart": question.org_chart,
                "currency": question.currency,
                **report_item(report),
                "next": next_page(request, report),
            }
        )


def report_item(report: HealthReport) -> dict[str, Any]:
    return {
        "total": asdict(report.total),
        "mean": report.mean,
        "unscored": report.unscored,
        "bands": [
            {"band": one.band.key, "least": one.band.least, "most": most_of(one.band), **asdict(one.sum)}
            for one in report.bands
        ],
        "checks": [
            {
                "check": one.check.key,
                "title": one.check.title,
                "penalty": one.penalty,
                "is_made": one.is_made,
                **asdict(one.sum),
            }
            for one in report.checks
        ],
        "stages": [
            {
                "stage_id": one.stage_id,
                "name": one.name,
                **{
                    name: getattr(one.thresholds, name)
                    for name in (
                        *("stalled_days", "silent_days", "least_days_to_close", "won_deals"),
                        "is_default",
                    )
                },
            }
            for one in report.stages
        ],
        "days": [asdict(one) for one in report.days],
        "shown": asdict(report.shown),
        "deals": [deal_item(row) for row in report.rows],
    }


def deal_item(row: HealthRow) -> dict[str, Any]:
    """The deal under its JSON names, those of DealHealthItem."""
    names = [str(name) for name in DealHealthItem().fields if name != "deal_id"]
    return {"deal_id": row.opportunity_id, **{name: getattr(row, name) for name in names}}


def next_page(request: Request, report: HealthReport) -> str | None:
    """The address of the next page with the same parameters."""
    if not report.has_more:
        return None
    query = request._request.GET.copy()
    query["page"] = str(report.asked.page + 1)
    return str(request.build_absolute_uri(f"{request.path}?{query.urlencode()}"))
