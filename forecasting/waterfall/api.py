"""The waterfall over the API: the flow page's report, with the deals behind each bucket."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
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
from forecasting.waterfall.picture import named_lines
from forecasting.waterfall.report import GROUPS, WaterfallReport, waterfall_report
from forecasting.waterfall.rules import Booking, Bucket, Total, Waterfall
from otc.api.endpoints import Endpoint
from otc.question import BadQuestion, Question, ask, since_instant
from pipeline.opportunities.models import Product
from pipeline.process.models import Category, Stage

ENDPOINT, PATH = "endpoint", "path"


class WaterfallQuery(SinceQuery):
    """`from` and `to` are other words for `since` and `as_of`; `from` also takes an instant."""

    to = serializers.CharField(required=False, max_length=40, help_text="The same as `as_of`.")
    group_by = serializers.ChoiceField(
        choices=tuple(GROUPS), required=False, help_text="One more waterfall for each of these."
    )
    mode = serializers.ChoiceField(
        choices=(ENDPOINT, PATH), required=False, default=ENDPOINT, help_text="Only `endpoint` so far."
    )
    deals = serializers.BooleanField(
        required=False, default=True, help_text="false leaves out the deals behind each bucket."
    )

    def get_fields(self) -> dict[str, serializers.Field]:
        start = serializers.CharField(
            required=False,
            max_length=40,
            help_text="The same as `since`: a day (its beginning) or an instant.",
        )
        fields: dict[str, serializers.Field] = {**super().get_fields(), "from": start}
        return fields

    def validate_mode(self, mode: str) -> str:
        if mode == PATH:
            raise serializers.ValidationError(
                "Path mode isn't there yet; mode=endpoint compares the two instants."
            )
        return mode

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name, other in (("from", "since"), ("to", "as_of")):
            if attrs.get(name) and attrs.get(other):
                raise serializers.ValidationError({name: [f"The same as {other}: give one of the two."]})
        return attrs


class NamedDealItem(serializers.Serializer):
    deal_id = serializers.UUIDField(
        allow_null=True, help_text="Null where the deal was handed to somebody whose deals you may not see."
    )
    name = serializers.CharField(allow_blank=True)
    account_name = serializers.CharField(allow_blank=True)
    owner_name = serializers.CharField(allow_blank=True)


class LineItem(NamedDealItem):
    before_minor = serializers.IntegerField(
        allow_null=True, help_text="Worth at `since`; null: wasn't there."
    )
    after_minor = serializers.IntegerField(allow_null=True, help_text="Worth at `as_of`.")
    amount_minor = serializers.IntegerField(help_text="The signed effect on the total.")


class EndItem(serializers.Serializer):
    amount_minor = serializers.IntegerField(help_text=MINOR)
    count = serializers.IntegerField(help_text="Deals.")
    deals = LineItem(many=True, required=False, help_text="The largest effect first.")


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
    unconvertible = NamedDealItem(many=True, help_text="Deals that lack a rate: in no sum, at neither end.")


class FallGroupItem(FallItem):
    key = serializers.CharField(allow_null=True, help_text="A stage's or product's id, or a category.")
    name = serializers.CharField(allow_blank=True)


class WaterfallItem(FrameItem, FallItem):
    since = serializers.DateTimeField()
    mode = serializers.ChoiceField(choices=(ENDPOINT,))
    unconvertible_sums = UnconvertibleSumItem(many=True)
    groups = FallGroupItem(many=True, help_text="Empty without `group_by`; they add up to the whole.")


class WaterfallEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_inspection"}

    @extend_schema(
        operation_id="waterfall_get",
        tags=["forecasting"],
        parameters=[WaterfallQuery],
        responses=WaterfallItem,
    )
    def get(self, request: Request) -> Response:
        """How the open pipeline of a period went from one instant to another, each step with its deals."""
        parameters = self.parameters(WaterfallQuery)
        question = question_of(self.tenant, parameters)
        last_visit = previous_visit(self.tenant.person, page="inspection", now=self.tenant.now)
        since = since_of(question, parameters, last_visit=last_visit)
        group_by = parameters.get("group_by")
        report = waterfall_report(
            question.organization, period=question.period, since=since, group_by=group_by, **question.frame
        )
        with_deals = parameters["deals"]
        names = names_of(group_by)
        groups = [
            {
                "key": None if key is None else str(key),
                "name": names.get(key, ""),
                **fall_item(found, report, with_deals=with_deals),
            }
            for key, found in sorted(report.groups.items(), key=lambda group: str(group[0] or ""))
        ]
        whole = fall_item(report.waterfall, report, with_deals=with_deals)
        return Response(
            frame_item(question)
            | {"since": report.since, "mode": ENDPOINT}
            | {"unconvertible_sums": unconvertible_sum_items(report.unconvertible_sums)}
            | whole
            | {"groups": groups}
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
    if len(text) == 10:
        return question.start_of(date.fromisoformat(text))
    # A plus in an address that wasn't escaped arrives as a space.
    instant = datetime.fromisoformat(text.replace(" ", "+"))
    return (instant if instant.tzinfo else instant.replace(tzinfo=question.zone)).astimezone(UTC)


def names_of(group_by: str | None) -> dict[Any, str]:
    """What the groups are called, by key."""
    if group_by == "category":
        return {key: str(label) for key, label in Category.choices}
    model: Any = {"stage": Stage, "product": Product}.get(group_by or "")
    return dict(model.objects.values_list("id", "name")) if model else {}


def fall_item(found: Waterfall, report: WaterfallReport, *, with_deals: bool) -> dict[str, Any]:
    """One waterfall as JSON."""

    def named(total: Total[Any]) -> dict[str, Any]:
        return {"name": str(total.name)} | end_item(total, report, with_deals=with_deals)

    return {
        "opening": end_item(found.opening, report, with_deals=with_deals),
        "buckets": [named(bucket) for bucket in found.buckets],
        "closing": end_item(found.closing, report, with_deals=with_deals),
        "change_minor": found.closing.amount_minor - found.opening.amount_minor,
        "bookings": [named(booking) for booking in found.bookings],
        "change_of_bookings_minor": found.change_of_bookings_minor,
        "unconvertible": [named_deal_item(deal_id, report) for deal_id in found.unconvertible],
    }


def end_item(total: Total[Any], report: WaterfallReport, *, with_deals: bool) -> dict[str, Any]:
    item: dict[str, Any] = {"amount_minor": total.amount_minor, "count": len(total.lines)}
    if with_deals:
        item["deals"] = [line_item(entry, report) for entry in named_lines(total, report)]
    return item


def line_item(entry: Mapping[str, Any], report: WaterfallReport) -> dict[str, Any]:
    line = entry["line"]
    return named_deal_item(entry["id"], report) | {
        "before_minor": line.before_minor,
        "after_minor": line.after_minor,
        "amount_minor": line.amount_minor,
    }


def named_deal_item(deal_id: Any, report: WaterfallReport) -> dict[str, Any]:
    deal = report.deals[deal_id]
    return {
        "deal_id": None if deal_id in report.hidden else deal_id,
        "name": deal.name,
        "account_name": deal.account_name,
        "owner_name": deal.owner_name,
    }
