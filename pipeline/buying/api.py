"""A deal's buying team, over the API: who plays which part, now or as of an instant, and changes of it."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.parameters import MomentQuery, Strict
from otc.question import ask
from otc.tenancy.models import FOREVER
from pipeline.buying.models import BuyingRole, Influence, Part, Stance
from pipeline.buying.queries import buying_roles_at
from pipeline.buying.services import buying_role_add, buying_role_change, buying_role_remove
from pipeline.opportunities.api import DealEndpoint

TAGS = ["opportunities"]


class BuyingRoleItem(serializers.Serializer):
    id = serializers.UUIDField(help_text="Of this interval: a change ends it and begins one with another id.")
    contact_id = serializers.UUIDField()
    contact_name = serializers.CharField()
    role = serializers.ChoiceField(Part.choices)
    influence = serializers.ChoiceField(Influence.choices)
    stance = serializers.ChoiceField(Stance.choices)
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField(allow_null=True, help_text="null: still so.")


class BuyingRoleInput(Strict):
    contact_id = serializers.UUIDField(help_text="A contact of the deal's account, its parent or its sites.")
    role = serializers.ChoiceField(Part.choices)
    influence = serializers.ChoiceField(Influence.choices, required=False)
    stance = serializers.ChoiceField(Stance.choices, required=False)


class BuyingRoleEdit(Strict):
    role = serializers.ChoiceField(Part.choices, required=False)
    influence = serializers.ChoiceField(Influence.choices, required=False)
    stance = serializers.ChoiceField(Stance.choices, required=False)


def item(found: BuyingRole) -> dict[str, Any]:
    return {
        "id": found.id,
        "contact_id": found.contact_id,
        "contact_name": found.contact.name,
        "role": found.role,
        "influence": found.influence,
        "stance": found.stance,
        "valid_from": found.valid_from,
        "valid_to": None if found.valid_to == FOREVER else found.valid_to,
    }


class OpportunityBuyingRoles(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "POST": "edit_deal"}

    @extend_schema(
        operation_id="opportunity_buying_roles_list",
        tags=TAGS,
        parameters=[MomentQuery],
        responses=BuyingRoleItem(many=True),
    )
    def get(self, request: Request, opportunity_id: UUID) -> Response:
        """Who is on the buying team, now or as of an instant."""
        self.check_visible(opportunity_id)
        question = ask(self.tenant, self.parameters(MomentQuery))
        return Response([item(found) for found in buying_roles_at(opportunity_id, question.as_of)])

    @extend_schema(
        operation_id="opportunity_buying_roles_add",
        tags=TAGS,
        request=BuyingRoleInput,
        responses={201: BuyingRoleItem},
    )
    def post(self, request: Request, opportunity_id: UUID) -> Response:
        """Give a contact a part in this deal, from now on."""
        self.check_visible(opportunity_id)
        written = buying_role_add(opportunity_id, now=self.tenant.now, **self.content(BuyingRoleInput))
        assert written.made is not None
        return Response(item(written.made), status=201)


class OpportunityBuyingRole(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"PATCH": "edit_deal", "DELETE": "edit_deal"}

    @extend_schema(
        operation_id="opportunity_buying_roles_change",
        tags=TAGS,
        request=BuyingRoleEdit,
        responses=BuyingRoleItem,
    )
    def patch(self, request: Request, opportunity_id: UUID, buying_role_id: UUID) -> Response:
        """Change a part from now on: what stood ends, and the answer is what begins."""
        self.check_visible(opportunity_id)
        changes = self.content(BuyingRoleEdit, partial=True)
        written = buying_role_change(opportunity_id, buying_role_id, changes=changes, now=self.tenant.now)
        return Response(item(written.made or BuyingRole.objects.get(id=buying_role_id)))

    @extend_schema(operation_id="opportunity_buying_roles_remove", tags=TAGS, responses={204: None})
    def delete(self, request: Request, opportunity_id: UUID, buying_role_id: UUID) -> Response:
        """End a part now. It stays visible as of earlier instants."""
        self.check_visible(opportunity_id)
        buying_role_remove(opportunity_id, buying_role_id, now=self.tenant.now)
        return Response(status=204)
