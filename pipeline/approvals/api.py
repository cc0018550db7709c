"""Approvals over the API: what waits and what was decided, asking, granting, declining, taking back."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged
from otc.api.parameters import Strict
from otc.fields.rules import LARGEST_MINOR
from pipeline.approvals.decisions import approval_ask, approval_decline, approval_grant, approval_withdraw
from pipeline.approvals.models import ApprovalRequest, ApprovalState
from pipeline.approvals.queries import visible_requests
from pipeline.opportunities.api import DealEndpoint

TAGS = ["approvals"]
BY_ASKED = {"asked_at": Sort("asked_at", datetime)}
COLUMNS = (
    "id",
    "opportunity_id",
    "stage_id",
    "from_stage_id",
    "asked_by_id",
    "asked_of_id",
    "amount_minor",
    "currency",
    "note",
    "asked_at",
    "state",
    "decided_by_id",
    "decided_at",
    "reason",
)


class ApprovalItem(serializers.Serializer):
    id = serializers.UUIDField()
    opportunity_id = serializers.UUIDField()
    stage_id = serializers.UUIDField(help_text="The stage that asks for the approval.")
    from_stage_id = serializers.UUIDField(allow_null=True)
    asked_by_id = serializers.UUIDField(allow_null=True)
    asked_of_id = serializers.UUIDField(allow_null=True)
    amount_minor = serializers.IntegerField(help_text="Corporate minor units.")
    currency = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    asked_at = serializers.DateTimeField()
    state = serializers.ChoiceField(ApprovalState.choices)
    decided_by_id = serializers.UUIDField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class ApprovalQuery(PageQuery):
    state = serializers.ChoiceField(ApprovalState.choices, required=False)


class ApprovalAsk(Strict):
    """The stage that the deal is to enter, or what it is to be worth."""

    stage_id = serializers.UUIDField(required=False)
    amount_minor = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_MINOR)
    note = serializers.CharField(required=False, allow_blank=True, max_length=500)


class ApprovalAnswer(Strict):
    state = serializers.ChoiceField(
        [ApprovalState.GRANTED.value, ApprovalState.DECLINED.value, ApprovalState.WITHDRAWN.value]
    )
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)


def item(approval_id: UUID) -> dict[str, Any]:
    found: dict[str, Any] = ApprovalRequest.objects.filter(id=approval_id).values(*COLUMNS)[0]
    return found


class Approvals(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(
        operation_id="approvals_list",
        tags=TAGS,
        parameters=[ApprovalQuery],
        responses=page_schema(ApprovalItem),
    )
    def get(self, request: Request) -> Response:
        """What was asked about opportunities that you may see."""
        parameters = self.parameters(ApprovalQuery)
        rows = visible_requests(self.tenant.visible).select_related(None).order_by()
        if state := parameters.get("state"):
            rows = rows.filter(state=state)
        page = keyset_page(rows.values(*COLUMNS), parameters=parameters, sorts=BY_ASKED)
        return Response(paged(request, page))


class ApprovalDetail(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "POST": "edit_deal"}

    @extend_schema(operation_id="approvals_get", tags=TAGS, responses=ApprovalItem)
    def get(self, request: Request, approval_id: UUID) -> Response:
        """One question with its answer."""
        self.parameters(Strict)
        return Response(item(self.visible(approval_id)))

    @extend_schema(operation_id="approvals_decide", tags=TAGS, request=ApprovalAnswer, responses=ApprovalItem)
    def post(self, request: Request, approval_id: UUID) -> Response:
        """Grant it, and the move happens; decline it with a reason; or take the question back."""
        found = self.visible(approval_id)
        fields = self.content(ApprovalAnswer)
        now, reason = self.tenant.now, fields.get("reason", "")
        with transaction.atomic():
            if fields["state"] == ApprovalState.GRANTED:
                approval_grant(found, reason=reason, now=now)
            elif fields["state"] == ApprovalState.DECLINED:
                approval_decline(found, reason=reason, now=now)
            else:
                approval_withdraw(found, now=now)
        return Response(item(found))

    def visible(self, approval_id: UUID) -> UUID:
        """The id; 404 where the question is about an opportunity out of sight."""
        if not visible_requests(self.tenant.visible).filter(id=approval_id).exists():
            raise Http404
        return approval_id


class OpportunityApprovals(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "edit_deal"}

    @extend_schema(
        operation_id="opportunity_approvals_ask",
        tags=TAGS,
        request=ApprovalAsk,
        responses={201: ApprovalItem, 204: None},
    )
    def post(self, request: Request, opportunity_id: UUID) -> Response:
        """Ask for the approval of a move; where nobody has to be asked it happens at once (204)."""
        self.check_visible(opportunity_id)
        fields = self.content(ApprovalAsk)
        note = fields.pop("note", "")
        done = approval_ask(opportunity_id, changes=fields, note=note, now=self.tenant.now)
        if not isinstance(done, ApprovalRequest):
            return Response(status=204)
        location = request.build_absolute_uri(f"/api/v1/approvals/{done.id}")
        return Response(item(done.id), status=201, headers={"Location": location})
