"""Comments on a deal over the API."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import Strict
from otc.tenancy.models import Person
from pipeline.comments.models import DealComment
from pipeline.comments.queries import comments_of
from pipeline.comments.rules import LONGEST_COMMENT
from pipeline.comments.services import comment_add, comment_delete, comment_edit
from pipeline.opportunities.api import DealEndpoint
from pipeline.opportunities.queries import visible_opportunity
from pipeline.team.audience import people_seeing

TAGS = ["opportunities"]
COLUMNS = ("id", "author_id", "author__name", "text", "mentions", "created_at", "edited_at")
SORTS = {"created_at": Sort("created_at", datetime)}


class CommentItem(serializers.Serializer):
    id = serializers.UUIDField()
    author_id = serializers.UUIDField(allow_null=True)
    author_name = serializers.CharField(allow_null=True)
    text = serializers.CharField()
    mentioned_ids = serializers.ListField(
        child=serializers.UUIDField(), help_text="Whom an @Name in the text means."
    )
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)


class CommentQuery(PageQuery):
    sort = sort_field(SORTS, default="-created_at")


class CommentInput(Strict):
    text = serializers.CharField(
        max_length=LONGEST_COMMENT,
        trim_whitespace=False,
        help_text="Plain text. @Name tells somebody who may see the deal.",
    )


def item(row: dict[str, Any]) -> dict[str, Any]:
    mentions = row.pop("mentions")
    return {
        **row,
        "author_name": row.pop("author__name"),
        "mentioned_ids": list(dict.fromkeys(person_id for _, _, person_id in mentions)),
    }


class CommentEndpoint(DealEndpoint):
    def audience(self, opportunity_id: UUID) -> list[Person]:
        deal = visible_opportunity(opportunity_id, visible=self.tenant.visible)
        assert deal is not None
        return people_seeing(
            deal,
            organization=self.tenant.organization,
            chart=self.tenant.chart,
            today=self.tenant.today,
        )

    def one(self, comment_id: UUID) -> dict[str, Any]:
        return item(DealComment.objects.filter(id=comment_id).values(*COLUMNS).get())


class OpportunityComments(CommentEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "POST": "comment_deal"}

    @extend_schema(
        operation_id="opportunity_comments_list",
        tags=TAGS,
        parameters=[CommentQuery],
        responses=page_schema(CommentItem),
    )
    def get(self, request: Request, opportunity_id: UUID) -> Response:
        """What was said on the deal, the latest first."""
        self.check_visible(opportunity_id)
        rows = comments_of(opportunity_id).values(*COLUMNS)
        page = keyset_page(rows, parameters=self.parameters(CommentQuery), sorts=SORTS)
        answer = paged(request, page)
        answer["results"] = [item(row) for row in answer["results"]]
        return Response(answer)

    @extend_schema(
        operation_id="opportunity_comments_add",
        tags=TAGS,
        request=CommentInput,
        responses={201: CommentItem},
    )
    def post(self, request: Request, opportunity_id: UUID) -> Response:
        """Say something; whoever is mentioned is told."""
        self.check_visible(opportunity_id)
        said = comment_add(
            opportunity_id,
            audience=self.audience(opportunity_id),
            now=self.tenant.now,
            **self.content(CommentInput),
        )
        return Response(self.one(said.comment.id), status=201)


class OpportunityComment(CommentEndpoint):
    actions: ClassVar[dict[str, str]] = {"PATCH": "comment_deal", "DELETE": "comment_deal"}

    @extend_schema(
        operation_id="opportunity_comments_change", tags=TAGS, request=CommentInput, responses=CommentItem
    )
    def patch(self, request: Request, opportunity_id: UUID, comment_id: UUID) -> Response:
        """Change your own comment; who is mentioned in it for the first time is told."""
        self.check_visible(opportunity_id)
        comment_edit(
            opportunity_id,
            comment_id,
            audience=self.audience(opportunity_id),
            now=self.tenant.now,
            **self.content(CommentInput),
        )
        return Response(self.one(comment_id))

    @extend_schema(operation_id="opportunity_comments_delete", tags=TAGS, responses={204: None})
    def delete(self, request: Request, opportunity_id: UUID, comment_id: UUID) -> Response:
        """Delete your own comment."""
        self.check_visible(opportunity_id)
        comment_delete(opportunity_id, comment_id, now=self.tenant.now)
        return Response(status=204)
