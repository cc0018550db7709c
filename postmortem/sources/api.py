"""Win rates by source over the API."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from otc.api.endpoints import Endpoint
from otc.api.parameters import Strict
from otc.question import ask
from postmortem.sources.report import GROUPS, SourceRow, sources_report
from postmortem.winloss.api import RatesItem, rates_item


class SourcesQuery(Strict):
    """Without a `period`: all time."""

    group_by = serializers.ChoiceField(choices=list(GROUPS), required=False, default="source")
    period = serializers.CharField(
        required=False, max_length=20, help_text="When the leads came, like 2026-Q4."
    )


class SourceItem(RatesItem):
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # a field
    campaign = serializers.CharField(allow_blank=True)
    leads = serializers.IntegerField(help_text="waiting + returned + converted")
    waiting = serializers.IntegerField()
    returned = serializers.IntegerField()
    converted = serializers.IntegerField(help_text="won + lost + no_decision + open + unseen")
    open = serializers.IntegerField()
    unseen = serializers.IntegerField(help_text="Became a deal that is deleted or that one may not see.")
    open_minor = serializers.IntegerField()
    unconvertible = serializers.IntegerField(
        help_text="Deals that no known rate converts; counted, not summed."
    )


class SourcesItem(serializers.Serializer):
    group_by = serializers.ChoiceField(choices=list(GROUPS))
    period = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    rows = SourceItem(many=True, help_text="By money won.")
    total = SourceItem()


class LeadSources(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_leads"}

    @extend_schema(
        operation_id="lead_sources_get", tags=["leads"], parameters=[SourcesQuery], responses=SourcesItem
    )
    def get(self, request: Request) -> Response:
        """Leads that came in a period, or ever: what became of them by source and campaign."""
        parameters = self.parameters(SourcesQuery)
        text = parameters.get("period", "")
        question = ask(self.tenant, {"period": text} if text else {})
        report = sources_report(
            question, group_by=parameters["group_by"], period=question.period if text else None
        )
        return Response(
            {
                "group_by": report.group_by,
                "period": report.period.key if report.period else None,
                "currency": question.currency,
                "rows": [source_item(one) for one in report.rows],
                "total": source_item(report.total),
            }
        )


def source_item(one: SourceRow) -> dict[str, Any]:
    return rates_item(one.rates) | {
        "source": one.source,
        "campaign": one.campaign,
        "leads": one.leads,
        "waiting": one.waiting,
        "returned": one.returned,
        "converted": one.converted,
        "open": one.open_deals,
        "unseen": one.unseen,
        "open_minor": one.open_minor,
        "unconvertible": one.unconvertible,
    }
