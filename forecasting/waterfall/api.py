"""The waterfall over the API: the flow page's report, and with `bucket` the deals behind one step, in pages."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
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
from forecasting.inspection.services import previous_visit
from forecasting.waterfall.groups import NO_GROUP, ordered, parse_key
from forecasting.waterfall.queries import Line, page_of
from forecasting.waterfall.report import ENDPOINT, GROUPS, MODES, WaterfallReport, waterfall_report
from forecasting.waterfall.rules import STEPS, Booking, Bucket, Total, Waterfall
from otc.api.endpoints import Endpoint
from otc.question import DAY, BadQuestion, Question, ask, aware, since_instant

DEALS_A_PAGE = 200


class FromToQuery(SinceQuery):
    """`from` and `to` are other words for `since` and `as_of`; `from` also takes an instant."""

    to = serializers.CharField(required=False, max_length=40, help_text="The same as `as_of`.")

    def get_fields(self) -> dict[str, serializers.Field]:
        start = serializers.CharField(
            required=False,
            max_length=40,
            help_text="The same as `since`: a day (its beginning) or an instant.",
        )
        fields: dict[str, serializers.Field] = {**super().get_fields(), "from": start}
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name, other in (("from", "since"), ("to", "as_of")):
            if attrs.get(name) and attrs.get(other):
                raise serializers.ValidationError({name: [f"The same as {other}: give one of the two."]})
        return attrs


class WaterfallQuery(FromToQuery):
    group_by = serializers.ChoiceField(
        choices=GROUPS,
        required=False,
        help_text="One more waterfall for each of these. Weeks are cut along a path and add up to `mode=path`.",
    )
    mode = serializers.ChoiceField(
        choices=MODES,
        required=False,
        default=ENDPOINT,
        help_text="`endpoint` compares the two instants; `path` adds up every version, rate change and line change "
        "between them, so a round trip shows in both directions.",
    )
    bucket = serializers.ChoiceField(
        choices=STEPS, required=False, help_text="Adds the deals behind this step, the largest effect first."
    )
    key = serializers.CharField(
        required=False,
        max_length=40,
        help_text=f"With `bucket` and `group_by`: only the deals of this group; `{NO_GROUP}` for null.",
    )
    page = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        max_value=999_999,
        help_text=f"Of {DEALS_A_PAGE} deals, from 0.",
    )


class NamedDealItem(serializers.Serializer):
    deal_id = serializers.UUIDField(
        allow_null=True, help_text="Null where the deal was handed to somebody whose deals you may not see."
    )
    name = serializers.CharField(allow_blank=True)
    account_name = serializers.CharField(allow_blank=True)
    owner_name = serializers.CharField(allow_blank=True)


class LineItem(NamedDealItem):
    at = serializers.DateTimeField(help_text="When it moved; in endpoint mode the later end.")
    before_minor = serializers.IntegerField(allow_null=True, help_text="Worth before; null: wasn't there.")
    after_minor = serializers.IntegerField(allow_null=True, help_text="Worth after the step.")
    amount_minor = serializers.IntegerField(help_text="The signed effect on the total.")


class EndItem(serializers.Serializer):
    amount_minor = serializers.IntegerField(help_text=MINOR)
    count = serializers.IntegerField(help_text="Deals, a split one once; in path mode, moves.")


class BucketItem(EndItem):
    name = serializers.ChoiceField(choices=[str(bucket) for bucket in Bucket])


class BookingItem(EndItem):
    name = serializers.ChoiceField(choices=[str(booking) for booking in Booking])


class FallItem(serializers.Serializer):
    """opening + every bucket = closing, exactly. Every bucket is there, empty ones too."""

    opening = EndItem()
    buckets = BucketItem(many=True)
    closing = EndItem()
    change_minor = serializers.IntegerField(help_text="closing - opening.")
    bookings = BookingItem(many=True, help_text="What changed the won deals of the period, beside it.")
    change_of_bookings_minor = serializers.IntegerField()


class FallGroupItem(FallItem):
    key = serializers.CharField(
        allow_null=True, help_text="A stage's, product's or person's id, a category, or a week's Monday."
    )
    name = serializers.CharField(allow_blank=True)


class OpenedItem(EndItem):
    """The deals behind one step: a page of them, with the sum and count of all."""

    bucket = serializers.ChoiceField(choices=STEPS)
    key = serializers.CharField(allow_null=True, required=False)
    deals = LineItem(many=True)
    next_page = serializers.IntegerField(allow_null=True)


class WaterfallItem(FrameItem, FallItem):
    since = serializers.DateTimeField()
    mode = serializers.ChoiceField(choices=MODES)
    unconvertible = NamedDealItem(many=True, help_text="Deals that lack a rate: in no sum, at neither end.")
    unconvertible_sums = UnconvertibleSumItem(many=True)
    groups = FallGroupItem(many=True, help_text="Empty without `group_by`; they add up to the whole.")
    opened = OpenedItem(allow_null=True, help_text="Null without `bucket`.")


class WaterfallEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_inspection"}

    @extend_schema(
        operation_id="waterfall_get",
        tags=["forecasting"],
        parameters=[WaterfallQuery],
        responses=WaterfallItem,
    )
    def get(self, request: Request) -> Response:
        """How the open pipeline of a period went from one instant to another, step by step."""
        parameters = self.parameters(WaterfallQuery)
        question = question_of(self.tenant, parameters)
        last_visit = previous_visit(self.tenant.person, page="inspection", now=self.tenant.now)
        group_by = parameters.get("group_by")
        report = waterfall_report(
            question.organization,
            period=question.period,
            since=since_of(question, parameters, last_visit=last_visit),
            group_by=group_by,
            mode=parameters["mode"],
            **question.frame,
        )
        names = ordered(report.groups, by=group_by, today=question.day) if group_by else []
        return Response(
            frame_item(question)
            | {"since": report.since, "mode": report.mode}
            | {"unconvertible": [named_deal_item(line) for line in report.unconvertible]}
            | {"unconvertible_sums": unconvertible_sum_items(report.unconvertible_sums)}
            | fall_item(report.waterfall)
            | {
                "groups": [
                    {"key": key, "name": "" if key is None else name, **fall_item(report.groups[key])}
                    for key, name in names
                ]
            }
            | {"opened": opened_item(report, parameters)}
        )


def question_of(tenant: Any, parameters: Mapping[str, Any]) -> Question:
    """The question, with `to` for `as_of`; a wrong one is told under the name that was used."""
    if not parameters.get("to"):
        return ask(tenant, parameters)
    try:
        return ask(tenant, {**parameters, "as_of": parameters["to"]})
    except BadQuestion as problem:
        name = "to" if problem.parameter == "as_of" else problem.parameter
        raise BadQuestion(name, problem.message) from problem


def since_of(question: Question, parameters: Mapping[str, Any], *, last_visit: datetime | None) -> datetime:
    """Where the waterfall begins: like the page by `since` (its period's first day unless said), or at `from`."""
    start = parameters.get("from")
    if not start:
        return since_instant(question, parameters.get("since") or "period", last_visit=last_visit)[1]
    try:
        instant = _instant(start, question)
    except (ValueError, OverflowError):
        raise BadQuestion(
            "from", f"“{start}” is not a day like 2026-11-02 or an instant like 2026-11-02T18:00Z"
        ) from None
    if instant > question.as_of:
        raise BadQuestion("from", "A waterfall starts before it ends")
    return instant


def _instant(text: str, question: Question) -> datetime:
    return question.start_of(date.fromisoformat(text)) if DAY.fullmatch(text) else aware(text, question.zone)


def fall_item(found: Waterfall) -> dict[str, Any]:
    """One waterfall as JSON."""
    return {
        "opening": end_item(found.opening),
        "buckets": [{"name": str(bucket.name)} | end_item(bucket) for bucket in found.buckets],
        "closing": end_item(found.closing),
        "change_minor": found.change_minor,
        "bookings": [{"name": str(booking.name)} | end_item(booking) for booking in found.bookings],
        "change_of_bookings_minor": found.change_of_bookings_minor,
    }


def opened_item(report: WaterfallReport, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """The page of deals behind the bucket that was asked for. Raises BadQuestion."""
    bucket, text, page = parameters.get("bucket"), parameters.get("key"), parameters["page"]
    if not bucket:
        return None
    falls, group = report.waterfall, None
    if text:
        try:
            group = parse_key(text, by=report.group_by or "")
            falls = report.groups[group]
        except (ValueError, KeyError):
            raise BadQuestion("key", f"“{text}” is no group of this waterfall") from None
    lines = report.lines(
        bucket,
        group=group,
        is_of_group=bool(text),
        offset=page * DEALS_A_PAGE,
        limit=DEALS_A_PAGE + 1,
    )
    lines, more = page_of(lines, DEALS_A_PAGE)
    total = falls.steps.get(bucket) or Total(bucket)
    return {"bucket": bucket, **({"key": group} if text else {}), **end_item(total)} | {
        "deals": line_items(lines),
        "next_page": page + 1 if more else None,
    }


def end_item(total: Total[Any]) -> dict[str, Any]:
    return {"amount_minor": total.amount_minor, "count": total.count}


def line_items(lines: Iterable[Line]) -> list[dict[str, Any]]:
    return [
        named_deal_item(line)
        | {
            "at": line.at,
            "before_minor": line.before_minor,
            "after_minor": line.after_minor,
            "amount_minor": line.amount_minor,
        }
        for line in lines
    ]


def named_deal_item(line: Line) -> dict[str, Any]:
    return {
        "deal_id": line.deal_id if line.is_visible else None,
        "name": line.name,
        "account_name": line.account_name,
        "owner_name": line.owner_name,
    }
