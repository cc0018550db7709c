"""Opportunities over the API: list and look up (as of any instant), create, edit, close, reopen, delete."""

from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.errors import Problem, refused, translate
from otc.api.pages import page_schema, paged_text, written_page
from otc.api.parameters import MomentQuery
from otc.fields.queries import Book, field_book
from otc.fields.writing import reading_of
from otc.question import BadQuestion, Question, ask
from otc.tenancy.lines import EVERYONE
from otc.tenancy.models import Role
from pipeline.duplicates.fresh import deal_compare
from pipeline.fields.asked import FieldCondition, field_parameters, is_field_parameter, read_conditions
from pipeline.history.queries import versions_as_of
from pipeline.opportunities.api_matching import ETAG, IF_MATCH, STALE, check_match, etag_of
from pipeline.opportunities.api_shapes import (
    AS_OF_NAMES,
    AS_OF_SORTS,
    FIT,
    PRESENT_NAMES,
    SORTS,
    CloseInput,
    NextStepInput,
    OpportunityEdit,
    OpportunityInput,
    OpportunityItem,
    OpportunityQuery,
    as_of_rows,
    attribute_members,
    fitting_rows,
    items,
    present_rows,
)
from pipeline.opportunities.asked import FIT_IS_OF_NOW, read_fit
from pipeline.opportunities.filters import DealFilter
from pipeline.opportunities.gates import input_name
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.next_step import next_step_finish
from pipeline.opportunities.queries import visible_opportunities
from pipeline.opportunities.rules import MoveRefused, Refused
from pipeline.opportunities.services import (
    opportunity_close,
    opportunity_create,
    opportunity_delete,
    opportunity_edit,
    opportunity_reopen,
)

TAGS = ["opportunities"]
MATCHED, WRITTEN = [IF_MATCH, ETAG], {200: OpportunityItem, 412: STALE}


def move_problem(refusal: MoveRefused) -> Problem:
    """422 with everything that is missing: milestones and an approval under those names, fields under their own."""
    target = refusal.verdict.target
    fields = {refusal.field: [refusal.reason]}
    if refusal.missing:
        fields["milestones"] = [one.name for one in refusal.missing]
    for name, label in zip(refusal.verdict.fields, refusal.field_labels, strict=True):
        fields[input_name(name)] = [f"{target} asks for {label}"]
    if refusal.approval_words:
        fields["approval"] = [refusal.approval_words]
    return Problem(422, "refused", refusal.reason, fields)


# The more special one first: the first that fits answers.
translate(MoveRefused, move_problem)
translate(Refused, lambda refusal: refused(refusal.field, refusal.reason))


class DealEndpoint(Endpoint):
    """An endpoint below one opportunity."""

    def check_visible(self, opportunity_id: UUID) -> None:
        """404 unless the deal is there and the viewer may see it."""
        if not visible_opportunities(self.tenant.visible).filter(id=opportunity_id).exists():
            raise Http404

    def present(self, opportunity_id: UUID) -> dict[str, Any]:
        """The deal as it stands, which the viewer has just been allowed to write, even if it left their sight."""
        rows = present_rows(Opportunity.objects.filter(id=opportunity_id))
        return items(rows, self.book)[0]

    def answer(self, opportunity_id: UUID, *, status: int = 200, **headers: str) -> Response:
        """The deal as it stands, with its version as `ETag`."""
        tagged = {"ETag": etag_of(opportunity_id)} | headers
        return Response(self.present(opportunity_id), status=status, headers=tagged)

    def check_writable(self, opportunity_id: UUID) -> None:
        """404 unless the viewer may see the deal, 412 where it changed since the version that they name."""
        self.check_visible(opportunity_id)
        check_match(self.request, opportunity_id)

    @property
    def book(self) -> Book:
        """The custom fields of deals."""
        return field_book("deal", self.tenant.organization)


def deal_filter(parameters: dict[str, Any], question: Question) -> DealFilter:
    """The list's filter. Without a scope the owner of that day is not asked for: today's decides what is seen."""
    return DealFilter(
        owners=None if question.scope == EVERYONE else question.owners,
        state=parameters.get("state"),
        category=parameters.get("category"),
        stage_id=parameters.get("stage_id"),
        account_id=parameters.get("account_id"),
        product_id=parameters.get("product_id"),
        period=question.period if parameters.get("period") else None,
        closes_from=parameters.get("close_date_from"),
        closes_before=parameters.get("close_date_before"),
        without=parameters.get("without"),
        words=parameters.get("q", ""),
        fit=read_fit(parameters, question),
    )


class Opportunities(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "POST": "create_deal"}

    @extend_schema(
        operation_id="opportunities_list",
        tags=TAGS,
        parameters=[OpportunityQuery],
        responses=page_schema(OpportunityItem),
    )
    def get(self, request: Request) -> HttpResponse:
        """Opportunities that you may see, now or as of an instant.

        Custom fields filter too: `field.<key>=` with a choice's key or a person's id, several with commas, `none` for
        not set; `field.<key>.from=` and `.to=` for numbers, amounts and days; `.contains=` and `.starts=` for texts;
        `.set=yes|no` for any.
        """
        parameters = self.parameters(OpportunityQuery, beside=is_field_parameter)
        question = ask(self.tenant, parameters)
        wanted = replace(deal_filter(parameters, question), fields=self.field_conditions(question))
        visible, beside = (
            self.tenant.visible,
            ("attributes", lambda found: attribute_members(found, self.book)),
        )
        shows_fit = parameters.get("include") == "fit"
        if question.is_past and shows_fit:
            raise BadQuestion("include", FIT_IS_OF_NOW)
        if question.is_past:
            versions = versions_as_of(question.as_of, known=question.known)
            rows = as_of_rows(wanted.apply(versions), visible=visible)
            page = written_page(
                rows,
                names=AS_OF_NAMES,
                parameters=parameters,
                sorts=AS_OF_SORTS,
                id_column="opportunity_id",
                beside=beside,
            )
        else:
            deals = wanted.found().apply(visible_opportunities(visible))
            organization = self.tenant.organization
            rows = fitting_rows(deals, organization=organization) if shows_fit else present_rows(deals)
            names = PRESENT_NAMES | FIT if shows_fit else PRESENT_NAMES
            page = written_page(rows, names=names, parameters=parameters, sorts=SORTS, beside=beside)
        return paged_text(request, page)

    def field_conditions(self, question: Question) -> tuple[FieldCondition, ...]:
        """What the query asks of custom fields; 400 names a parameter that can't be meant."""
        asked = field_parameters(self.request.query_params)
        reading = reading_of(today=question.day, is_file=True)
        return read_conditions(asked, book=self.book, reading=reading)

    @extend_schema(
        operation_id="opportunities_create",
        tags=TAGS,
        request=OpportunityInput,
        parameters=[ETAG],
        responses={201: OpportunityItem},
    )
    def post(self, request: Request) -> Response:
        """A new open opportunity, with its next step and the day of that.

        Without `owner_id` it is the token's person's, or nobody's for an integration. A known `external_id` is refused
        with 422, so asking twice makes one.
        """
        fields = self.content(OpportunityInput)
        if self.tenant.person.role != Role.INTEGRATION:
            fields.setdefault("owner_id", self.tenant.person.id)
        written = opportunity_create(now=self.tenant.now, **fields)
        deal_compare(written.opportunity.id, now=self.tenant.now)
        location = request.build_absolute_uri(f"{request.path}/{written.opportunity.id}")
        return self.answer(written.opportunity.id, status=201, Location=location)


class OpportunityDetail(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_deals", "PATCH": "edit_deal", "DELETE": "edit_deal"}

    @extend_schema(
        operation_id="opportunities_get", tags=TAGS, parameters=[MomentQuery, ETAG], responses=OpportunityItem
    )
    def get(self, request: Request, opportunity_id: UUID) -> Response:
        """One opportunity, now or as of an instant."""
        question = ask(self.tenant, self.parameters(MomentQuery))
        visible = self.tenant.visible
        if question.is_past:
            versions = versions_as_of(question.as_of, known=question.known)
            rows = as_of_rows(versions.filter(opportunity_id=opportunity_id), visible=visible)
        else:
            rows = present_rows(visible_opportunities(visible).filter(id=opportunity_id))
        found = items(rows, self.book)
        if not found:
            raise Http404
        return Response(found[0], headers=None if question.is_past else {"ETag": etag_of(opportunity_id)})

    @extend_schema(
        operation_id="opportunities_edit",
        tags=TAGS,
        request=OpportunityEdit,
        parameters=MATCHED,
        responses=WRITTEN,
    )
    def patch(self, request: Request, opportunity_id: UUID) -> Response:
        """Change the fields that are sent; with `If-Match` only the version that you read."""
        self.check_writable(opportunity_id)
        opportunity_edit(opportunity_id, changes=self.content(OpportunityEdit, partial=True))
        return self.answer(opportunity_id)

    @extend_schema(
        operation_id="opportunities_delete",
        tags=TAGS,
        parameters=[IF_MATCH],
        responses={204: None, 412: STALE},
    )
    def delete(self, request: Request, opportunity_id: UUID) -> Response:
        """Take it out of every list. Its versions stay."""
        self.check_writable(opportunity_id)
        opportunity_delete(opportunity_id, now=self.tenant.now)
        return Response(status=204)


class OpportunityClose(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "close_deal"}

    @extend_schema(
        operation_id="opportunities_close",
        tags=TAGS,
        request=CloseInput,
        parameters=MATCHED,
        responses=WRITTEN,
    )
    def post(self, request: Request, opportunity_id: UUID) -> Response:
        """End it as won, lost or no decision, with the primary reason."""
        self.check_writable(opportunity_id)
        fields = self.content(CloseInput)
        opportunity_close(opportunity_id, now=self.tenant.now, today=self.tenant.today, **fields)
        return self.answer(opportunity_id)


class OpportunityReopen(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "close_deal"}

    @extend_schema(
        operation_id="opportunities_reopen", tags=TAGS, request=None, parameters=MATCHED, responses=WRITTEN
    )
    def post(self, request: Request, opportunity_id: UUID) -> Response:
        """Open a closed one again."""
        self.check_writable(opportunity_id)
        opportunity_reopen(opportunity_id)
        return self.answer(opportunity_id)


class OpportunityNextStep(DealEndpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "edit_deal"}

    @extend_schema(
        operation_id="opportunities_next_step",
        tags=TAGS,
        request=NextStepInput,
        parameters=MATCHED,
        responses=WRITTEN,
    )
    def post(self, request: Request, opportunity_id: UUID) -> Response:
        """The present next step is done, and logged so; this one comes next."""
        self.check_writable(opportunity_id)
        fields = self.content(NextStepInput)
        next_step_finish(opportunity_id, now=self.tenant.now, today=self.tenant.today, **fields)
        return self.answer(opportunity_id)
