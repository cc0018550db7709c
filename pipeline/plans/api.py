"""Account plans over the API."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.parameters import Strict
from pipeline.accounts.models import Account
from pipeline.plans.report import plan_report
from pipeline.plans.services import MOST_PEOPLE, MOST_TOUCHES, Plan, Touch, account_plan_set


class PlanPersonFields(Strict):
    contact_id = serializers.UUIDField()
    why = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


class TouchInput(Strict):
    id = serializers.UUIDField(required=False, help_text="Of one that is there; without one it is new.")
    text = serializers.CharField(max_length=300)
    on = serializers.DateField()
    owner_id = serializers.UUIDField(required=False)
    is_done = serializers.BooleanField(required=False, default=False)


class AccountPlanInput(Strict):
    """The whole plan: what is left out is taken off."""

    goals = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")
    people = serializers.ListField(child=PlanPersonFields(), required=False, max_length=MOST_PEOPLE)
    touches = serializers.ListField(child=TouchInput(), required=False, max_length=MOST_TOUCHES)


class TouchItem(serializers.Serializer):
    id = serializers.UUIDField()
    text = serializers.CharField()
    on = serializers.DateField()
    owner_id = serializers.UUIDField(allow_null=True)
    done_at = serializers.DateTimeField(allow_null=True)


class PlanPersonItem(serializers.Serializer):
    contact_id = serializers.UUIDField()
    name = serializers.CharField()
    why = serializers.CharField(allow_blank=True)


class AccountPlanItem(serializers.Serializer):
    goals = serializers.CharField(allow_blank=True)
    people = PlanPersonItem(many=True)
    touches = TouchItem(many=True)


class AccountPlanDetail(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_accounts", "PUT": "edit_account"}

    @extend_schema(operation_id="account_plan_get", tags=["accounts"], responses=AccountPlanItem)
    def get(self, request: Request, account_id: UUID) -> Response:
        """Goals, people to know and next touches with one account."""
        self.parameters(Strict)
        return Response(_item(account_id))

    @extend_schema(
        operation_id="account_plan_set",
        tags=["accounts"],
        request=AccountPlanInput,
        responses=AccountPlanItem,
    )
    def put(self, request: Request, account_id: UUID) -> Response:
        """Write the whole plan."""
        _item(account_id)
        content = self.content(AccountPlanInput)
        plan = Plan(
            goals=content["goals"],
            people=[(one["contact_id"], one["why"]) for one in content.get("people", [])],
            touches=[Touch(**one) for one in content.get("touches", [])],
        )
        account_plan_set(account_id, plan, now=timezone.now())
        return Response(_item(account_id))


def _item(account_id: UUID) -> dict[str, Any]:
    if not Account.objects.filter(id=account_id).exists():
        raise Http404
    report = plan_report(account_id)
    return {
        "goals": report.goals,
        "people": [
            {"contact_id": one.contact_id, "name": one.contact.name, "why": one.why} for one in report.people
        ],
        "touches": [
            {"id": one.id, "text": one.text, "on": one.on, "owner_id": one.owner_id, "done_at": one.done_at}
            for one in report.touches
        ],
    }
