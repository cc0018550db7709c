"""Rates over the API: what is known, a new one or a correction, a withdrawal."""

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.errors import refused, translate
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import DayField, MomentField, Strict
from otc.money.models import Rate
from otc.money.rules import RATE_DECIMALS, RATE_DIGITS, NotARate, UnknownCurrency
from otc.money.services import RateRefused, rate_withdraw, rate_write
from otc.tenancy.models import FOREVER

TAGS = ["money"]
COLUMNS = ("id", "currency", "valid_from", "rate", "known_from", "known_to")
SORTS = {"valid_from": Sort("valid_from", date)}

translate(RateRefused, lambda refusal: refused(refusal.field, refusal.reason))
translate(UnknownCurrency, lambda refusal: refused("currency", str(refusal)))
translate(NotARate, lambda refusal: refused("rate", str(refusal)))


class RateItem(serializers.Serializer):
    id = serializers.UUIDField()
    currency = serializers.CharField()
    valid_from = serializers.DateField(help_text="In force from this day until the currency's next rate.")
    rate = serializers.DecimalField(
        max_digits=RATE_DIGITS,
        decimal_places=RATE_DECIMALS,
        help_text="Units of the organization's currency for one unit; text, exact.",
    )
    known_from = serializers.DateTimeField()
    known_to = serializers.DateTimeField(
        allow_null=True, help_text="Until when it was known, once it was corrected or withdrawn; else null."
    )


class RateQuery(PageQuery):
    currency = serializers.CharField(required=False, max_length=3)
    known_at = MomentField(required=False, help_text="As known at that instant; default: now.")
    sort = sort_field(SORTS, default="-valid_from")


class RateInput(Strict):
    """A rate from a day on. Where the day has one already it is corrected; the earlier value stays on record."""

    currency = serializers.CharField(max_length=3, min_length=3)
    valid_from = DayField()
    rate = serializers.DecimalField(max_digits=RATE_DIGITS, decimal_places=RATE_DECIMALS)
    is_confirmed = serializers.BooleanField(
        required=False, default=False, help_text="Accept a rate more than ten times off the one before it."
    )


def rate_item(rate: Any) -> dict[str, Any]:
    """A row of Rate, or of its values."""
    row = rate if isinstance(rate, dict) else {column: getattr(rate, column) for column in COLUMNS}
    return {
        **row,
        "rate": f"{row['rate']:f}",
        "known_to": None if row["known_to"] == FOREVER else row["known_to"],
    }


class Rates(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "POST": "manage_rates"}

    @extend_schema(
        operation_id="rates_list", tags=TAGS, parameters=[RateQuery], responses=page_schema(RateItem)
    )
    def get(self, request: Request) -> Response:
        """Rates as known now or at an instant, the latest day first."""
        parameters = self.parameters(RateQuery)
        rows: Any = Rate.objects.values(*COLUMNS)
        if known := parameters.get("known_at"):
            rows = rows.filter(known_from__lte=known, known_to__gt=known)
        else:
            rows = rows.filter(known_to=FOREVER)
        if currency := parameters.get("currency"):
            rows = rows.filter(currency=currency.upper())
        page = keyset_page(rows, parameters=parameters, sorts=SORTS)
        page.rows[:] = [rate_item(row) for row in page.rows]
        return Response(paged(request, page))

    @extend_schema(operation_id="rates_write", tags=TAGS, request=RateInput, responses={201: RateItem})
    def post(self, request: Request) -> Response:
        """Write a rate. The same value again changes nothing."""
        given = self.content(RateInput)
        written = rate_write(
            given["currency"].upper(),
            valid_from=given["valid_from"],
            rate=Decimal(given["rate"]),
            now=self.tenant.now,
            is_confirmed=given["is_confirmed"],
        )
        return Response(rate_item(written.rate), status=status.HTTP_201_CREATED)


class RateDetail(Endpoint):
    actions: ClassVar[dict[str, str]] = {"DELETE": "manage_rates"}

    @extend_schema(operation_id="rates_withdraw", tags=TAGS, responses={204: None})
    def delete(self, request: Request, rate_id: UUID) -> Response:
        """Withdraw a rate: it stays on record as known until now. Deals that need it become unconvertible."""
        if not Rate.objects.filter(id=rate_id).exists():
            raise Http404
        rate_withdraw(rate_id, now=self.tenant.now)
        return Response(status=status.HTTP_204_NO_CONTENT)
