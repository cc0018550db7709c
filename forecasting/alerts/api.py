"""Alerts over the API: rules, what fired, what would have, and the hooks."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.alerts.models import AlertHook, AlertRule
from forecasting.alerts.report import fired_of, preview_report, rules_of
from forecasting.alerts.rules import KIND_KEYS, SPANS
from forecasting.alerts.services import (
    LIMITS,
    Wanted,
    hook_add,
    hook_remove,
    rule_create,
    rule_edit,
    rule_pause,
    rule_remove,
    rule_resume,
    rule_try,
)
from forecasting.alerts.views import author_of
from otc.api.endpoints import Endpoint
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import Strict

TAGS = ["alerts"]
RULE_COLUMNS = (
    *(
        "id",
        "name",
        "kind",
        "owner_id",
        "scope_id",
        "amount_minor",
        "percent",
        "days",
        "times_hundredths",
        "span",
    ),
    *(
        "person_ids",
        "tells_owner",
        "tells_manager",
        "in_app",
        "by_mail",
        "hook_id",
        "paused_at",
        "created_at",
    ),
)
FIRED_COLUMNS = ("id", "rule_id", "opportunity_id", "text", "facts", "at", "fired_at", "told_ids", "holds")
HOOK_COLUMNS = ("id", "name", "url", "owner_id", "created_at")


class AlertRuleInput(Strict):
    name = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(choices=KIND_KEYS)
    is_own = serializers.BooleanField(
        required=False, help_text="True: tells you alone; else the organization's."
    )
    scope_id = serializers.UUIDField(required=False, allow_null=True, help_text="The head of a branch.")
    amount_minor = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=LIMITS["amount_minor"][0],
        max_value=LIMITS["amount_minor"][1],
        help_text="Corporate minor units: of deals from this amount on.",
    )
    percent = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=100)
    days = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=365)
    times_hundredths = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=10_000, help_text="Coverage: 300 is 3 times."
    )
    span = serializers.ChoiceField(choices=SPANS, required=False)
    person_ids = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=100)
    tells_owner = serializers.BooleanField(required=False)
    tells_manager = serializers.BooleanField(required=False)
    in_app = serializers.BooleanField(required=False)
    by_mail = serializers.BooleanField(required=False)
    hook_id = serializers.UUIDField(required=False, allow_null=True)


class AlertRuleChange(Strict):
    is_paused = serializers.BooleanField(help_text="What happens while it pauses never fires.")


class AlertRuleItem(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.CharField(help_text=f"One of {', '.join(KIND_KEYS)}.")
    owner_id = serializers.UUIDField(allow_null=True, help_text="Null: the organization's.")
    scope_id = serializers.UUIDField(allow_null=True)
    amount_minor = serializers.IntegerField(allow_null=True, help_text="Corporate minor units.")
    percent = serializers.IntegerField(allow_null=True)
    days = serializers.IntegerField(allow_null=True)
    times_hundredths = serializers.IntegerField(allow_null=True)
    span = serializers.CharField(help_text="quarter or month.")
    person_ids = serializers.ListField(child=serializers.UUIDField())
    tells_owner = serializers.BooleanField()
    tells_manager = serializers.BooleanField()
    in_app = serializers.BooleanField()
    by_mail = serializers.BooleanField()
    hook_id = serializers.UUIDField(allow_null=True)
    paused_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class AlertFiredItem(serializers.Serializer):
    id = serializers.UUIDField()
    rule_id = serializers.UUIDField()
    opportunity_id = serializers.UUIDField(allow_null=True)
    text = serializers.CharField()
    facts = serializers.JSONField(help_text="The deal before and after, in its own currency.")
    at = serializers.DateTimeField(help_text="When it happened.")
    fired_at = serializers.DateTimeField()
    told_ids = serializers.ListField(child=serializers.UUIDField())
    holds = serializers.BooleanField(help_text="It still is so; the alert is silent about it until it isn't.")


class WouldHaveItem(serializers.Serializer):
    at = serializers.DateTimeField()
    text = serializers.CharField()
    deal_id = serializers.UUIDField(allow_null=True)


class AlertPreviewItem(serializers.Serializer):
    days = serializers.IntegerField()
    count = serializers.IntegerField()
    is_cut = serializers.BooleanField()
    shown = WouldHaveItem(many=True)


class AlertTestItem(serializers.Serializer):
    delivery_id = serializers.UUIDField(allow_null=True, help_text="The post to the hook, if there is one.")


class AlertHookInput(Strict):
    name = serializers.CharField(max_length=100)
    url = serializers.CharField(max_length=500)


class AlertHookItem(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    url = serializers.CharField()
    owner_id = serializers.UUIDField(help_text="It hears of deals that this person may see.")
    created_at = serializers.DateTimeField()


class MadeHookItem(AlertHookItem):
    secret = serializers.CharField(help_text="Verifies the posts; never shown again.")


class AlertQuery(PageQuery):
    sort = sort_field({"created_at": Sort("created_at", datetime)}, default="created_at")


class FiredQuery(PageQuery):
    rule_id = serializers.UUIDField(required=False)
    sort = sort_field({"fired_at": Sort("fired_at", datetime)}, default="-fired_at")


class AlertRules(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "keep_alerts", "POST": "keep_alerts"}

    @extend_schema(
        operation_id="alert_rules_list",
        tags=TAGS,
        parameters=[AlertQuery],
        responses=page_schema(AlertRuleItem),
    )
    def get(self, request: Request) -> Response:
        """Your own rules and, if you keep them, the organization's."""
        page = keyset_page(
            rules_of(self.tenant).values(*RULE_COLUMNS),
            parameters=self.parameters(AlertQuery),
            sorts={"created_at": Sort("created_at", datetime)},
        )
        return Response(paged(request, page))

    @extend_schema(
        operation_id="alert_rules_create", tags=TAGS, request=AlertRuleInput, responses={201: AlertRuleItem}
    )
    def post(self, request: Request) -> Response:
        """Watch from now on."""
        rule = rule_create(
            wanted_of(self.content(AlertRuleInput)), author=author_of(self.tenant), now=self.tenant.now
        )
        return Response(one_rule(rule), status=201)


class AlertRuleEndpoint(Endpoint):
    def rule(self, rule_id: UUID) -> AlertRule:
        found = rules_of(self.tenant).select_related("hook", "owner")
        rule: AlertRule = found.get(id=rule_id)
        return rule


class AlertRuleDetail(AlertRuleEndpoint):
    actions: ClassVar[dict[str, str]] = {
        "GET": "keep_alerts",
        "PUT": "keep_alerts",
        "PATCH": "keep_alerts",
        "DELETE": "keep_alerts",
    }

    @extend_schema(operation_id="alert_rules_get", tags=TAGS, responses=AlertRuleItem)
    def get(self, request: Request, rule_id: UUID) -> Response:
        """One rule."""
        self.parameters(Strict)
        return Response(one_rule(self.rule(rule_id)))

    @extend_schema(operation_id="alert_rules_set", tags=TAGS, request=AlertRuleInput, responses=AlertRuleItem)
    def put(self, request: Request, rule_id: UUID) -> Response:
        """Other thresholds or readers; it watches anew from now on. Whose it is stays."""
        rule = self.rule(rule_id)
        wanted = wanted_of(self.content(AlertRuleInput))
        rule_edit(rule, wanted, author=author_of(self.tenant), now=self.tenant.now)
        return Response(one_rule(rule))

    @extend_schema(
        operation_id="alert_rules_pause", tags=TAGS, request=AlertRuleChange, responses=AlertRuleItem
    )
    def patch(self, request: Request, rule_id: UUID) -> Response:
        """Pause or resume."""
        rule = self.rule(rule_id)
        act = rule_pause if self.content(AlertRuleChange)["is_paused"] else rule_resume
        act(rule, now=self.tenant.now)
        return Response(one_rule(rule))

    @extend_schema(operation_id="alert_rules_remove", tags=TAGS, responses={204: None})
    def delete(self, request: Request, rule_id: UUID) -> Response:
        """Remove it; its log stays."""
        rule_remove(self.rule(rule_id), now=self.tenant.now)
        return Response(status=204)


class AlertRulePreview(AlertRuleEndpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "keep_alerts"}

    @extend_schema(operation_id="alert_rules_preview", tags=TAGS, responses=AlertPreviewItem)
    def get(self, request: Request, rule_id: UUID) -> Response:
        """What it would have fired in the last days, of deals that you may see."""
        self.parameters(Strict)
        preview = preview_report(self.rule(rule_id), tenant=self.tenant)
        shown = [{"at": one.at, "text": one.text, "deal_id": one.deal_id} for one in preview.shown]
        return Response(
            {"days": preview.days, "count": preview.count, "is_cut": preview.is_cut, "shown": shown}
        )


class AlertRuleTest(AlertRuleEndpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "keep_alerts"}

    @extend_schema(operation_id="alert_rules_test", tags=TAGS, request=Strict, responses={202: AlertTestItem})
    def post(self, request: Request, rule_id: UUID) -> Response:
        """Send a sample by each channel: to you, and to the hook."""
        self.content(Strict)
        delivery = rule_try(self.rule(rule_id), person=self.tenant.person, now=self.tenant.now)
        return Response({"delivery_id": delivery.id if delivery else None}, status=202)


class AlertsFired(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "keep_alerts"}

    @extend_schema(
        operation_id="alerts_fired_list",
        tags=TAGS,
        parameters=[FiredQuery],
        responses=page_schema(AlertFiredItem),
    )
    def get(self, request: Request) -> Response:
        """What fired, of deals that you may see: told to you, or by rules that you keep."""
        parameters = self.parameters(FiredQuery)
        rows = fired_of(self.tenant)
        if "rule_id" in parameters:
            rows = rows.filter(rule_id=parameters["rule_id"])
        sorts = {"fired_at": Sort("fired_at", datetime)}
        page = keyset_page(rows.values(*FIRED_COLUMNS), parameters=parameters, sorts=sorts)
        return Response(paged(request, page))


class AlertHooks(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "manage_alerts", "POST": "manage_alerts"}

    @extend_schema(
        operation_id="alert_hooks_list",
        tags=TAGS,
        parameters=[AlertQuery],
        responses=page_schema(AlertHookItem),
    )
    def get(self, request: Request) -> Response:
        """Where alerts can be posted to."""
        page = keyset_page(
            AlertHook.objects.filter(deleted_at__isnull=True).values(*HOOK_COLUMNS),
            parameters=self.parameters(AlertQuery),
            sorts={"created_at": Sort("created_at", datetime)},
        )
        return Response(paged(request, page))

    @extend_schema(
        operation_id="alert_hooks_create", tags=TAGS, request=AlertHookInput, responses={201: MadeHookItem}
    )
    def post(self, request: Request) -> Response:
        """A new one; the answer bears its secret, once."""
        made = hook_add(**self.content(AlertHookInput), owner=self.tenant.person, now=self.tenant.now)
        row = AlertHook.objects.filter(id=made.hook.id).values(*HOOK_COLUMNS).get()
        return Response({**row, "secret": made.secret}, status=201)


class AlertHookDetail(Endpoint):
    actions: ClassVar[dict[str, str]] = {"DELETE": "manage_alerts"}

    @extend_schema(operation_id="alert_hooks_remove", tags=TAGS, responses={204: None})
    def delete(self, request: Request, hook_id: UUID) -> Response:
        """Nothing is posted there any more."""
        hook = AlertHook.objects.filter(id=hook_id, deleted_at__isnull=True).first()
        if hook is None:
            raise Http404
        hook_remove(hook, now=self.tenant.now)
        return Response(status=204)


def wanted_of(content: dict[str, Any]) -> Wanted:
    return Wanted(**{**content, "person_ids": tuple(content.get("person_ids", ()))})


def one_rule(rule: AlertRule) -> dict[str, Any]:
    row: dict[str, Any] = AlertRule.objects.filter(id=rule.id).values(*RULE_COLUMNS).get()
    return row
