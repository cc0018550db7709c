"""Pay over the API: how far everybody is towards their quota, and the plans."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import FrameItem, frame_item
from forecasting.pay.models import Cycle, PayPlan
from forecasting.pay.report import Attained, attainment_report
from forecasting.pay.rules import MOST_FROM_BP, MOST_TIERS, WHOLE_BP, Tier
from forecasting.pay.services import PAID_ROLES, Wanted, pay_plan_set, pay_plan_withdraw
from otc.api.endpoints import Endpoint
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import DayField, FrameQuery, Strict
from otc.question import ask

TAGS = ["forecasting"]
OWN = "Minor units of the organization's currency, whatever `currency` was asked for."
COLUMNS = (
    *("id", "person_id", "role", "starts_on", "cycle", "tiers", "is_withdrawn"),
    *("reason", "made_by_id", "made_at"),
)
SORTS = {"made_at": Sort("made_at", datetime)}


class AttainmentItem(serializers.Serializer):
    person_id = serializers.UUIDField()
    name = serializers.CharField()
    won_minor = serializers.IntegerField(help_text=f"With the people below. {OWN}")
    quota_minor = serializers.IntegerField(allow_null=True, help_text=OWN)
    attainment = serializers.FloatField(allow_null=True, help_text="Won by quota; null without a quota.")
    is_pay_readable = serializers.BooleanField(
        help_text="Yours, of people below you, and for administrators everybody's."
    )
    plan_id = serializers.UUIDField(allow_null=True)
    pay_minor = serializers.IntegerField(
        allow_null=True, help_text=f"Null without a plan that pays by this length of period. {OWN}"
    )


class AttainmentList(FrameItem):
    rows = AttainmentItem(many=True)


class TierItem(Strict):
    from_bp = serializers.IntegerField(
        min_value=0, max_value=MOST_FROM_BP, help_text="Basis points of the quota from which on it pays."
    )
    rate_bp = serializers.IntegerField(
        min_value=0, max_value=WHOLE_BP, help_text="Basis points paid of what is won in the tier."
    )


class PayPlanItem(serializers.Serializer):
    id = serializers.UUIDField()
    person_id = serializers.UUIDField(allow_null=True)
    role = serializers.CharField(help_text="Empty where it is one person's.")
    starts_on = serializers.DateField(help_text="It pays periods that begin on this day or later.")
    cycle = serializers.ChoiceField(choices=Cycle.values)
    tiers = TierItem(many=True)
    is_withdrawn = serializers.BooleanField(help_text="There is no plan of this day any more.")
    reason = serializers.CharField()
    made_by_id = serializers.UUIDField()
    made_at = serializers.DateTimeField()


class PayPlanInput(Strict):
    person_id = serializers.UUIDField(required=False, help_text="Either this or `role`.")
    role = serializers.ChoiceField(choices=[str(role) for role in PAID_ROLES], required=False)
    starts_on = DayField()
    cycle = serializers.ChoiceField(choices=Cycle.values, default=str(Cycle.QUARTER))
    tiers = serializers.ListField(
        child=TierItem(), max_length=MOST_TIERS, help_text="The first from 0 on, rising."
    )
    reason = serializers.CharField(max_length=500)


class PayPlanEndInput(Strict):
    reason = serializers.CharField(max_length=500)


class PayPlanQuery(PageQuery):
    person_id = serializers.UUIDField(required=False)
    sort = sort_field(SORTS, default="-made_at")


class Attainment(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_forecast"}

    @extend_schema(
        operation_id="pay_attainment", tags=TAGS, parameters=[FrameQuery], responses=AttainmentList
    )
    def get(self, request: Request) -> Response:
        """Everybody in the scope: won against the quota, and what that pays where you may see it."""
        question = ask(self.tenant, self.parameters(FrameQuery))
        rows = [attained_item(row) for row in attainment_report(question, tenant=self.tenant)]
        return Response(frame_item(question) | {"rows": rows})


class PayPlans(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "manage_pay", "POST": "manage_pay"}

    @extend_schema(
        operation_id="pay_plans_list",
        tags=TAGS,
        parameters=[PayPlanQuery],
        responses=page_schema(PayPlanItem),
    )
    def get(self, request: Request) -> Response:
        """Every plan that was ever made; of the same person, or role, and day the latest counts."""
        parameters = self.parameters(PayPlanQuery)
        rows = PayPlan.objects.values(*COLUMNS)
        if "person_id" in parameters:
            rows = rows.filter(person_id=parameters["person_id"])
        page = paged(request, keyset_page(rows, parameters=parameters, sorts=SORTS))
        return Response(page | {"results": [plan_item(row) for row in page["results"]]})

    @extend_schema(
        operation_id="pay_plans_create", tags=TAGS, request=PayPlanInput, responses={201: PayPlanItem}
    )
    def post(self, request: Request) -> Response:
        """A plan for a person or a role, from a day on. It is never changed: the next one counts instead."""
        content = self.content(PayPlanInput)
        tiers = tuple(Tier(**tier) for tier in content.pop("tiers"))
        written = pay_plan_set(Wanted(**content, tiers=tiers), author=self.tenant.person, now=self.tenant.now)
        return Response(plan_item(row_of(written.plan.id)), status=201)


class PayPlanEnd(Endpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "manage_pay"}

    @extend_schema(
        operation_id="pay_plans_withdraw",
        tags=TAGS,
        request=PayPlanEndInput,
        responses={201: PayPlanItem},
    )
    def post(self, request: Request, plan_id: UUID) -> Response:
        """As if there were no plan of its day; what stood before it pays again."""
        plan = PayPlan.objects.select_related("person").get(id=plan_id)
        content = self.content(PayPlanEndInput)
        written = pay_plan_withdraw(
            plan, author=self.tenant.person, reason=content["reason"], now=self.tenant.now
        )
        return Response(plan_item(row_of(written.plan.id)), status=201)


def row_of(plan_id: UUID) -> dict[str, Any]:
    found: dict[str, Any] = PayPlan.objects.values(*COLUMNS).get(id=plan_id)
    return found


def plan_item(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"tiers": [{"from_bp": low, "rate_bp": rate} for low, rate in row["tiers"]]}


def attained_item(row: Attained) -> dict[str, Any]:
    return {
        "person_id": row.person.id,
        "name": row.person.name,
        "won_minor": row.won_minor,
        "quota_minor": row.quota_minor,
        "attainment": None if row.attainment is None else float(row.attainment),
        "is_pay_readable": row.is_readable,
        "plan_id": row.plan.id if row.plan else None,
        "pay_minor": row.pay_minor,
    }
