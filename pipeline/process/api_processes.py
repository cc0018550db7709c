"""Whole processes over the API: stages, milestones, rules and aids of each, now, at an instant, by version."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged
from otc.api.parameters import MomentQuery
from otc.question import ask
from pipeline.process.api import TAGS
from pipeline.process.models import Category, Process, ProcessVersion, Side
from pipeline.process.versions import document_of, document_then

BY_NAME = {"name": Sort("name", str)}
BY_NUMBER = {"number": Sort("number", int)}


class AidItem(serializers.Serializer):
    title = serializers.CharField()
    url = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    competitor_id = serializers.UUIDField(allow_null=True, help_text="Null: whoever competes.")
    role = serializers.CharField(allow_blank=True, help_text="The buying role that it is for; empty: any.")


class ProcessMilestoneItem(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    side = serializers.ChoiceField(Side.choices)
    is_required = serializers.BooleanField()
    due_days = serializers.IntegerField()


class ProcessStageItem(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    objective = serializers.CharField(allow_blank=True)
    guidance = serializers.CharField(allow_blank=True)
    category = serializers.ChoiceField(Category.choices, allow_null=True)
    win_percent = serializers.IntegerField(allow_null=True)
    expected_days = serializers.IntegerField()
    may_be_skipped = serializers.BooleanField()
    may_go_back = serializers.BooleanField()
    approval_above_minor = serializers.IntegerField(allow_null=True)
    required_fields = serializers.ListField(
        child=serializers.CharField(),
        help_text="`amount`, `close_date`, or `field.<key>` for a custom field.",
    )
    aids = AidItem(many=True)
    milestones = ProcessMilestoneItem(many=True)


class ProcessSummary(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    is_default = serializers.BooleanField(help_text="Where new opportunities begin.")
    gates_winning = serializers.BooleanField(help_text="Whether a win asks for the rest of the way.")


class ProcessItem(ProcessSummary):
    stages = ProcessStageItem(many=True, help_text="In order.")


class ProcessVersionItem(serializers.Serializer):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    made_at = serializers.DateTimeField()
    person_id = serializers.UUIDField(allow_null=True)
    changes = serializers.ListField(child=serializers.CharField())


def process_or_404(process_id: UUID) -> Process:
    process: Process | None = Process.objects.filter(id=process_id).first()
    if process is None:
        raise Http404
    return process


class Processes(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(
        operation_id="processes_list",
        tags=TAGS,
        parameters=[PageQuery],
        responses=page_schema(ProcessSummary),
    )
    def get(self, request: Request) -> Response:
        """The organization's sales processes."""
        rows = Process.objects.values("id", "name", "is_default", "gates_winning")
        return Response(
            paged(request, keyset_page(rows, parameters=self.parameters(PageQuery), sorts=BY_NAME))
        )


class ProcessDetail(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(operation_id="processes_get", tags=TAGS, parameters=[MomentQuery], responses=ProcessItem)
    def get(self, request: Request, process_id: UUID) -> Response:
        """One process with all its rules, now or as it stood at an instant."""
        process = process_or_404(process_id)
        question = ask(self.tenant, self.parameters(MomentQuery))
        found = document_then(process.id, question.as_of) if question.is_past else None
        document: dict[str, Any] = found or document_of(process)
        return Response({"id": process.id, "is_default": process.is_default, **document})


class ProcessVersions(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(
        operation_id="processes_versions",
        tags=TAGS,
        parameters=[PageQuery],
        responses=page_schema(ProcessVersionItem),
    )
    def get(self, request: Request, process_id: UUID) -> Response:
        """Who changed the process when; what it was then is `GET` of it with `as_of`."""
        process = process_or_404(process_id)
        rows = ProcessVersion.objects.filter(process=process).values(
            "id", "number", "made_at", "person_id", "changes"
        )
        return Response(
            paged(request, keyset_page(rows, parameters=self.parameters(PageQuery), sorts=BY_NUMBER))
        )
