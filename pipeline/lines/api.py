"""A deal's products over the API: its lines with what they come to, and whether the amount follows them."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.parameters import MomentQuery, Strict
from otc.question import ask
from otc.tenancy.models import FOREVER
from pipeline.history.models import OpportunityVersion
from pipeline.history.queries import versions_as_of
from pipeline.lines.models import Charge, DealLine
from pipeline.lines.queries import lines_at, lines_ever
from pipeline.lines.report import LineRow, LinesReport, lines_report, terms_of
from pipeline.lines.rules import LARGEST_MINOR, LARGEST_QUANTITY_MILLI, LONGEST_TERM, WHOLE_BP, line_terms
from pipeline.lines.services import amount_follow, line_add, line_change, line_remove, list_price_in
from pipeline.opportunities.api import DealEndpoint
from pipeline.opportunities.models import Opportunity, Product
from pipeline.opportunities.rules import Refused

TAGS = ["opportunities"]


class ProductLineItem(serializers.Serializer):
    """Prices are of one unit, in minor units of the deal's currency."""

    id = serializers.UUIDField(help_text="Of this interval: a change ends it and begins one with another id.")
    product_id = serializers.UUIDField()
    product_name = serializers.CharField()
    quantity_milli = serializers.IntegerField(help_text="Thousandths: 2500 are 2.5 units.")
    list_price_minor = serializers.IntegerField(allow_null=True)
    discount_bp = serializers.IntegerField(
        allow_null=True, help_text="Basis points of the list price; null where the price itself was given."
    )
    price_minor = serializers.IntegerField()
    charge = serializers.ChoiceField(Charge.choices)
    term_months = serializers.IntegerField(allow_null=True)
    one_off_minor = serializers.IntegerField()
    recurring_minor = serializers.IntegerField(help_text="Over the whole term.")
    annual_minor = serializers.IntegerField(help_text="A full year's recurring part, however long the term.")
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField(allow_null=True, help_text="null: still so.")


class LinesItem(serializers.Serializer):
    """`total_minor` is the total contract value; `difference_minor` the deal's amount less it."""

    currency = serializers.CharField()
    amount_follows_lines = serializers.BooleanField()
    amount_minor = serializers.IntegerField(allow_null=True)
    one_off_minor = serializers.IntegerField()
    recurring_minor = serializers.IntegerField()
    annual_minor = serializers.IntegerField()
    total_minor = serializers.IntegerField()
    difference_minor = serializers.IntegerField(allow_null=True)
    results = ProductLineItem(many=True)


class LineInput(Strict):
    """Either a discount or a price; without both the list price is paid. Without a list price, the product's."""

    product_id = serializers.UUIDField()
    quantity_milli = serializers.IntegerField(
        min_value=1, max_value=LARGEST_QUANTITY_MILLI, required=False, help_text="Default 1000: one unit."
    )
    list_price_minor = serializers.IntegerField(
        min_value=0, max_value=LARGEST_MINOR, required=False, allow_null=True
    )
    discount_bp = serializers.IntegerField(min_value=0, max_value=WHOLE_BP, required=False, allow_null=True)
    price_minor = serializers.IntegerField(
        min_value=0, max_value=LARGEST_MINOR, required=False, allow_null=True
    )
    charge = serializers.ChoiceField(Charge.choices, required=False)
    term_months = serializers.IntegerField(
        min_value=1, max_value=LONGEST_TERM, required=False, allow_null=True
    )


class LineEdit(LineInput):
    """What is sent is changed. A price given lets go of the discount, and a discount of the price."""

    product_id = serializers.UUIDField(required=False)


class FollowInput(Strict):
    amount_follows_lines = serializers.BooleanField()


def item(row: LineRow) -> dict[str, Any]:
    return {
        "id": row.line.id,
        "product_id": row.line.product_id,
        "product_name": row.line.product.name,
        **vars(row.terms),
        **vars(row.sums),
        "valid_from": row.line.valid_from,
        "valid_to": None if row.line.valid_to == FOREVER else row.line.valid_to,
    }


def document(report: LinesReport) -> dict[str, Any]:
    return {
        "currency": report.currency,
        "amount_follows_lines": report.follows,
        "amount_minor": report.amount_minor,
        **vars(report.sums),
        "total_minor": report.sums.total_minor,
        "difference_minor": report.difference_minor,
        "results": [item(row) for row in report.rows],
    }


class LinesEndpoint(DealEndpoint):
    def lines(self, opportunity_id: UUID) -> Response:
        """The deal's lines as they stand now."""
        deal = Opportunity.objects.get(id=opportunity_id)
        rows = [line for line in lines_ever(opportunity_id) if line.valid_to == FOREVER]
        return Response(document(_report(rows, deal, follows=deal.amount_follows_lines)))

    def deal_for_update(self, opportunity_id: UUID) -> Opportunity:
        self.check_visible(opportunity_id)
        found: Opportunity = Opportunity.objects.select_for_update().get(id=opportunity_id)
        return found


class OpportunityLines(LinesEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "POST": "edit_deal"}

    @extend_schema(
        operation_id="opportunity_lines_list", tags=TAGS, parameters=[MomentQuery], responses=LinesItem
    )
    def get(self, request: Request, opportunity_id: UUID) -> Response:
        """The deal's products and what they come to, now or as of an instant."""
        self.check_visible(opportunity_id)
        question = ask(self.tenant, self.parameters(MomentQuery))
        if not question.is_past:
            return self.lines(opportunity_id)
        versions = versions_as_of(question.as_of, known=question.known)
        then: OpportunityVersion | None = versions.filter(opportunity_id=opportunity_id).first()
        if then is None:
            raise Http404
        rows = lines_at(lines_ever(opportunity_id), question.as_of)
        return Response(document(_report(rows, then, follows=False)))

    @extend_schema(
        operation_id="opportunity_lines_add", tags=TAGS, request=LineInput, responses={201: LinesItem}
    )
    def post(self, request: Request, opportunity_id: UUID) -> Response:
        """Put a product on the deal, from now on. The answer is all of its lines."""
        deal = self.deal_for_update(opportunity_id)
        given = self.content(LineInput)
        product = _product(given["product_id"])
        line_add(
            opportunity_id,
            product_id=product.id,
            terms=line_terms(
                **_terms({"charge": "once", "quantity_milli": 1000, **given}, product=product, deal=deal)
            ),
            now=self.tenant.now,
        )
        answer = self.lines(opportunity_id)
        answer.status_code = 201
        return answer


class OpportunityLine(LinesEndpoint):
    actions: ClassVar[dict[str, str]] = {"PATCH": "edit_deal", "DELETE": "edit_deal"}

    @extend_schema(operation_id="opportunity_lines_change", tags=TAGS, request=LineEdit, responses=LinesItem)
    def patch(self, request: Request, opportunity_id: UUID, line_id: UUID) -> Response:
        """Change a line from now on: what stood ends. The answer is all lines as they stand then."""
        deal = self.deal_for_update(opportunity_id)
        line: DealLine = DealLine.objects.get(id=line_id, opportunity_id=opportunity_id)
        given = self.content(LineEdit, partial=True)
        product = _product(given.get("product_id", line.product_id))
        present = {**vars(terms_of(line)), **_beside(given, line)}
        terms = line_terms(**_terms({**present, **given}, product=product, deal=deal))
        line_change(opportunity_id, line_id, product_id=product.id, terms=terms, now=self.tenant.now)
        return self.lines(opportunity_id)

    @extend_schema(operation_id="opportunity_lines_remove", tags=TAGS, responses={204: None})
    def delete(self, request: Request, opportunity_id: UUID, line_id: UUID) -> Response:
        """Take the line off. It stays visible as of earlier instants."""
        self.check_visible(opportunity_id)
        line_remove(opportunity_id, line_id, now=self.tenant.now)
        return Response(status=204)


class OpportunityAmountFollows(LinesEndpoint):
    actions: ClassVar[dict[str, str]] = {"PUT": "edit_deal"}

    @extend_schema(
        operation_id="opportunity_amount_follows", tags=TAGS, request=FollowInput, responses=LinesItem
    )
    def put(self, request: Request, opportunity_id: UUID) -> Response:
        """Let the amount be what the lines come to, from now on, or stand by itself. Beside it no amount is taken."""
        self.check_visible(opportunity_id)
        amount_follow(opportunity_id, follows=self.content(FollowInput)["amount_follows_lines"])
        return self.lines(opportunity_id)


def _report(rows: Any, state: Any, *, follows: bool) -> LinesReport:
    return lines_report(rows, amount_minor=state.amount_minor, currency=state.currency, follows=follows)


def _product(product_id: UUID) -> Product:
    found: Product | None = Product.objects.filter(id=product_id).first()
    if found is None:
        raise Refused("product_id", "There is no such product")
    return found


def _beside(given: dict[str, Any], line: DealLine) -> dict[str, Any]:
    """What of the present line gives way to what is sent: price and discount to each other, a term to “once”."""
    gives_way: dict[str, Any] = {}
    is_other_product = given.get("product_id", line.product_id) != line.product_id
    if is_other_product:
        gives_way["list_price_minor"] = None
    if line.discount_bp is not None or given.get("discount_bp") is not None or is_other_product:
        gives_way["price_minor"] = None
    if given.get("price_minor") is not None:
        gives_way["discount_bp"] = None
    if given.get("charge") == Charge.ONCE:
        gives_way["term_months"] = None
    return gives_way


def _terms(given: dict[str, Any], *, product: Product, deal: Opportunity) -> dict[str, Any]:
    """What `line_terms` takes, the product's list price where none is given."""
    listed = given.get("list_price_minor")
    return {
        "quantity_milli": given["quantity_milli"],
        "charge": given["charge"],
        "term_months": given.get("term_months"),
        "list_price_minor": list_price_in(product, deal) if listed is None else listed,
        "discount_bp": given.get("discount_bp"),
        "price_minor": given.get("price_minor"),
    }
