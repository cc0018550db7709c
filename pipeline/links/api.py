"""A deal's links over the API."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.parameters import Strict
from pipeline.links.models import DealLink
from pipeline.links.queries import links_ever
from pipeline.links.rules import LONGEST_NAME, LONGEST_URL
from pipeline.links.services import link_add, link_remove
from pipeline.opportunities.api import DealEndpoint

TAGS = ["opportunities"]


class LinkItem(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    url = serializers.CharField()
    added_by_id = serializers.UUIDField(allow_null=True)
    added_at = serializers.DateTimeField()


class LinksItem(serializers.Serializer):
    results = LinkItem(many=True)


class LinkInput(Strict):
    url = serializers.CharField(
        max_length=LONGEST_URL, help_text="https only, without a sign-in in the address."
    )
    name = serializers.CharField(
        max_length=LONGEST_NAME, required=False, allow_blank=True, help_text="Default: the host."
    )


def item(link: DealLink) -> dict[str, Any]:
    return {name: getattr(link, name) for name in ("id", "name", "url", "added_by_id", "added_at")}


class OpportunityLinks(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "POST": "edit_deal"}

    @extend_schema(operation_id="opportunity_links_list", tags=TAGS, responses=LinksItem)
    def get(self, request: Request, opportunity_id: UUID) -> Response:
        """The links that stand on the deal."""
        self.check_visible(opportunity_id)
        standing = [link for link in links_ever(opportunity_id) if link.removed_at is None]
        return Response({"results": [item(link) for link in standing]})

    @extend_schema(
        operation_id="opportunity_links_add", tags=TAGS, request=LinkInput, responses={201: LinkItem}
    )
    def post(self, request: Request, opportunity_id: UUID) -> Response:
        """Put a link on the deal."""
        self.check_visible(opportunity_id)
        fields = {"name": "", **self.content(LinkInput)}
        return Response(item(link_add(opportunity_id, now=self.tenant.now, **fields).link), status=201)


class OpportunityLink(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"DELETE": "edit_deal"}

    @extend_schema(operation_id="opportunity_links_remove", tags=TAGS, responses={204: None})
    def delete(self, request: Request, opportunity_id: UUID, link_id: UUID) -> Response:
        """Take a link off. Its timeline keeps that it stood there."""
        self.check_visible(opportunity_id)
        link_remove(opportunity_id, link_id, now=self.tenant.now)
        return Response(status=204)
