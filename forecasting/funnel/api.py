"""The funnel over the API: the funnel page's reports."""

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
from forecasting.funnel.report import Funnel, Pace, funnel_report, pace_report
from forecasting.funnel.rules import StageFlow, Velocity
from otc.api.endpoints import Endpoint
from otc.api.parameters import FrameQuery
from otc.fields.queries import field_book
from otc.question import ask


class FunnelQuery(FrameQuery):
    """The cohort is the deals created in `period`; velocity is of the deals closed in it."""

    process = serializers.UUIDField(required=False, help_text="Default: the default process.")
    segment = serializers.RegexField(
        r"^(owner|source|kind|product|field\.[a-z][a-z0-9_]{0,39})$",
        required=False,
        default="owner",
        help_text="owner, source, kind, product, or field.<key> of a custom field that isn't money.",
    )


class StayItem(serializers.Serializer):
    """Kaplan-Meier: who is still there counts for as long as it was seen."""

    median_days = serializers.IntegerField(allow_null=True, help_text="Null until half have left.")
    low_days = serializers.IntegerField(allow_null=True, help_text="95 %; null: not to be said yet.")
    high_days = serializers.IntegerField(allow_null=True)
    count = serializers.IntegerField(help_text="Stays; a deal that came again has several.")
    ended = serializers.IntegerField()


class IntervalItem(serializers.Serializer):
    low = serializers.FloatField()
    high = serializers.FloatField()


class StageFlowItem(serializers.Serializer):
    stage_id = serializers.UUIDField()
    name = serializers.CharField()
    position = serializers.IntegerField()
    entered = serializers.IntegerField()
    advanced = serializers.IntegerField(help_text="Later in a further stage, or won.")
    lost = serializers.IntegerField(help_text="Ended without that: lost or no decision.")
    open = serializers.IntegerField(help_text="Open, and no further yet.")
    skipped = serializers.IntegerField(help_text="Passed it over.")
    backward = serializers.IntegerField(help_text="Moves from it to an earlier stage.")
    conversion = serializers.FloatField(allow_null=True, help_text="advanced / (advanced + lost).")
    interval = IntervalItem(allow_null=True, help_text="Wilson, 95 %.")
    stay = StayItem()


class CohortItem(serializers.Serializer):
    count = serializers.IntegerField()
    won = serializers.IntegerField()
    not_won = serializers.IntegerField()
    open = serializers.IntegerField()
    win_rate = serializers.FloatField(allow_null=True, help_text="Aalen-Johansen: open deals are censored.")


class VelocityItem(serializers.Serializer):
    open_count = serializers.IntegerField()
    won = serializers.IntegerField()
    lost = serializers.IntegerField()
    no_decision = serializers.IntegerField()
    won_minor = serializers.IntegerField(help_text=MINOR)
    win_rate = serializers.FloatField(allow_null=True)
    interval = IntervalItem(allow_null=True)
    won_unconvertible = serializers.IntegerField(help_text="Won, and in no sum for want of a rate.")
    mean_won_minor = serializers.IntegerField(allow_null=True, help_text="Of those that a rate converts.")
    cycle_days = serializers.FloatField(
        allow_null=True, help_text="Median, creation to close date, of won deals."
    )
    a_day_minor = serializers.IntegerField(
        allow_null=True, help_text="Open deals x win rate x mean won amount / median cycle days."
    )


class SegmentItem(serializers.Serializer):
    key = serializers.CharField(allow_null=True, help_text="An id, a text or a field's value; null: none.")
    name = serializers.CharField(allow_blank=True)
    velocity = VelocityItem()


class PeriodVelocityItem(serializers.Serializer):
    period = PeriodItem()
    velocity = VelocityItem()


class FunnelAnswer(serializers.Serializer):
    frame = FrameItem()
    process_id = serializers.UUIDField(allow_null=True)
    cohort = CohortItem()
    stages = StageFlowItem(many=True)
    segment = serializers.CharField()
    velocity = VelocityItem()
    segments = SegmentItem(many=True)
    over_time = PeriodVelocityItem(many=True, help_text="Eight periods, oldest first.")
    unconvertible_sums = UnconvertibleSumItem(many=True)


class FunnelEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_inspection"}

    @extend_schema(
        operation_id="funnel",
        summary="A cohort in the stages; win rate, cycle time and velocity",
        parameters=[FunnelQuery],
        responses=FunnelAnswer,
        tags=["forecasting"],
    )
    def get(self, request: Request) -> Response:
        parameters = self.parameters(FunnelQuery)
        question = ask(self.tenant, parameters)
        book = field_book("deal", question.organization)
        process = parameters.get("process")
        return Response(
            funnel_item(
                funnel_report(question, process=str(process) if process else ""),
                pace_report(question, segment=parameters["segment"], book=book),
            )
        )


def funnel_item(funnel: Funnel, pace: Pace) -> dict[str, Any]:
    cohort = funnel.cohort
    return {
        "frame": frame_item(funnel.question),
        "process_id": funnel.process.id if funnel.process else None,
        "cohort": {
            "count": cohort.count,
            "won": cohort.won,
            "not_won": cohort.not_won,
            "open": cohort.open,
            "win_rate": cohort.win_rate,
        },
        "stages": [stage_item(stage) for stage in funnel.stages],
        "segment": pace.segment,
        "velocity": velocity_item(pace.total),
        "segments": [
            {"key": one.key, "name": one.name, "velocity": velocity_item(one.velocity)}
            for one in pace.segments
        ],
        "over_time": [
            {"period": period_item(period), "velocity": velocity_item(velocity)}
            for period, velocity in pace.over_time
        ],
        "unconvertible_sums": unconvertible_sum_items(pace.unconvertible),
    }


def stage_item(stage: StageFlow) -> dict[str, Any]:
    return {
        "stage_id": stage.stage_id,
        "name": stage.name,
        "position": stage.position,
        "entered": stage.entered,
        "advanced": stage.advanced,
        "lost": stage.lost,
        "open": stage.open,
        "skipped": stage.skipped,
        "backward": stage.backward,
        "conversion": None if stage.conversion is None else float(stage.conversion),
        "interval": interval_item(stage.interval),
        "stay": {
            "median_days": stage.stay.days,
            "low_days": stage.stay.low,
            "high_days": stage.stay.high,
            "count": stage.stay.count,
            "ended": stage.stay.ended,
        },
    }


def velocity_item(velocity: Velocity) -> dict[str, Any]:
    closed = velocity.closed
    return {
        "open_count": velocity.open_count,
        "won": closed.won,
        "lost": closed.lost,
        "no_decision": closed.no_decision,
        "won_minor": closed.won_minor,
        "win_rate": None if velocity.win_rate is None else float(velocity.win_rate),
        "interval": interval_item(velocity.interval),
        "won_unconvertible": closed.won_unpriced,
        "mean_won_minor": velocity.mean_won_minor,
        "cycle_days": velocity.cycle_days,
        "a_day_minor": velocity.a_day_minor,
    }


def interval_item(interval: tuple[float, float] | None) -> dict[str, float] | None:
    return None if interval is None else {"low": interval[0], "high": interval[1]}
