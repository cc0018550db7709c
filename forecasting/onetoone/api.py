"""Team and one-to-ones over the API: the same figures as the pages, and what was said for who reads it."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import MINOR, FrameItem, frame_item
from forecasting.onetoone import report
from forecasting.onetoone.models import AgreedAction, OneToOne
from forecasting.onetoone.queries import is_privy, line_above
from forecasting.onetoone.report import TeamRow, sheet_report, team_report
from forecasting.onetoone.services import action_agree, action_done, action_remove, notes_write
from forecasting.onetoone.views import action_or_404, privy_or_404
from otc.api.endpoints import Endpoint
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import DayField, FrameQuery, MomentField, Strict
from otc.question import ask
from otc.tenancy.models import Person

TAGS = ["team"]
TALK_COLUMNS = ("id", "person_id", "held_on", "notes", "written_by_id", "written_at")
ACTION_COLUMNS = ("id", "person_id", "owner_id", "text", "due_on", "agreed_by_id", "agreed_at", "done_at")


class TeamRowItem(serializers.Serializer):
    person_id = serializers.UUIDField(allow_null=True, help_text="Null: nobody's deals, or the total.")
    name = serializers.CharField()
    is_own = serializers.BooleanField(help_text="The head's own deals, without the branch.")
    report_count = serializers.IntegerField()
    quota_minor = serializers.IntegerField(allow_null=True, help_text=MINOR)
    won_minor = serializers.IntegerField(help_text=MINOR)
    commit_minor = serializers.IntegerField(help_text=f"With what is won. {MINOR}")
    call_minor = serializers.IntegerField(allow_null=True, help_text=f"The latest commit call. {MINOR}")
    open_minor = serializers.IntegerField(help_text=MINOR)
    open_count = serializers.IntegerField()
    coverage_remaining = serializers.FloatField(allow_null=True)
    coverage_quota = serializers.FloatField(allow_null=True)
    hygiene = serializers.FloatField(allow_null=True, help_text="0 to 1: open deals without gaps.")
    risk_minor = serializers.IntegerField(help_text=MINOR)
    risk_count = serializers.IntegerField()
    unconvertible_count = serializers.IntegerField(help_text="Deals without a rate, in no sum.")
    pushes = serializers.IntegerField(help_text="Since the period began.")
    last_activity_at = serializers.DateTimeField(allow_null=True)


class TeamReportItem(FrameItem):
    rows = TeamRowItem(many=True)
    total = TeamRowItem()


class PastPeriodItem(serializers.Serializer):
    period = serializers.CharField()
    call_minor = serializers.IntegerField(allow_null=True, help_text="The last one before the period's end.")
    won_minor = serializers.IntegerField(help_text=MINOR)
    quota_minor = serializers.IntegerField(allow_null=True, help_text=MINOR)


class TalkReasonItem(serializers.Serializer):
    key = serializers.CharField()
    text = serializers.CharField()


class TalkDealItem(serializers.Serializer):
    deal_id = serializers.UUIDField()
    name = serializers.CharField()
    amount_minor = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    close_date = serializers.DateField(allow_null=True)
    reasons = TalkReasonItem(many=True)


class SheetItem(FrameItem):
    figures = TeamRowItem()
    past = PastPeriodItem(many=True)
    deals = TalkDealItem(many=True, help_text="The few most worth a word.")
    more = serializers.IntegerField(help_text="Deals beyond these with a reason.")
    since = serializers.DateTimeField(help_text="Changes count since the last talk, else since Monday.")


class TalkNotesItem(serializers.Serializer):
    id = serializers.UUIDField()
    person_id = serializers.UUIDField()
    held_on = serializers.DateField()
    notes = serializers.CharField()
    written_by_id = serializers.UUIDField(allow_null=True)
    written_at = serializers.DateTimeField()


class TalkNotesInput(Strict):
    held_on = DayField(required=False, help_text="Default: today.")
    notes = serializers.CharField(max_length=10_000)
    was = MomentField(
        required=False, help_text="`written_at` of the notes that this replaces; left out for new ones."
    )


class AgreedActionItem(serializers.Serializer):
    id = serializers.UUIDField()
    person_id = serializers.UUIDField()
    owner_id = serializers.UUIDField()
    text = serializers.CharField()
    due_on = serializers.DateField()
    agreed_by_id = serializers.UUIDField(allow_null=True)
    agreed_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)


class AgreedActionInput(Strict):
    text = serializers.CharField(max_length=300)
    owner_id = serializers.UUIDField(help_text="The person, or somebody in the line above.")
    due_on = DayField()


class AgreedActionChange(Strict):
    is_done = serializers.BooleanField()


class TalksQuery(PageQuery):
    sort = sort_field({"written_at": Sort("written_at", datetime)}, default="-written_at")


class ActionsQuery(PageQuery):
    is_open = serializers.BooleanField(required=False, help_text="Only those still to be done, or only done.")
    sort = sort_field({"agreed_at": Sort("agreed_at", datetime)}, default="agreed_at")


class TeamEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_team"}

    @extend_schema(operation_id="team_get", tags=TAGS, parameters=[FrameQuery], responses=TeamReportItem)
    def get(self, request: Request) -> Response:
        """The people below the scope's head, each with their branch; the rows sum to the total."""
        question = ask(self.tenant, self.parameters(FrameQuery))
        found = team_report(question)
        rows = [row_item(row) for row in found.rows]
        return Response(frame_item(question) | {"rows": rows, "total": row_item(found.total)})


class SheetEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_team"}

    @extend_schema(operation_id="team_sheet_get", tags=TAGS, parameters=[FrameQuery], responses=SheetItem)
    def get(self, request: Request, person_id: UUID) -> Response:
        """One person's sheet: figures, calls against results, deals to talk about."""
        question = ask(self.tenant, {**self.parameters(FrameQuery), "scope": str(person_id)})
        person = Person.objects.get(id=person_id)
        reads = is_privy(self.tenant.person.id, person_id, chart=self.tenant.chart)
        talked_on = report.last_talk_on(person_id, before=question.day) if reads else None
        sheet = sheet_report(question, person=person, last_talk_on=talked_on)
        past = [
            {
                "period": one.period.key,
                "call_minor": one.call_minor,
                "won_minor": one.won_minor,
                "quota_minor": one.quota_minor,
            }
            for one in sheet.past
        ]
        deals = [talk_item(talk) for talk in sheet.talks]
        more = {"more": sheet.more, "since": sheet.since, "past": past, "deals": deals}
        return Response(frame_item(question) | {"figures": row_item(sheet.row)} | more)


class Talks(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_team", "POST": "edit_one_to_one"}

    @extend_schema(
        operation_id="one_to_ones_list",
        tags=TAGS,
        parameters=[TalksQuery],
        responses=page_schema(TalkNotesItem),
    )
    def get(self, request: Request, person_id: UUID) -> Response:
        """Notes of the talks with a person, for them and the line above."""
        person = privy_or_404(self.tenant, person_id)
        rows = OneToOne.objects.filter(person_id=person.id, deleted_at__isnull=True).values(*TALK_COLUMNS)
        sorts = {"written_at": Sort("written_at", datetime)}
        page = keyset_page(rows, parameters=self.parameters(TalksQuery), sorts=sorts)
        return Response(paged(request, page))

    @extend_schema(
        operation_id="one_to_ones_write", tags=TAGS, request=TalkNotesInput, responses={201: TalkNotesItem}
    )
    def post(self, request: Request, person_id: UUID) -> Response:
        """Write the notes of a day's talk."""
        person = privy_or_404(self.tenant, person_id)
        content = self.content(TalkNotesInput)
        written = notes_write(
            person,
            held_on=content.get("held_on") or self.tenant.today,
            notes=content["notes"],
            today=self.tenant.today,
            now=self.tenant.now,
            was=content.get("was"),
        )
        return Response(OneToOne.objects.filter(id=written.row.id).values(*TALK_COLUMNS).get(), status=201)


class AgreedActions(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_team", "POST": "edit_one_to_one"}

    @extend_schema(
        operation_id="agreed_actions_list",
        tags=TAGS,
        parameters=[ActionsQuery],
        responses=page_schema(AgreedActionItem),
    )
    def get(self, request: Request, person_id: UUID) -> Response:
        """What was agreed in the one-to-ones with a person, for them and the line above."""
        person = privy_or_404(self.tenant, person_id)
        parameters = self.parameters(ActionsQuery)
        rows = AgreedAction.objects.filter(person_id=person.id, deleted_at__isnull=True)
        if "is_open" in parameters:
            rows = rows.filter(done_at__isnull=parameters["is_open"])
        sorts = {"agreed_at": Sort("agreed_at", datetime)}
        page = keyset_page(rows.values(*ACTION_COLUMNS), parameters=parameters, sorts=sorts)
        return Response(paged(request, page))

    @extend_schema(
        operation_id="agreed_actions_agree",
        tags=TAGS,
        request=AgreedActionInput,
        responses={201: AgreedActionItem},
    )
    def post(self, request: Request, person_id: UUID) -> Response:
        """Agree on something to be done by a day; it returns on each sheet until it is."""
        person = privy_or_404(self.tenant, person_id)
        may_own = line_above(person.id, chart=self.tenant.chart)
        written = action_agree(
            person, **self.content(AgreedActionInput), may_own=may_own, now=self.tenant.now
        )
        return Response(action_item(written.row.id), status=201)


class AgreedActionDetail(Endpoint):
    actions: ClassVar[dict[str, str]] = {"PATCH": "edit_one_to_one", "DELETE": "edit_one_to_one"}

    @extend_schema(
        operation_id="agreed_actions_change",
        tags=TAGS,
        request=AgreedActionChange,
        responses=AgreedActionItem,
    )
    def patch(self, request: Request, person_id: UUID, action_id: UUID) -> Response:
        """Tick it off, or open it again."""
        action = action_or_404(privy_or_404(self.tenant, person_id), action_id)
        action_done(action, is_done=self.content(AgreedActionChange)["is_done"], now=self.tenant.now)
        return Response(action_item(action.id))

    @extend_schema(operation_id="agreed_actions_remove", tags=TAGS, responses={204: None})
    def delete(self, request: Request, person_id: UUID, action_id: UUID) -> Response:
        """It is no longer agreed."""
        action_remove(action_or_404(privy_or_404(self.tenant, person_id), action_id), now=self.tenant.now)
        return Response(status=204)


def row_item(row: TeamRow) -> dict[str, Any]:
    cover = row.coverage
    return {
        "person_id": row.person.id if row.person else None,
        "name": row.person.name if row.person else "Unassigned",
        "is_own": row.is_own,
        "report_count": row.report_count,
        "quota_minor": row.quota_minor,
        "won_minor": row.sums.won_minor,
        "commit_minor": row.commit_minor,
        "call_minor": row.call_minor,
        "open_minor": row.sums.open_minor,
        "open_count": row.sums.open_count,
        "coverage_remaining": None if cover.remaining is None else float(cover.remaining),
        "coverage_quota": None if cover.of_quota is None else float(cover.of_quota),
        "hygiene": None if row.hygiene is None else float(row.hygiene),
        "risk_minor": row.sums.risk_minor,
        "risk_count": row.sums.risk_count,
        "unconvertible_count": row.sums.unconvertible_count,
        "pushes": row.pushes,
        "last_activity_at": row.sums.last_at,
    }


def talk_item(talk: report.Talk) -> dict[str, Any]:
    return {
        "deal_id": talk.row.deal_id,
        "name": talk.row.facts.name,
        "amount_minor": talk.row.amount_minor,
        "currency": talk.row.currency,
        "close_date": talk.row.facts.close_date,
        "reasons": [{"key": reason.key, "text": reason.text} for reason in talk.reasons],
    }


def action_item(action_id: UUID) -> dict[str, Any]:
    row: dict[str, Any] | None = AgreedAction.objects.filter(id=action_id).values(*ACTION_COLUMNS).first()
    if row is None:
        raise Http404
    return row
