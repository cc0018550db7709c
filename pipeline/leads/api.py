"""Leads over the API: the list, one, what becomes of it, and the checklist."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.errors import refused, translate
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import Strict
from otc.fields.rules import LARGEST_MINOR
from pipeline.leads.models import Lead, LeadCheck, LeadMark, LeadState, ReturnReason
from pipeline.leads.report import visible_lead, visible_leads, worded
from pipeline.leads.rules import LeadRefused
from pipeline.leads.services import (
    Conversion,
    checklist_set,
    lead_convert,
    lead_create,
    lead_edit,
    lead_marks_set,
    lead_reopen,
    lead_return,
)
from pipeline.opportunities.api_shapes import next_step_day_field, next_step_field

TAGS = ["leads"]
COLUMNS = (
    *("id", "external_id", "name", "company", "contact_name", "email", "phone", "source", "campaign"),
    *("fit_note", "owner_id", "state", "return_reason", "return_note", "account_id", "contact_id"),
    *("opportunity_id", "created_at", "decided_at", "decided_by_id"),
)
SORTS = {"created_at": Sort("created_at", datetime), "id": Sort("id", UUID)}

translate(LeadRefused, lambda refusal: refused(refusal.field, refusal.reason))


class LeadFields(Strict):
    """Only what is sent changes."""

    name = serializers.CharField(required=False, allow_blank=True, max_length=300)
    external_id = serializers.CharField(required=False, max_length=200)
    company = serializers.CharField(required=False, allow_blank=True, max_length=300)
    contact_name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    email = serializers.CharField(required=False, allow_blank=True, max_length=254)
    phone = serializers.CharField(required=False, allow_blank=True, max_length=50)
    source = serializers.CharField(required=False, allow_blank=True, max_length=100)  # type: ignore[assignment]  # a field
    campaign = serializers.CharField(required=False, allow_blank=True, max_length=200)
    fit_note = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    owner_id = serializers.UUIDField(required=False, allow_null=True)


class LeadItem(serializers.Serializer):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    company = serializers.CharField(allow_blank=True)
    contact_name = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # a field
    campaign = serializers.CharField(allow_blank=True)
    fit_note = serializers.CharField(allow_blank=True)
    owner_id = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(LeadState.choices)
    return_reason = serializers.CharField(allow_blank=True)
    return_note = serializers.CharField(allow_blank=True)
    account_id = serializers.UUIDField(allow_null=True)
    contact_id = serializers.UUIDField(allow_null=True)
    opportunity_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by_id = serializers.UUIDField(allow_null=True)
    check_ids = serializers.ListField(child=serializers.UUIDField(), help_text="Questions that hold.")


class LeadQuery(PageQuery):
    state = serializers.ChoiceField(LeadState.choices, required=False)
    q = serializers.CharField(
        required=False, max_length=200, help_text="In name, company, contact or e-mail."
    )
    external_id = serializers.CharField(required=False, max_length=200)
    sort = sort_field(SORTS, default="-created_at")


class ConvertInput(Strict):
    name = serializers.CharField(
        required=False, max_length=300, help_text="The deal's; by default the lead's."
    )
    account_id = serializers.UUIDField(
        required=False, help_text="By default the company by name, added if new."
    )
    amount_minor = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_MINOR)
    currency = serializers.CharField(required=False, min_length=3, max_length=3)
    close_date = serializers.DateField(required=False)
    next_step = next_step_field()
    next_step_on = next_step_day_field()


class ReturnInput(Strict):
    reason = serializers.ChoiceField(ReturnReason.choices)
    note = serializers.CharField(required=False, allow_blank=True, max_length=500, default="")


class ChecksInput(Strict):
    check_ids = serializers.ListField(child=serializers.UUIDField(), max_length=100)


class CheckItem(serializers.Serializer):
    id = serializers.UUIDField()
    text = serializers.CharField()
    points = serializers.IntegerField()
    position = serializers.IntegerField()


class CheckInput(Strict):
    id = serializers.UUIDField(
        required=False, help_text="Of a question that is there; without one it is new."
    )
    text = serializers.CharField(max_length=200)
    points = serializers.IntegerField(required=False, default=1, min_value=1, max_value=100)


class ChecklistInput(Strict):
    checks = CheckInput(many=True, help_text="In their order; what is left out is retired.")


class ChecklistItem(serializers.Serializer):
    checks = CheckItem(many=True)


class LeadEndpoint(Endpoint):
    """One lead, as far as one may see its owner."""

    def found(self, lead_id: UUID) -> Lead:
        lead = visible_lead(lead_id, visible=self.tenant.visible)
        if lead is None:
            raise Http404
        return lead

    def item(self, lead_id: UUID) -> dict[str, Any]:
        row: dict[str, Any] = Lead.objects.values(*COLUMNS).get(id=lead_id)
        return with_checks([row])[0]


def with_checks(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the questions that hold. One query."""
    held: dict[UUID, list[UUID]] = {row["id"]: [] for row in rows}
    marks = LeadMark.objects.filter(lead_id__in=list(held), check_asked__retired_at__isnull=True)
    for lead_id, check_id in marks.order_by("check_asked__position", "id").values_list(
        "lead_id", "check_asked_id"
    ):
        held[lead_id].append(check_id)
    return [row | {"check_ids": held[row["id"]]} for row in rows]


class Leads(LeadEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_leads", "POST": "edit_lead"}

    @extend_schema(
        operation_id="leads_list", tags=TAGS, parameters=[LeadQuery], responses=page_schema(LeadItem)
    )
    def get(self, request: Request) -> Response:
        """Leads whose owners one may see, the newest first."""
        parameters = self.parameters(LeadQuery)
        rows = worded(visible_leads(self.tenant.visible), parameters.get("q", ""))
        for name in ("state", "external_id"):
            if parameters.get(name):
                rows = rows.filter(**{name: parameters[name]})
        page = keyset_page(rows.values(*COLUMNS), parameters=parameters, sorts=SORTS)
        page.rows[:] = with_checks(page.rows)
        return Response(paged(request, page))

    @extend_schema(operation_id="leads_create", tags=TAGS, request=LeadFields, responses={201: LeadItem})
    def post(self, request: Request) -> Response:
        """A new lead, e.g. from a form on a web page; it needs a name, a company, a contact or an e-mail."""
        lead = lead_create(now=timezone.now(), **self.content(LeadFields))
        location = request.build_absolute_uri(f"{request.path}/{lead.id}")
        return Response(self.item(lead.id), status=201, headers={"Location": location})


class LeadDetail(LeadEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_leads", "PATCH": "edit_lead"}

    @extend_schema(operation_id="leads_get", tags=TAGS, responses=LeadItem)
    def get(self, request: Request, lead_id: UUID) -> Response:
        """One lead."""
        self.parameters(Strict)
        return Response(self.item(self.found(lead_id).id))

    @extend_schema(operation_id="leads_edit", tags=TAGS, request=LeadFields, responses=LeadItem)
    def patch(self, request: Request, lead_id: UUID) -> Response:
        """Change the fields that are sent."""
        self.found(lead_id)
        lead_edit(lead_id, changes=self.content(LeadFields, partial=True))
        return Response(self.item(lead_id))


class LeadChecks(LeadEndpoint):
    actions: ClassVar[dict[str, str]] = {"PUT": "edit_lead"}

    @extend_schema(operation_id="leads_check", tags=TAGS, request=ChecksInput, responses=LeadItem)
    def put(self, request: Request, lead_id: UUID) -> Response:
        """Just these questions of the checklist hold."""
        self.found(lead_id)
        lead_marks_set(lead_id, check_ids=self.content(ChecksInput)["check_ids"], now=timezone.now())
        return Response(self.item(lead_id))


class LeadConvert(LeadEndpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "edit_lead"}

    @extend_schema(operation_id="leads_convert", tags=TAGS, request=ConvertInput, responses=LeadItem)
    def post(self, request: Request, lead_id: UUID) -> Response:
        """Make an opportunity of it, in one step, which needs its next step and day; `opportunity_id` says which."""
        found = self.found(lead_id)
        content = {"name": found.name} | self.content(ConvertInput)
        lead_convert(lead_id, conversion=Conversion(**content), now=timezone.now())
        return Response(self.item(lead_id))


class LeadReturn(LeadEndpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "edit_lead"}

    @extend_schema(operation_id="leads_return", tags=TAGS, request=ReturnInput, responses=LeadItem)
    def post(self, request: Request, lead_id: UUID) -> Response:
        """Back to marketing, with a reason."""
        self.found(lead_id)
        lead_return(lead_id, now=timezone.now(), **self.content(ReturnInput))
        return Response(self.item(lead_id))


class LeadReopen(LeadEndpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "edit_lead"}

    @extend_schema(operation_id="leads_reopen", tags=TAGS, request=None, responses=LeadItem)
    def post(self, request: Request, lead_id: UUID) -> Response:
        """A returned lead is worth another try."""
        self.found(lead_id)
        lead_reopen(lead_id)
        return Response(self.item(lead_id))


class LeadChecklist(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_leads", "PUT": "manage_process"}

    @extend_schema(operation_id="lead_checks_list", tags=TAGS, responses=ChecklistItem)
    def get(self, request: Request) -> Response:
        """The questions that a lead is qualified by."""
        self.parameters(Strict)
        return Response(checklist())

    @extend_schema(operation_id="lead_checks_set", tags=TAGS, request=ChecklistInput, responses=ChecklistItem)
    def put(self, request: Request) -> Response:
        """The whole checklist in its order."""
        checks = self.content(ChecklistInput)["checks"]
        items = [(one.get("id"), one["text"], one["points"]) for one in checks]
        checklist_set(items, now=timezone.now())
        return Response(checklist())


def checklist() -> dict[str, Any]:
    found = LeadCheck.objects.filter(retired_at__isnull=True)
    return {"checks": list(found.values("id", "text", "points", "position"))}
