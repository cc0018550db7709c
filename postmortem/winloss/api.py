"""Win/loss over the API: how often deals are won, by what they are grouped by."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import (
    MINOR,
    FrameItem,
    PeriodItem,
    UnconvertibleItem,
    UnconvertibleSumItem,
    frame_item,
    unconvertible_items,
    unconvertible_sum_items,
)
from otc.api.endpoints import Endpoint
from otc.api.parameters import FrameQuery
from otc.question import ask
from postmortem.winloss.report import GROUPS, Group, winloss_report
from postmortem.winloss.rules import Row


class WinLossQuery(FrameQuery):
    """Without a `period`: all time."""

    group_by = serializers.ChoiceField(choices=GROUPS, required=False, default="person")


class RatesItem(serializers.Serializer):
    """Counts and sums of closed deals, and their rates (0 to 1, null where nothing was closed)."""

    won = serializers.IntegerField()
    lost = serializers.IntegerField()
    no_decision = serializers.IntegerField(help_text="Closed without a purchase from anyone.")
    won_minor = serializers.IntegerField(help_text=MINOR)
    lost_minor = serializers.IntegerField()
    no_decision_minor = serializers.IntegerField()
    win_rate = serializers.FloatField(allow_null=True, help_text="Won of all closed, by count.")
    low = serializers.FloatField(allow_null=True, help_text="Lower end of its 95 % interval (Wilson).")
    high = serializers.FloatField(allow_null=True, help_text="Upper end.")
    win_rate_by_amount = serializers.FloatField(allow_null=True)
    cycle_days = serializers.FloatField(allow_null=True, help_text="Median from creation to won.")


class WinLossGroupItem(RatesItem):
    key = serializers.CharField(
        allow_null=True, help_text="An id, a text or a quarter like 2026-Q4; null where the deals name none."
    )
    name = serializers.CharField(allow_blank=True)


class WinLossItem(FrameItem):
    period = PeriodItem(allow_null=True, help_text="Null: all time.")
    group_by = serializers.ChoiceField(choices=GROUPS)
    groups = WinLossGroupItem(many=True, help_text="By money won; quarters by time.")
    total = RatesItem()
    unconvertible = UnconvertibleItem(many=True)
    unconvertible_sums = UnconvertibleSumItem(many=True)
    without_amount = serializers.IntegerField(help_text="Closed deals without an amount, counted as 0.")


class WinLossEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_winloss"}

    @extend_schema(
        operation_id="winloss_get", tags=["postmortem"], parameters=[WinLossQuery], responses=WinLossItem
    )
    def get(self, request: Request) -> Response:
        """Deals closed in a period, or in all time: won, lost and without a decision, by group."""
        parameters = self.parameters(WinLossQuery)
        question = ask(self.tenant, parameters)
        is_all_time = not parameters.get("period")
        report = winloss_report(
            question.organization,
            group_by=parameters["group_by"],
            period=None if is_all_time else question.period,
            **question.frame,
        )
        return Response(
            frame_item(question)
            | ({"period": None} if is_all_time else {})
            | {
                "group_by": report.group_by,
                "groups": [group_item(group) for group in report.groups],
                "total": rates_item(report.total),
                "unconvertible": unconvertible_items(report.unconvertible),
                "unconvertible_sums": unconvertible_sum_items(report.unconvertible_sums),
                "without_amount": report.without_amount,
            }
        )


def group_item(group: Group) -> dict[str, Any]:
    key = None if group.key is None else str(group.key)
    return {"key": key, "name": group.name, **rates_item(group.row)}


def rates_item(row: Row) -> dict[str, Any]:
    closed, (low, high) = row.closed, row.interval or (None, None)
    return {
        "won": closed.won,
        "lost": closed.lost,
        "no_decision": closed.no_decision,
        "won_minor": closed.won_minor,
        "lost_minor": closed.lost_minor,
        "no_decision_minor": closed.no_decision_minor,
        "win_rate": None if row.win_rate is None else float(row.win_rate),
        "low": low,
        "high": high,
        "win_rate_by_amount": None if row.win_rate_by_amount is None else float(row.win_rate_by_amount),
        "cycle_days": row.cycle_days,
    }
