"""Saved lists of deals over the API: which there are, and what each asks."""

from typing import Any, ClassVar

from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from pipeline.deal_views.models import DealView, Shared
from pipeline.deal_views.queries import views_in_sight


class DealViewItem(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    person_id = serializers.UUIDField()
    shared = serializers.ChoiceField(choices=Shared.choices)
    branch_id = serializers.UUIDField(allow_null=True, help_text="Whose team sees it.")
    is_default = serializers.BooleanField(help_text="Whether one's own list starts with it.")
    parameters = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="What the list's address bears: filters, `columns`, `sort`, `group`.",
    )


class DealViewList(serializers.Serializer):
    results = DealViewItem(many=True)


class DealViews(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(operation_id="deal_views_list", tags=["opportunities"], responses=DealViewList)
    def get(self, request: Request) -> Response:
        """One's own saved views and those shared with one, at most some hundreds."""
        default = self.tenant.person.default_deal_view
        return Response({"results": [item(view, default=default) for view in views_in_sight(self.tenant)]})


def item(view: DealView, *, default: Any) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.name,
        "person_id": view.person_id,
        "shared": view.shared,
        "branch_id": view.branch_id,
        "is_default": view.id == default,
        "parameters": dict(QueryDict(view.query).lists()),
    }
