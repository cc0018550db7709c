"""An account's group of companies, and what it bought and might, over the API."""

from dataclasses import asdict
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.parameters import Strict
from otc.question import ask
from pipeline.accounts.group import Sums, group_report
from pipeline.accounts.models import Account
from pipeline.accounts.purchases import purchases_of


class SumsItem(serializers.Serializer):
    """Deals that one may see; sums in corporate minor units."""

    open_count = serializers.IntegerField()
    open_minor = serializers.IntegerField()
    won_count = serializers.IntegerField()
    won_minor = serializers.IntegerField()
    not_won_count = serializers.IntegerField(help_text="Lost and no decision.")
    unconvertible = serializers.IntegerField(help_text="Deals that no known rate converts; in no sum.")


class NamedAccountItem(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


class GroupMemberItem(SumsItem):
    id = serializers.UUIDField()
    name = serializers.CharField()
    parent_id = serializers.UUIDField()
    depth = serializers.IntegerField(help_text="1 right below the account.")


class AccountGroupItem(serializers.Serializer):
    currency = serializers.CharField()
    above = NamedAccountItem(many=True, help_text="From the top of the group down to the parent.")
    members = GroupMemberItem(many=True, help_text="Below it, as a tree is read; at most 100.")
    count = serializers.IntegerField(help_text="Accounts below it.")
    own = SumsItem()
    total = SumsItem(help_text="The account and everything below it.")


class UpsellItem(serializers.Serializer):
    """`both` of `buyers` accounts of the same industry that bought `because_of` also bought `product`."""

    product = serializers.CharField()
    product_id = serializers.UUIDField()
    because_of = serializers.CharField()
    because_of_id = serializers.UUIDField()
    both = serializers.IntegerField()
    buyers = serializers.IntegerField()


class AccountProductsItem(serializers.Serializer):
    bought = serializers.ListField(child=serializers.CharField())
    not_bought = serializers.ListField(child=serializers.CharField())
    upsell = UpsellItem(many=True, help_text="The surest first: at least 8 buyers, 4 of both, a quarter.")
    similar_count = serializers.IntegerField(help_text="Accounts of the industry that bought something.")


def account_or_404(account_id: UUID) -> Account:
    found: Account | None = Account.objects.filter(id=account_id).first()
    if found is None:
        raise Http404
    return found


class AccountGroup(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_accounts"}

    @extend_schema(operation_id="accounts_group", tags=["accounts"], responses=AccountGroupItem)
    def get(self, request: Request, account_id: UUID) -> Response:
        """The accounts above and below it, with the sums of their deals."""
        self.parameters(Strict)
        account_or_404(account_id)
        question = ask(self.tenant, {})
        group = group_report(account_id, question)
        members = [
            {"id": one.id, "name": one.name, "parent_id": one.parent_id, "depth": one.depth} | sums(one.sums)
            for one in group.members
        ]
        return Response(
            {
                "currency": question.currency,
                "above": [{"id": key, "name": name} for key, name in group.above],
                "members": members,
                "count": group.count,
                "own": sums(group.own),
                "total": sums(group.total),
            }
        )


class AccountProducts(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_accounts"}

    @extend_schema(operation_id="accounts_products", tags=["accounts"], responses=AccountProductsItem)
    def get(self, request: Request, account_id: UUID) -> Response:
        """What it bought and not, and what similar accounts bought beside it, with the counts behind the claim."""
        self.parameters(Strict)
        found = purchases_of(account_or_404(account_id))
        return Response(
            {
                "bought": list(found.bought),
                "not_bought": list(found.not_bought),
                "upsell": [asdict(one) for one in found.claims],
                "similar_count": found.similar_count,
            }
        )


def sums(found: Sums) -> dict[str, Any]:
    return asdict(found)
