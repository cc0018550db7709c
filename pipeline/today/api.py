"""Today over the API: whom a deal waits for, why, and the answer."""

from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import PermissionDenied
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.parameters import DayField, Strict
from otc.money.rules import LARGEST_MINOR
from otc.question import ask
from pipeline.opportunities.api import DealEndpoint
from pipeline.opportunities.queries import visible_opportunities
from pipeline.today.models import DealAnswer
from pipeline.today.report import QueueRow, today_report
from pipeline.today.rules import ANSWERS, REASONS
from pipeline.today.services import ENDINGS, Answer, action_of, deal_answer

TAGS = ["today"]
MOST = 100


class TodayQuery(Strict):
    scope = serializers.CharField(
        required=False, max_length=40, help_text="Whose: a person's id, or `unassigned`. Default: your own."
    )
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST, default=25)


class TodayReason(serializers.Serializer):
    key = serializers.ChoiceField([reason.key for reason in REASONS])
    title = serializers.CharField()
    urgency = serializers.IntegerField(help_text="Percent.")


class TodayDeal(serializers.Serializer):
    opportunity_id = serializers.UUIDField()
    name = serializers.CharField()
    owner_id = serializers.UUIDField(allow_null=True)
    amount_minor = serializers.IntegerField(allow_null=True, help_text="Minor units of `currency`.")
    currency = serializers.CharField()
    corporate_minor = serializers.IntegerField(allow_null=True)
    close_date = serializers.DateField(allow_null=True)
    next_step = serializers.CharField(allow_blank=True)
    next_step_on = serializers.DateField(allow_null=True)
    headline = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    reasons = TodayReason(many=True, help_text="The most urgent first.")
    worth = serializers.IntegerField(
        help_text="Amount x chance (basis points) x urgency (percent): the order."
    )


class TodayItem(serializers.Serializer):
    day = serializers.DateField()
    count = serializers.IntegerField(help_text="Of the whole queue, not only of what is listed.")
    total_minor = serializers.IntegerField()
    currency = serializers.CharField()
    close_dates_passed = serializers.IntegerField()
    next_steps_due = serializers.IntegerField()
    done = serializers.IntegerField(help_text="Deals answered today.")
    results = TodayDeal(many=True)


class AnswerInput(Strict):
    """`push` and `snooze` take `day`; `next_step` takes `text` and `day`; `lose` a reason."""

    kind = serializers.ChoiceField(ANSWERS)
    day = DayField(required=False)
    amount_minor = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_MINOR)
    text = serializers.CharField(required=False, allow_blank=True, max_length=500)
    is_done = serializers.BooleanField(
        required=False, help_text="With `next_step`: the present step is done, and logged so."
    )
    outcome = serializers.ChoiceField(tuple(ENDINGS), required=False)
    reason_id = serializers.UUIDField(required=False)
    competitor_id = serializers.UUIDField(required=False, allow_null=True)


class AnswerItem(serializers.Serializer):
    id = serializers.UUIDField()
    opportunity_id = serializers.UUIDField()
    kind = serializers.ChoiceField(ANSWERS)
    said = serializers.CharField(help_text="What it did, in words.")
    reasons = serializers.ListField(child=serializers.CharField())
    at = serializers.DateTimeField()
    holds_until = serializers.DateField(help_text="Before that day it isn't asked again for these reasons.")


class Today(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(operation_id="today", tags=TAGS, parameters=[TodayQuery], responses=TodayItem)
    def get(self, request: Request) -> Response:
        """The deals that need a decision today, in the order of what deciding is worth."""
        parameters = self.parameters(TodayQuery)
        scope = parameters.get("scope") or str(self.tenant.person.id)
        report = today_report(ask(self.tenant, {"scope": scope}), limit=parameters["limit"])
        return Response(
            {
                "day": report.question.day,
                "count": report.queue.count,
                "total_minor": report.queue.total_minor,
                "currency": report.question.currency,
                "close_dates_passed": report.queue.passed_count,
                "next_steps_due": report.queue.due_count,
                "done": report.done_count,
                "results": [deal_item(row) for row in report.rows],
            }
        )


class TodayAnswer(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "edit_deal"}

    @extend_schema(operation_id="today_answer", tags=TAGS, request=AnswerInput, responses={201: AnswerItem})
    def post(self, request: Request, opportunity_id: UUID) -> Response:
        """Answer for one opportunity: it is changed as the answer says, and leaves the queue."""
        self.check_visible(opportunity_id)
        answer = Answer(**self.content(AnswerInput))
        deals = visible_opportunities(self.tenant.visible).filter(id=opportunity_id)
        if not self.tenant.may_on(action_of(answer.kind), deals.values_list("owner_id", flat=True)[0]):
            raise PermissionDenied
        given = deal_answer(opportunity_id, answer, now=self.tenant.now, today=self.tenant.today)
        return Response(answer_item(given), status=201)


def deal_item(row: QueueRow) -> dict[str, Any]:
    deal = row.deal
    return {
        "opportunity_id": deal.id,
        "name": deal.name,
        "owner_id": deal.owner_id,
        "amount_minor": deal.amount_minor,
        "currency": deal.currency,
        "corporate_minor": deal.corporate_minor,
        "close_date": deal.close_date,
        "next_step": deal.next_step,
        "next_step_on": deal.next_step_on,
        "headline": row.headline,
        "detail": row.detail,
        "reasons": [{"key": one.key, "title": one.title, "urgency": one.urgency} for one in row.reasons],
        "worth": row.worth,
    }


def answer_item(given: DealAnswer) -> dict[str, Any]:
    names = ("id", "opportunity_id", "kind", "said", "reasons", "at", "holds_until")
    return {name: getattr(given, name) for name in names}
