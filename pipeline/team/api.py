"""A deal's team and its splits over the API: who helps, and between whom the amount is split."""

from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.errors import refused, translate
from otc.api.parameters import Strict
from otc.tenancy.models import FOREVER
from pipeline.opportunities.api import DealEndpoint
from pipeline.opportunities.queries import visible_opportunities
from pipeline.team.models import DealTeamMember, Split, SplitKind
from pipeline.team.queries import splits_of, team_of
from pipeline.team.rules import LONGEST_PART, WHOLE_BP, Share, TeamRefused
from pipeline.team.services import splits_set, team_member_add, team_member_remove

TAGS = ["opportunities"]

translate(TeamRefused, lambda refusal: refused(refusal.field, refusal.reason))


class TeamMemberItem(serializers.Serializer):
    """Somebody on the deal's team. Under visibility by team they, and whoever leads them, see the deal."""

    id = serializers.UUIDField()
    person_id = serializers.UUIDField()
    person_name = serializers.CharField()
    part = serializers.CharField(help_text="What they do here, e.g. Sales engineer.")
    added_by_id = serializers.UUIDField(allow_null=True)
    valid_from = serializers.DateTimeField()


class TeamItem(serializers.Serializer):
    results = TeamMemberItem(many=True)


class TeamMemberInput(Strict):
    person_id = serializers.UUIDField()
    part = serializers.CharField(max_length=LONGEST_PART)


class SplitItem(serializers.Serializer):
    person_id = serializers.UUIDField()
    person_name = serializers.CharField()
    kind = serializers.ChoiceField(SplitKind.choices)
    share_bp = serializers.IntegerField(help_text="Basis points of the amount: 2500 are 25 %.")
    valid_from = serializers.DateTimeField()


class SplitsItem(serializers.Serializer):
    results = SplitItem(many=True)


class ShareInput(Strict):
    person_id = serializers.UUIDField()
    kind = serializers.ChoiceField(SplitKind.choices, default=SplitKind.REVENUE)
    share_bp = serializers.IntegerField(min_value=1, max_value=WHOLE_BP)


class SplitsInput(Strict):
    """All shares of the deal: these replace what was. Revenue shares sum to 10000; none: the owner has it whole."""

    splits = ShareInput(many=True)


class TeamEndpoint(DealEndpoint):
    def check_may(self, action: str, opportunity_id: UUID) -> None:
        """404 where the deal isn't seen, 403 where the role, or the manager stood in for, doesn't reach it."""
        found = visible_opportunities(self.tenant.visible).filter(id=opportunity_id)
        owners = list(found.values_list("owner_id", flat=True))
        if not owners:
            raise Http404
        if not self.tenant.may_on(action, owners[0]):
            raise PermissionDenied


class OpportunityTeam(TeamEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "POST": "edit_team"}

    @extend_schema(operation_id="opportunity_team_list", tags=TAGS, responses=TeamItem)
    def get(self, request: Request, opportunity_id: UUID) -> Response:
        """Who is on the deal's team today."""
        self.check_visible(opportunity_id)
        present = [member for member in team_of(opportunity_id) if member.valid_to == FOREVER]
        return Response({"results": [member_item(member) for member in present]})

    @extend_schema(
        operation_id="opportunity_team_add",
        tags=TAGS,
        request=TeamMemberInput,
        responses={201: TeamMemberItem},
    )
    def post(self, request: Request, opportunity_id: UUID) -> Response:
        """Put somebody on the team; who is on it already gets the new part."""
        self.check_may("edit_team", opportunity_id)
        member = team_member_add(opportunity_id, now=self.tenant.now, **self.content(TeamMemberInput))
        return Response(member_item(member), status=201)


class OpportunityTeamMember(TeamEndpoint):
    actions: ClassVar[dict[str, str]] = {"DELETE": "edit_team"}

    @extend_schema(operation_id="opportunity_team_remove", tags=TAGS, responses={204: None})
    def delete(self, request: Request, opportunity_id: UUID, member_id: UUID) -> Response:
        """Take somebody off the team. That they were on it stays known."""
        self.check_may("edit_team", opportunity_id)
        team_member_remove(opportunity_id, member_id, now=self.tenant.now)
        return Response(status=204)


class OpportunitySplits(TeamEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "PUT": "edit_splits"}

    @extend_schema(operation_id="opportunity_splits_list", tags=TAGS, responses=SplitsItem)
    def get(self, request: Request, opportunity_id: UUID) -> Response:
        """Between whom the deal is split today. Every sum adds up these shares."""
        self.check_visible(opportunity_id)
        return Response({"results": [split_item(split) for split in splits_of(opportunity_id)]})

    @extend_schema(
        operation_id="opportunity_splits_set", tags=TAGS, request=SplitsInput, responses=SplitsItem
    )
    def put(self, request: Request, opportunity_id: UUID) -> Response:
        """Replace all shares of the deal from now on."""
        self.check_may("edit_splits", opportunity_id)
        shares = [Share(**share) for share in self.content(SplitsInput)["splits"]]
        splits_set(opportunity_id, shares=shares, now=self.tenant.now)
        return Response({"results": [split_item(split) for split in splits_of(opportunity_id)]})


def member_item(member: DealTeamMember) -> dict[str, Any]:
    return {
        "id": member.id,
        "person_id": member.person_id,
        "person_name": member.person.name,
        "part": member.part,
        "added_by_id": member.added_by_id,
        "valid_from": member.valid_from,
    }


def split_item(split: Split) -> dict[str, Any]:
    return {
        "person_id": split.person_id,
        "person_name": split.person.name,
        "kind": split.kind,
        "share_bp": split.share_bp,
        "valid_from": split.valid_from,
    }
