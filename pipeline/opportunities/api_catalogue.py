"""What deals refer to besides accounts and people: products and competitors, over the API."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.pages import BY_ID, PageQuery, keyset_page, page_schema, paged
from pipeline.opportunities.models import Competitor, Product

TAGS = ["opportunities"]


class ProductItem(serializers.Serializer):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    family = serializers.CharField(allow_blank=True)
    list_price_minor = serializers.IntegerField(allow_null=True, help_text="Minor units of `currency`.")
    currency = serializers.CharField(allow_blank=True)


class CompetitorItem(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


class Products(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(
        operation_id="products_list", tags=TAGS, parameters=[PageQuery], responses=page_schema(ProductItem)
    )
    def get(self, request: Request) -> Response:
        """What is sold."""
        rows = Product.objects.values("id", "external_id", "name", "family", "list_price_minor", "currency")
        return Response(paged(request, keyset_page(rows, parameters=self.parameters(PageQuery), sorts=BY_ID)))


class Competitors(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(
        operation_id="competitors_list",
        tags=TAGS,
        parameters=[PageQuery],
        responses=page_schema(CompetitorItem),
    )
    def get(self, request: Request) -> Response:
        """Whom deals are fought against."""
        rows = Competitor.objects.values("id", "name")
        return Response(paged(request, keyset_page(rows, parameters=self.parameters(PageQuery), sorts=BY_ID)))
