"""How deals are meant to go, over the API: stages, milestones, closing reasons, and a deal's milestones."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged
from otc.api.parameters import Strict
from otc.tenancy.middleware import Tenant
from pipeline.history.queries import stages_reached
from pipeline.opportunities.api import DealEndpoint
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity, OpportunityMilestone, Outcome
from pipeline.process.models import Category, CloseReason, Milestone, Side, Stage
from pipeline.process.rules import due_on

TAGS = ["process"]
BY_POSITION = {"position": Sort("position", int)}
STATES = ("open", "met", "waived")


class StageItem(serializers.Serializer):
    id = serializers.UUIDField()
    process_id = serializers.UUIDField()
    process_name = serializers.CharField()
    name = serializers.CharField()
    position = serializers.IntegerField()
    objective = serializers.CharField(allow_blank=True)
    category = serializers.ChoiceField(Category.choices, allow_null=True, help_text="What it proposes.")
    expected_days = serializers.IntegerField()
    win_percent = serializers.IntegerField(allow_null=True, help_text="What it proposes.")
    guidance = serializers.CharField(allow_blank=True)
    may_be_skipped = serializers.BooleanField()
    may_go_back = serializers.BooleanField(help_text="Whether a deal here may go to an earlier stage.")
    approval_above_minor = serializers.IntegerField(
        allow_null=True, help_text="Corporate minor units above which entering needs the manager's approval."
    )
    required_fields = serializers.ListField(child=serializers.CharField())


class MilestoneItem(serializers.Serializer):
    id = serializers.UUIDField()
    stage_id = serializers.UUIDField()
    name = serializers.CharField()
    position = serializers.IntegerField()
    side = serializers.ChoiceField(Side.choices)
    is_required = serializers.BooleanField()
    due_days = serializers.IntegerField(help_text="Days after entering the stage.")


class ReasonItem(serializers.Serializer):
    id = serializers.UUIDField()
    parent_id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    outcomes = serializers.ListField(child=serializers.ChoiceField(Outcome.choices))
    feeds = serializers.CharField()
    position = serializers.IntegerField()


class DealMilestoneItem(MilestoneItem):
    """A milestone of the deal's process, and where this deal stands with it."""

    state = serializers.ChoiceField(STATES)
    marked_at = serializers.DateTimeField(allow_null=True)
    marked_by_id = serializers.UUIDField(allow_null=True)
    ticked_by = serializers.CharField(allow_blank=True, help_text="The close plan’s recipient who ticked it.")
    note = serializers.CharField(allow_blank=True, help_text="The evidence, or why it was waived.")
    url = serializers.CharField(allow_blank=True, help_text="Where the evidence is.")
    noted_at = serializers.DateTimeField(
        allow_null=True, help_text="When the evidence was changed after the marking."
    )
    noted_by_id = serializers.UUIDField(allow_null=True)
    due_on = serializers.DateField(allow_null=True, help_text="null while its stage lies ahead.")
    is_late = serializers.BooleanField()


class MilestoneQuery(PageQuery):
    stage_id = serializers.UUIDField(required=False)


class MarkInput(Strict):
    state = serializers.ChoiceField(STATES)
    note = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="Left out, what stands there stays; at most 2,000 characters.",
    )
    url = serializers.CharField(
        required=False, allow_blank=True, help_text="http or https; left out, it stays."
    )


def stage_rows() -> Any:
    """Stages by process and position; `process_name` beside its id."""
    return Stage.objects.filter(retired_at__isnull=True).values(
        "id",
        "process_id",
        "process__name",
        "name",
        "position",
        "objective",
        "category",
        "expected_days",
        "win_percent",
        "guidance",
        "may_be_skipped",
        "may_go_back",
        "approval_above_minor",
        "required_fields",
    )


EVIDENCE = ("ticked_by", "note", "url", "noted_at", "noted_by_id")
MILESTONE_COLUMNS = ("id", "stage_id", "name", "position", "side", "is_required", "due_days")


def deal_milestones(opportunity_id: UUID, *, tenant: Tenant) -> list[dict[str, Any]]:
    """The milestones of the deal's process in order, with the deal's marks and days. Three queries."""
    names = ("met_at", "waived_at", "marked_by_id", *EVIDENCE)
    marks = OpportunityMilestone.objects.filter(opportunity_id=opportunity_id)
    mark_of = {mark["milestone_id"]: mark for mark in marks.values("milestone_id", *names)}
    process = Opportunity.objects.filter(id=opportunity_id).values("process_id")
    rows = Milestone.objects.filter(
        stage__process_id__in=process, stage__retired_at__isnull=True, retired_at__isnull=True
    ).order_by("stage__position", "position", "id")
    reached = stages_reached(opportunity_id)
    found = []
    for row in rows.values(*MILESTONE_COLUMNS):
        due = due_on(reached.get(row["stage_id"]), row["due_days"], zone=tenant.zone)
        mark = _mark(mark_of.get(row["id"]))
        is_late = mark["state"] == "open" and due is not None and due < tenant.today
        found.append(row | mark | {"due_on": due, "is_late": is_late})
    return found


def _mark(mark: dict[str, Any] | None) -> dict[str, Any]:
    if mark is None:
        nothing = {"ticked_by": "", "note": "", "url": "", "noted_at": None, "noted_by_id": None}
        return {"state": "open", "marked_at": None, "marked_by_id": None, **nothing}
    met_at: datetime | None = mark["met_at"]
    return {
        "state": "met" if met_at else "waived",
        "marked_at": met_at or mark["waived_at"],
        "marked_by_id": mark["marked_by_id"],
        **{name: mark[name] for name in EVIDENCE},
    }


class Stages(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(
        operation_id="stages_list", tags=TAGS, parameters=[PageQuery], responses=page_schema(StageItem)
    )
    def get(self, request: Request) -> Response:
        """The stages of every process, by position."""
        page = keyset_page(stage_rows(), parameters=self.parameters(PageQuery), sorts=BY_POSITION)
        for row in page.rows:
            row["process_name"] = row.pop("process__name")
        return Response(paged(request, page))


class Milestones(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(
        operation_id="milestones_list",
        tags=TAGS,
        parameters=[MilestoneQuery],
        responses=page_schema(MilestoneItem),
    )
    def get(self, request: Request) -> Response:
        """The milestones of every stage."""
        parameters = self.parameters(MilestoneQuery)
        standing = Milestone.objects.filter(retired_at__isnull=True, stage__retired_at__isnull=True)
        rows = standing.values(*MILESTONE_COLUMNS)
        if stage_id := parameters.get("stage_id"):
            rows = rows.filter(stage_id=stage_id)
        return Response(paged(request, keyset_page(rows, parameters=parameters, sorts=BY_POSITION)))


class Reasons(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(
        operation_id="reasons_list", tags=TAGS, parameters=[PageQuery], responses=page_schema(ReasonItem)
    )
    def get(self, request: Request) -> Response:
        """What a closing may be booked under."""
        rows = CloseReason.objects.filter(retired_at__isnull=True).values(
            "id", "parent_id", "name", "outcomes", "feeds", "position"
        )
        page = keyset_page(rows, parameters=self.parameters(PageQuery), sorts=BY_POSITION)
        return Response(paged(request, page))


class OpportunityMilestones(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals"}

    @extend_schema(
        operation_id="opportunity_milestones_list",
        tags=["opportunities"],
        responses=DealMilestoneItem(many=True),
    )
    def get(self, request: Request, opportunity_id: UUID) -> Response:
        """All milestones of the opportunity's process, with their state."""
        self.check_visible(opportunity_id)
        self.parameters(Strict)
        return Response(deal_milestones(opportunity_id, tenant=self.tenant))


class OpportunityMilestoneMark(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "mark_milestone"}

    @extend_schema(
        operation_id="opportunity_milestones_mark",
        tags=["opportunities"],
        request=MarkInput,
        responses=DealMilestoneItem,
    )
    def post(self, request: Request, opportunity_id: UUID, milestone_id: UUID) -> Response:
        """Meet, waive or open a milestone, with its evidence; met again, only the evidence changes."""
        self.check_visible(opportunity_id)
        if milestone_id not in {row["id"] for row in deal_milestones(opportunity_id, tenant=self.tenant)}:
            raise Http404
        fields = self.content(MarkInput)
        milestone_mark(opportunity_id, milestone_id=milestone_id, now=self.tenant.now, **fields)
        marked = {row["id"]: row for row in deal_milestones(opportunity_id, tenant=self.tenant)}
        return Response(marked[milestone_id])
