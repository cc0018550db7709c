"""The forecast grid over the API: people by columns along the reporting line."""

from dataclasses import asdict
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import (
    MINOR,
    FrameItem,
    UnconvertibleItem,
    UnconvertibleSumItem,
    frame_item,
    unconvertible_items,
    unconvertible_sum_items,
)
from forecasting.quotas.rules import Coverage, State
from forecasting.rollup.adjusted import EffectRow
from forecasting.rollup.report import PersonRow, rollup_report
from forecasting.rollup.rules import Amounts
from forecasting.types.queries import type_asked
from otc.api.endpoints import Endpoint
from otc.api.parameters import FrameQuery
from otc.question import ask
from pipeline.process.columns import COLUMNS

AMOUNTS = {
    "own_minor": "The person's own deals.",
    "rolled_up_minor": "With the reports', all the way down, unadjusted.",
    "with_reports_adjustments_minor": "The same with the reports' adjustments.",
    "seen_minor": "With the person's own adjustment: what they see.",
    "final_minor": "With their manager's adjustment: what the manager sees.",
}


AmountsItem = type(
    "AmountsItem",
    (serializers.Serializer,),
    {name: serializers.IntegerField(help_text=f"{text} {MINOR}") for name, text in AMOUNTS.items()},
)
ColumnsItem = type("ColumnsItem", (serializers.Serializer,), {column: AmountsItem() for column in COLUMNS})


class CoverageItem(serializers.Serializer):
    state = serializers.CharField(help_text=f"One of {', '.join(State)}.")
    remaining = serializers.FloatField(allow_null=True, help_text="Open / (quota - won), in state `ratio`.")
    of_quota = serializers.FloatField(allow_null=True, help_text="Open / quota.")


class RollupRowItem(serializers.Serializer):
    person_id = serializers.UUIDField(allow_null=True, help_text="Null for unassigned and for the total.")
    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    manager_id = serializers.UUIDField(allow_null=True)
    depth = serializers.IntegerField()
    is_unassigned = serializers.BooleanField(help_text="No line leads from here to a top.")
    report_ids = serializers.ListField(child=serializers.UUIDField())
    deal_count = serializers.IntegerField(help_text="Of the person's own deals; of all for the total.")
    quota_minor = serializers.IntegerField(allow_null=True, help_text=MINOR)
    gap_minor = serializers.IntegerField(
        allow_null=True, help_text="Quota less closed; null without a quota."
    )
    commit_to_quota_minor = serializers.IntegerField(
        allow_null=True, help_text="Cumulative commit less quota; null without a quota."
    )
    coverage = CoverageItem()
    amounts = ColumnsItem(help_text="By column: single categories and cumulative ones.")


class JudgedItem(serializers.Serializer):
    """What the judgement of one deal adds to the effect."""

    step_id = serializers.UUIDField()
    opportunity_id = serializers.UUIDField()
    name = serializers.CharField()
    verdict = serializers.CharField(help_text="in, out, amount or date.")
    effect_minor = serializers.IntegerField(help_text=MINOR)
    ended = serializers.CharField(
        help_text="Why it does nothing any more: won, lost, no_decision, deleted, left; else empty."
    )


class EffectItem(serializers.Serializer):
    """What one adjustment does: final amounts are the unadjusted ones plus every effect of their column."""

    step_id = serializers.UUIDField()
    person_id = serializers.UUIDField()
    person = serializers.CharField(help_text="On whom it stands.")
    author_id = serializers.UUIDField()
    author = serializers.CharField()
    is_own = serializers.BooleanField()
    column = serializers.CharField()
    kind = serializers.CharField(help_text="absolute or delta.")
    amount_minor = serializers.IntegerField(help_text=f"As it was said. {MINOR}")
    below_minor = serializers.IntegerField(help_text=f"What it stands on. {MINOR}")
    effect_minor = serializers.IntegerField(help_text=f"What it adds. {MINOR}")
    reason = serializers.CharField()
    made_at = serializers.DateTimeField()
    expires_on = serializers.DateField(allow_null=True, help_text="The last day on which it counts.")
    is_stale = serializers.BooleanField(help_text="The amount below moved since it was made.")
    is_from_former_manager = serializers.BooleanField()
    deals = JudgedItem(many=True, help_text="The judged deals that it is made of; else empty.")


class OverlayItem(serializers.Serializer):
    person_id = serializers.UUIDField()
    name = serializers.CharField()
    open_minor = serializers.IntegerField(help_text=f"Of open deals that aren't omitted. {MINOR}")
    won_minor = serializers.IntegerField(help_text=MINOR)
    deal_count = serializers.IntegerField()


class RollupQuery(FrameQuery):
    type = serializers.CharField(
        required=False, max_length=50, help_text="A forecast type's slug; default: all deals."
    )


class RollupItem(FrameItem):
    type = serializers.CharField(allow_null=True, help_text="The forecast type; null for all deals.")
    columns = serializers.ListField(child=serializers.CharField())
    rows = RollupRowItem(many=True, help_text="Depth first, managers before their reports.")
    unassigned = RollupRowItem(help_text="Deals without an owner, or of owners without a line.")
    total = RollupRowItem(help_text="Every own amount and unassigned, summed.")
    effects = EffectItem(many=True, help_text="Every adjustment that counts in these rows.")
    unconvertible = UnconvertibleItem(many=True)
    unconvertible_sums = UnconvertibleSumItem(many=True)
    without_amount = serializers.IntegerField(help_text="Deals without an amount, counted as 0.")
    overlays = OverlayItem(many=True, help_text="Overlay splits by person: beside the forecast, in no sum.")


class RollupEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_forecast"}

    @extend_schema(
        operation_id="forecast_rollup_get",
        tags=["forecasting"],
        parameters=[RollupQuery],
        responses=RollupItem,
    )
    def get(self, request: Request) -> Response:
        """The forecast of a period: each person's amounts by column. Leaves and unassigned sum to the total."""
        parameters = self.parameters(RollupQuery)
        question = ask(self.tenant, parameters)
        type_ = type_asked(parameters.get("type", ""))
        report = rollup_report(
            question.organization,
            period=question.period,
            type_id=type_.id if type_ else None,
            **question.frame,
        )
        return Response(
            frame_item(question)
            | {
                "type": type_.slug if type_ else None,
                "columns": list(COLUMNS),
                "rows": [row_item(row) for row in report.rows],
                "unassigned": row_item(report.unassigned),
                "total": row_item(report.total),
                "effects": [effect_item(one) for one in report.effects],
                "unconvertible": unconvertible_items(report.unconvertible),
                "unconvertible_sums": unconvertible_sum_items(report.unconvertible_sums),
                "without_amount": report.without_amount,
                "overlays": [asdict(overlay) for overlay in report.overlays],
            }
        )


def row_item(row: PersonRow) -> dict[str, Any]:
    return {
        "person_id": row.person_id,
        "name": row.name,
        "title": row.title,
        "manager_id": row.manager_id,
        "depth": row.depth,
        "is_unassigned": row.is_unassigned,
        "report_ids": list(row.reports),
        "deal_count": row.deal_count,
        "quota_minor": row.quota_minor,
        "gap_minor": row.gap_minor,
        "commit_to_quota_minor": row.commit_to_quota_minor,
        "coverage": coverage_item(row.coverage),
        "amounts": {column: amounts_item(row.amounts[column]) for column in COLUMNS},
    }


def effect_item(effect: EffectRow) -> dict[str, Any]:
    found = asdict(effect)
    return found | {"person": found.pop("person_name"), "author": found.pop("author_name")}


def amounts_item(amounts: Amounts) -> dict[str, int]:
    """The five amounts (DEFINITIONS 5)."""
    return {
        "own_minor": amounts.own,
        "rolled_up_minor": amounts.rolled_up,
        "with_reports_adjustments_minor": amounts.with_reports_adjustments,
        "seen_minor": amounts.seen,
        "final_minor": amounts.final,
    }


def coverage_item(coverage: Coverage) -> dict[str, Any]:
    return {
        "state": str(coverage.state),
        "remaining": None if coverage.remaining is None else float(coverage.remaining),
        "of_quota": None if coverage.of_quota is None else float(coverage.of_quota),
    }
