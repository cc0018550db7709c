"""A deal's close plan, over the API: what the buyer sees, links made and revoked."""

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.errors import refused, translate
from otc.api.parameters import MomentField, Strict
from pipeline.closeplan.models import ClosePlanLink
from pipeline.closeplan.queries import links_of, plan_of
from pipeline.closeplan.report import shared_plan
from pipeline.closeplan.rules import PlanRefused
from pipeline.closeplan.services import link_make, link_revoke, plan_set
from pipeline.opportunities.api import DealEndpoint
from pipeline.opportunities.models import Opportunity

TAGS = ["opportunities"]
translate(PlanRefused, lambda refusal: refused(refusal.field, refusal.reason))


class PlanStep(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    is_buyers = serializers.BooleanField()
    state = serializers.CharField(help_text="open, met or not_needed.")
    due_on = serializers.DateField(allow_null=True, help_text="null while its stage lies ahead.")
    met_on = serializers.DateField(allow_null=True)
    met_by = serializers.CharField(allow_blank=True, help_text="The recipient who ticked it.")


class PlanSaid(serializers.Serializer):
    id = serializers.UUIDField()
    who = serializers.CharField()
    is_buyers = serializers.BooleanField()
    at = serializers.DateTimeField()
    text = serializers.CharField()
    about = serializers.CharField(allow_blank=True)


class ClosePlanItem(serializers.Serializer):
    title = serializers.CharField()
    person_ids = serializers.ListField(child=serializers.UUIDField())
    milestone_ids = serializers.ListField(
        child=serializers.UUIDField(), help_text="Ours that the buyer sees."
    )
    steps = PlanStep(many=True)
    comments = PlanSaid(many=True)


class ClosePlanInput(Strict):
    title = serializers.CharField(max_length=200)
    person_ids = serializers.ListField(child=serializers.UUIDField(), max_length=50)
    milestone_ids = serializers.ListField(child=serializers.UUIDField(), max_length=200)


class PlanLinkItem(serializers.Serializer):
    id = serializers.UUIDField()
    recipient = serializers.CharField()
    made_by_id = serializers.UUIDField(allow_null=True)
    made_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_opened_at = serializers.DateTimeField(allow_null=True)


class PlanLinkMade(PlanLinkItem):
    url = serializers.CharField(help_text="Shown this once: only its hash is kept.")


class PlanLinkInput(Strict):
    recipient = serializers.CharField(max_length=200)
    expires_at = MomentField(help_text="At most 365 days ahead.")


def link_item(link: ClosePlanLink) -> dict[str, Any]:
    names = ("id", "recipient", "made_by_id", "made_at", "expires_at", "revoked_at", "last_opened_at")
    return {name: getattr(link, name) for name in names}


class OpportunityClosePlan(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "PUT": "share_close_plan"}

    @extend_schema(operation_id="opportunity_close_plan", tags=TAGS, responses=ClosePlanItem)
    def get(self, request: Request, opportunity_id: UUID) -> Response:
        """The plan as the buyer sees it."""
        self.check_visible(opportunity_id)
        self.parameters(Strict)
        return Response(self._item(opportunity_id))

    @extend_schema(
        operation_id="opportunity_close_plan_set", tags=TAGS, request=ClosePlanInput, responses=ClosePlanItem
    )
    def put(self, request: Request, opportunity_id: UUID) -> Response:
        """Choose the title, our people and our milestones that the buyer sees."""
        self.check_visible(opportunity_id)
        plan_set(opportunity_id, **self.content(ClosePlanInput))
        return Response(self._item(opportunity_id))

    def _item(self, opportunity_id: UUID) -> dict[str, Any]:
        deal = Opportunity.objects.select_related("account").get(id=opportunity_id)
        chosen = plan_of(opportunity_id)
        plan = shared_plan(deal, self.tenant.organization, now=self.tenant.now)
        steps = ("id", "name", "is_buyers", "state", "due_on", "met_on", "met_by")
        said = ("id", "who", "is_buyers", "at", "text", "about")
        return {
            "title": plan.title,
            "person_ids": chosen.person_ids if chosen else [],
            "milestone_ids": chosen.milestone_ids if chosen else [],
            "steps": [{name: getattr(one, name) for name in steps} for one in plan.milestones],
            "comments": [{name: getattr(one, name) for name in said} for one in plan.comments],
        }


class OpportunityClosePlanLinks(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "POST": "share_close_plan"}

    @extend_schema(
        operation_id="opportunity_close_plan_links_list", tags=TAGS, responses=PlanLinkItem(many=True)
    )
    def get(self, request: Request, opportunity_id: UUID) -> Response:
        """Who has a link, and when it was last opened."""
        self.check_visible(opportunity_id)
        self.parameters(Strict)
        return Response([link_item(link) for link in links_of(opportunity_id)])

    @extend_schema(
        operation_id="opportunity_close_plan_links_make",
        tags=TAGS,
        request=PlanLinkInput,
        responses={201: PlanLinkMade},
    )
    def post(self, request: Request, opportunity_id: UUID) -> Response:
        """A link for one recipient; its address is in this answer only."""
        self.check_visible(opportunity_id)
        issued = link_make(opportunity_id, now=self.tenant.now, **self.content(PlanLinkInput))
        url = settings.ADDRESS + reverse("plan", args=[issued.token])
        return Response(link_item(issued.link) | {"url": url}, status=201)


class OpportunityClosePlanLink(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"DELETE": "share_close_plan"}

    @extend_schema(operation_id="opportunity_close_plan_links_revoke", tags=TAGS, responses={204: None})
    def delete(self, request: Request, opportunity_id: UUID, close_plan_link_id: UUID) -> Response:
        """Revoke a link: it no longer opens."""
        self.check_visible(opportunity_id)
        link = ClosePlanLink.objects.filter(id=close_plan_link_id, opportunity_id=opportunity_id).first()
        if link is None:
            raise Http404
        link_revoke(link, now=self.tenant.now)
        return Response(status=204)
