"""The flow over the API: the matrix's cells and margins, and with `start` and `end` a cell's deals."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import (
    MINOR,
    FrameItem,
    UnconvertibleSumItem,
    frame_item,
    unconvertible_sum_items,
)
from forecasting.flow.places import name_of, place_of
from forecasting.flow.report import BUCKET, BY, GROUP, FlowReport, Place, flow_report
from forecasting.inspection.services import previous_visit
from forecasting.waterfall.api import (
    DEALS_A_PAGE,
    FromToQuery,
    LineItem,
    line_items,
    question_of,
    since_of,
)
from forecasting.waterfall.groups import ordered
from forecasting.waterfall.queries import page_of
from otc.api.endpoints import Endpoint

PLACE = "`group:<key>` (`group:none` for none) or `bucket:<name>`"


class FlowQuery(FromToQuery):
    by = serializers.ChoiceField(choices=BY, required=False, default=BY[0])
    start = serializers.CharField(
        required=False, max_length=60, help_text=f"With `end`: the cell whose deals to add; {PLACE}."
    )
    end = serializers.CharField(required=False, max_length=60, help_text=PLACE)
    page = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        max_value=999_999,
        help_text=f"Of {DEALS_A_PAGE} deals, from 0.",
    )


class PlaceItem(serializers.Serializer):
    kind = serializers.ChoiceField(choices=(GROUP, BUCKET))
    key = serializers.CharField(
        allow_null=True, help_text="A stage's id or a category, null for none; or a waterfall's bucket."
    )
    name = serializers.CharField()


class CellItem(serializers.Serializer):
    start = PlaceItem()
    end = PlaceItem()
    amount_minor = serializers.IntegerField(help_text=MINOR)
    count = serializers.IntegerField(help_text="Deals, a split one once.")


class MarginItem(PlaceItem):
    amount_minor = serializers.IntegerField(help_text=MINOR)
    count = serializers.IntegerField(help_text="Deals.")


class CellDealsItem(CellItem):
    deals = LineItem(many=True)
    next_page = serializers.IntegerField(allow_null=True)


class FlowItem(FrameItem):
    """Rows from groups add up to their openings and the others to the waterfall's buckets, columns of groups to their
    closings and the others to what left, at the waterfall's amounts.
    """

    since = serializers.DateTimeField()
    by = serializers.ChoiceField(choices=BY)
    cells = CellItem(many=True)
    rows = MarginItem(many=True)
    columns = MarginItem(many=True)
    unconvertible_sums = UnconvertibleSumItem(many=True)
    opened = CellDealsItem(allow_null=True, help_text="Null without `start` and `end`.")


class FlowEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_inspection"}

    @extend_schema(operation_id="flow_get", tags=["forecasting"], parameters=[FlowQuery], responses=FlowItem)
    def get(self, request: Request) -> Response:
        """What went from which stage or category to which between two instants, came in, was revalued and left."""
        parameters = self.parameters(FlowQuery)
        question = question_of(self.tenant, parameters)
        last_visit = previous_visit(self.tenant.person, page="inspection", now=self.tenant.now)
        since = since_of(question, parameters, last_visit=last_visit)
        by = parameters["by"]
        report = flow_report(
            question.organization, period=question.period, since=since, by=by, **question.frame
        )
        keys = ordered(report.groups, by=by, today=question.day)
        names = dict(keys)
        groups: list[Place] = [(GROUP, key) for key, _ in keys]
        starts = [*groups, *((BUCKET, way) for way in report.ways_in)]
        ends = [*groups, *((BUCKET, way) for way in report.ways_out)]
        return Response(
            frame_item(question)
            | {"since": report.since, "by": by}
            | {
                "cells": [
                    cell_item(report, start, end, names)
                    for start in starts
                    for end in ends
                    if (start, end) in report.cells
                ],
                "rows": [
                    place_item(start, names)
                    | {"amount_minor": report.row(start).amount_minor, "count": report.row(start).count}
                    for start in starts
                ],
                "columns": [
                    place_item(end, names)
                    | {"amount_minor": report.column(end).amount_minor, "count": report.column(end).count}
                    for end in ends
                ],
                "unconvertible_sums": unconvertible_sum_items(report.unconvertible_sums),
                "opened": opened_item(report, parameters, names),
            }
        )


def place_item(place: Place, names: dict[str | None, str]) -> dict[str, Any]:
    return {"kind": place[0], "key": place[1], "name": name_of(place, names)}


def cell_item(report: FlowReport, start: Place, end: Place, names: dict[str | None, str]) -> dict[str, Any]:
    cell = report.cell(start, end)
    return {
        "start": place_item(start, names),
        "end": place_item(end, names),
        "amount_minor": cell.amount_minor,
        "count": cell.count,
    }


def opened_item(
    report: FlowReport, parameters: dict[str, Any], names: dict[str | None, str]
) -> dict[str, Any] | None:
    """A page of the deals of the cell that was asked for. Raises BadQuestion."""
    if not parameters.get("start") and not parameters.get("end"):
        return None
    start, end = (
        place_of(parameters.get(name, ""), parameter=name, by=report.by) for name in ("start", "end")
    )
    page = parameters["page"]
    lines = report.lines(start, end, offset=page * DEALS_A_PAGE, limit=DEALS_A_PAGE + 1)
    lines, has_more = page_of(lines, DEALS_A_PAGE)
    return cell_item(report, start, end, names) | {
        "deals": line_items(lines),
        "next_page": page + 1 if has_more else None,
    }
