"""Duplicates over the API: what looks like one, what is none, merging and taking that back."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.errors import refused, translate
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged
from otc.api.parameters import Strict
from otc.undo.registry import CantUndo
from pipeline.duplicates.choices import GONE, KEPT
from pipeline.duplicates.models import Merge, RecordKind
from pipeline.duplicates.report import SORTS, pair_of, standing_pairs, visible_merges
from pipeline.duplicates.services import CantMerge, merge_undo, pair_dismiss, records_merge
from pipeline.duplicates.views import both_of

TAGS = ["duplicates"]
PAIR_COLUMNS = ("id", "kind", "first_id", "second_id", "score", "reasons", "found_at")
MERGE_COLUMNS = (
    *("id", "kind", "kept_id", "gone_id", "kept_name", "gone_name", "merged_by_id", "merged_at"),
    *("undone_by_id", "undone_at"),
)
BY_TIME = {"merged_at": Sort("merged_at", datetime)}

translate(CantMerge, lambda problem: refused("gone_id", str(problem)))


class DuplicateItem(serializers.Serializer):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(RecordKind.choices)
    first_id = serializers.UUIDField()
    second_id = serializers.UUIDField()
    score = serializers.IntegerField(help_text="How sure it is that both are one, 60 to 99.")
    reasons = serializers.ListField(child=serializers.CharField())
    found_at = serializers.DateTimeField()


class DuplicateQuery(PageQuery):
    kind = serializers.ChoiceField(RecordKind.choices, required=False, default="account")


class MergeItem(serializers.Serializer):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(RecordKind.choices)
    kept_id = serializers.UUIDField()
    gone_id = serializers.UUIDField()
    kept_name = serializers.CharField()
    gone_name = serializers.CharField()
    merged_by_id = serializers.UUIDField(allow_null=True)
    merged_at = serializers.DateTimeField()
    undone_by_id = serializers.UUIDField(allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)


class MergeInput(Strict):
    kind = serializers.ChoiceField(RecordKind.choices)
    kept_id = serializers.UUIDField()
    gone_id = serializers.UUIDField()
    fields = serializers.DictField(  # type: ignore[assignment]  # Serializer.fields stays: its metaclass takes this away
        child=serializers.ChoiceField([KEPT, GONE]),
        required=False,
        help_text="Whose value wins, by field; a field that is left out keeps its value, or takes the other's where "
        "it has none.",
    )


class Duplicates(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_accounts"}

    @extend_schema(
        operation_id="duplicates_list",
        tags=TAGS,
        parameters=[DuplicateQuery],
        responses=page_schema(DuplicateItem),
    )
    def get(self, request: Request) -> Response:
        """Pairs that look like one record and that nobody has said to be two, the surest first."""
        parameters = self.parameters(DuplicateQuery)
        rows = standing_pairs(parameters["kind"], visible=self.tenant.visible).values(*PAIR_COLUMNS)
        page = keyset_page(rows, parameters={**parameters, "sort": "-score"}, sorts=SORTS)
        return Response(paged(request, page))


class DuplicateDismiss(Endpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "merge_duplicates"}

    @extend_schema(operation_id="duplicates_dismiss", tags=TAGS, request=None, responses={204: None})
    def post(self, request: Request, pair_id: UUID) -> Response:
        """Say that these two are no duplicates; they are never proposed again."""
        if pair_of(pair_id, visible=self.tenant.visible) is None:
            raise Http404
        pair_dismiss(pair_id, now=timezone.now())
        return Response(status=204)


class Merges(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_accounts", "POST": "merge_duplicates"}

    @extend_schema(
        operation_id="merges_list", tags=TAGS, parameters=[PageQuery], responses=page_schema(MergeItem)
    )
    def get(self, request: Request) -> Response:
        """What was merged, the latest first."""
        rows = visible_merges(visible=self.tenant.visible).values(*MERGE_COLUMNS)
        parameters = {**self.parameters(PageQuery), "sort": "-merged_at"}
        return Response(paged(request, keyset_page(rows, parameters=parameters, sorts=BY_TIME)))

    @extend_schema(operation_id="merges_create", tags=TAGS, request=MergeInput, responses={201: MergeItem})
    def post(self, request: Request) -> Response:
        """Merge `gone_id` into `kept_id`; whatever hangs on it moves along."""
        content = self.content(MergeInput)
        kind, ids = content["kind"], {"keep": str(content["kept_id"]), "gone": str(content["gone_id"])}
        kept, gone = both_of(self.tenant, kind, ids)
        merge = records_merge(
            kind, kept_id=kept.id, gone_id=gone.id, chosen=content.get("fields") or {}, now=timezone.now()
        )
        return Response(_item(merge.id), status=201)


class MergeUndo(Endpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "merge_duplicates"}

    @extend_schema(operation_id="merges_undo", tags=TAGS, request=None, responses=MergeItem)
    def post(self, request: Request, merge_id: UUID) -> Response:
        """Put both records back exactly; refused where something moved again since."""
        if not visible_merges(visible=self.tenant.visible).filter(id=merge_id).exists():
            raise Http404
        try:
            with transaction.atomic():
                merge_undo(merge_id, now=timezone.now())
        except CantUndo as problem:
            raise CantMerge(str(problem)) from problem
        return Response(_item(merge_id))


def _item(merge_id: UUID) -> dict[str, Any]:
    found: dict[str, Any] = Merge.objects.values(*MERGE_COLUMNS).get(id=merge_id)
    return found
