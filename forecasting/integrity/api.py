"""Integrity over the API: every finding with its deals and their sum."""

from dataclasses import asdict
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import UnconvertibleSumItem, unconvertible_sum_items
from forecasting.integrity.queries import FoundDeal
from forecasting.integrity.report import SORTS, Asked, Integrity, findings_of, integrity_report
from forecasting.integrity.rules import FINDINGS
from otc.api.endpoints import Endpoint
from otc.api.parameters import MomentQuery
from otc.question import ask

KEYS = [finding.key for finding in FINDINGS]


class IntegrityQuery(MomentQuery):
    """Which deals: a finding has no period, it is about every open deal of the scope."""

    scope = serializers.CharField(
        required=False, max_length=40, help_text="Whose deals: a person's id, `unassigned` or `everyone`."
    )
    org_chart = serializers.ChoiceField(choices=("then", "now"), required=False)
    currency = serializers.CharField(required=False, max_length=3)
    finding = serializers.ChoiceField(choices=KEYS, required=False, help_text="Only its deals.")
    sort = serializers.ChoiceField(
        choices=[name for sort in SORTS for name in (sort, f"-{sort}")], required=False, default="-amount"
    )
    page = serializers.IntegerField(required=False, default=0, min_value=0, max_value=100_000)


class IntegritySumItem(serializers.Serializer):
    count = serializers.IntegerField()
    amount_minor = serializers.IntegerField(help_text="Minor units of `currency`.")
    unconvertible = serializers.IntegerField(help_text="Deals without a rate: in no sum.")


class FindingItem(IntegritySumItem):
    finding = serializers.CharField()
    title = serializers.CharField()
    meaning = serializers.CharField(help_text="With its threshold.")
    is_signal = serializers.BooleanField()


class FoundDealItem(serializers.Serializer):
    deal_id = serializers.UUIDField()
    name = serializers.CharField()
    owner_id = serializers.UUIDField(allow_null=True)
    owner_name = serializers.CharField(allow_null=True)
    stage_name = serializers.CharField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    amount_minor = serializers.IntegerField(allow_null=True, help_text="Minor units of the deal's currency.")
    currency = serializers.CharField()
    corporate_minor = serializers.IntegerField(allow_null=True)
    close_date = serializers.DateField(allow_null=True)
    findings = serializers.ListField(child=serializers.CharField())
    pushes_in_month = serializers.IntegerField(help_text="In the look-back, without leaving the month.")
    flips = serializers.IntegerField(help_text="Changes of category in the look-back.")
    call_at = serializers.DateTimeField(allow_null=True, help_text="The call on whose eve it was edited.")


class IntegrityItem(serializers.Serializer):
    scope = serializers.CharField()
    as_of = serializers.DateTimeField()
    knowledge = serializers.CharField()
    org_chart = serializers.CharField()
    currency = serializers.CharField()
    total = IntegritySumItem(help_text="All open deals of the scope.")
    found = IntegritySumItem(help_text="Those with any finding.")
    findings = FindingItem(many=True)
    shown = IntegritySumItem(help_text="The asked finding's deals, on all pages.")
    unconvertible_sums = UnconvertibleSumItem(many=True)
    deals = FoundDealItem(many=True)
    next = serializers.URLField(allow_null=True)


class IntegrityEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_health"}

    @extend_schema(
        operation_id="integrity_get",
        tags=["forecasting"],
        parameters=[IntegrityQuery],
        responses=IntegrityItem,
    )
    def get(self, request: Request) -> Response:
        """What can't be right in the open deals, and what may be played with, as of any day."""
        parameters = self.parameters(IntegrityQuery)
        question = ask(self.tenant, {**parameters, "period": ""})
        asked = Asked(finding=parameters.get("finding", ""), sort=parameters["sort"], page=parameters["page"])
        report = integrity_report(question, asked=asked)
        return Response(
            {
                "scope": question.scope,
                "as_of": question.as_of,
                "knowledge": question.frame["knowledge"],
                "org_chart": question.org_chart,
                "currency": question.currency,
                **report_item(report),
                "next": next_page(request, report),
            }
        )


def report_item(report: Integrity) -> dict[str, Any]:
    return {
        "total": asdict(report.total),
        "found": asdict(report.found),
        "findings": [
            {
                "finding": one.finding.key,
                "title": one.finding.title,
                "meaning": one.finding.meaning,
                "is_signal": one.finding.is_signal,
                **asdict(one.sum),
            }
            for one in report.findings
        ],
        "shown": asdict(report.shown),
        "unconvertible_sums": unconvertible_sum_items(report.unconvertible),
        "deals": [deal_item(deal) for deal in report.rows],
    }


def deal_item(deal: FoundDeal) -> dict[str, Any]:
    names = [str(name) for name in FoundDealItem().fields if name not in ("deal_id", "findings")]
    return {
        "deal_id": deal.opportunity_id,
        "findings": [finding.key for finding in findings_of(deal)],
        **{name: getattr(deal, name) for name in names},
    }


def next_page(request: Request, report: Integrity) -> str | None:
    """The address of the next page with the same parameters."""
    if not report.has_more:
        return None
    query = request._request.GET.copy()
    query["page"] = str(report.asked.page + 1)
    return str(request.build_absolute_uri(f"{request.path}?{query.urlencode()}"))
