"""The inspection over the API: a period's open deals with what changed since an instant."""

from dataclasses import asdict
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import (
    MINOR,
    FrameItem,
    SinceQuery,
    UnconvertibleSumItem,
    frame_item,
    unconvertible_sum_items,
)
from forecasting.inspection import queries
from forecasting.inspection.found import GroupRow
from forecasting.inspection.report import (
    GROUPS,
    Asked,
    Inspection,
    Summary,
    cumulative,
    group_field,
    inspection_report,
)
from forecasting.inspection.rows import FOLLOWED, DealRow
from forecasting.inspection.services import previous_visit
from forecasting.rollup.api import CoverageItem, coverage_item
from otc.api.endpoints import Endpoint
from otc.fields.queries import field_book
from otc.question import ask, since_instant
from pipeline.process.models import Category

GROUP = rf"^({'|'.join(GROUPS)}|field\.[a-z][a-z0-9_]{{0,39}})$"
SORT_NAMES = [name for column in queries.SORTS for name in (column, f"-{column}")]


class InspectionQuery(SinceQuery):
    """The page's own controls; a page holds 50 deals."""

    tab = serializers.ChoiceField(choices=tuple(queries.TABS), required=False, default="all")
    group = serializers.RegexField(
        GROUP,
        required=False,
        default="category",
        help_text="category, stage, owner, product, none, or field.<key> of a custom field that isn't money.",
    )
    sort = serializers.ChoiceField(choices=SORT_NAMES, required=False, default="-amount")
    page = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=100_000, help_text="Counted from 0."
    )


class EndSumsItem(serializers.Serializer):
    won_minor = serializers.IntegerField(help_text=MINOR)
    won_count = serializers.IntegerField()
    not_won_minor = serializers.IntegerField(help_text="Lost, or ended without a decision.")
    not_won_count = serializers.IntegerField()
    commit_minor = serializers.IntegerField(help_text="Open deals in commit.")
    most_likely_minor = serializers.IntegerField(help_text="Open deals in most likely.")
    best_case_minor = serializers.IntegerField(help_text="Open deals in best case.")
    open_minor = serializers.IntegerField(help_text="Open deals that aren't omitted.")
    open_count = serializers.IntegerField()
    overdue_minor = serializers.IntegerField(help_text="Of them, those whose close date had passed.")
    overdue_count = serializers.IntegerField()
    gaps_minor = serializers.IntegerField(
        help_text="Of them, those that lack an owner, an amount or a next step, or are late with a day."
    )
    gaps_count = serializers.IntegerField()


class PartItem(serializers.Serializer):
    count = serializers.IntegerField()
    minor = serializers.IntegerField(help_text=MINOR)


class SummaryItem(serializers.Serializer):
    now = EndSumsItem(help_text="At `as_of`.")
    before = EndSumsItem(help_text="At `since`.")
    quota_minor = serializers.IntegerField(allow_null=True)
    gap_minor = serializers.IntegerField(allow_null=True, help_text="Quota less won.")
    commit_with_won_minor = serializers.IntegerField()
    most_likely_with_won_minor = serializers.IntegerField()
    best_case_with_won_minor = serializers.IntegerField()
    risk = PartItem(help_text="Likelier to slip than not, or overdue; by the scores of the present.")
    upside = PartItem(help_text="Best case or pipeline that is likelier won than not; of the present only.")
    risk_before = PartItem(
        allow_null=True, help_text="At `since`, by the scores of then; null: not kept yet."
    )
    upside_before = PartItem(
        allow_null=True, help_text="At `since`, by the scores of then; null: not kept yet."
    )
    coverage = CoverageItem()
    coverage_before = CoverageItem(help_text="At `since`, against the same quota.")
    hygiene = serializers.FloatField(allow_null=True, help_text="0 to 1: open deals without gaps.")
    hygiene_before = serializers.FloatField(allow_null=True)


class CauseItem(serializers.Serializer):
    """A deal's part in the change of the open pipeline; the last one may stand for all the others."""

    deal_id = serializers.UUIDField(
        allow_null=True, help_text="Null where it is out of your sight, or for others."
    )
    name = serializers.CharField()
    verb = serializers.CharField(allow_blank=True)
    amount_minor = serializers.IntegerField(help_text=MINOR)
    others = serializers.IntegerField(help_text="How many deals it stands for together; 0: one by itself.")


class ChangeItem(serializers.Serializer):
    """The last change of one thing since `since`."""

    what = serializers.ChoiceField(tuple(FOLLOWED))
    at = serializers.DateTimeField()
    actor_name = serializers.CharField(allow_null=True)
    acted_for_name = serializers.CharField(allow_null=True)
    channel = serializers.CharField(help_text="ui, api, import or task.")


class InspectionGroupItem(serializers.Serializer):
    key = serializers.CharField(
        allow_blank=True,
        help_text="A category, a stage's or person's id, or a field's value (days by month); may be empty.",
    )
    count = serializers.IntegerField()
    total_minor = serializers.IntegerField(help_text="Over every deal of the group, not only the page's.")
    was_minor = serializers.IntegerField(help_text="What the same deals came to at `since`.")
    seated_count = serializers.IntegerField(help_text="Of them shown for a seat on the team: in no sum.")
    unconvertible_count = serializers.IntegerField(help_text="Deals without a rate: in no sum.")


class InspectedDealItem(serializers.Serializer):
    """A deal as of the asked instant, and what it was at `since` (null: not there, or not set)."""

    deal_id = serializers.UUIDField()
    name = serializers.CharField()
    account_name = serializers.CharField(allow_null=True)
    owner_id = serializers.UUIDField(allow_null=True)
    owner_name = serializers.CharField(allow_null=True)
    stage_id = serializers.UUIDField(allow_null=True)
    stage_name = serializers.CharField(allow_null=True)
    category = serializers.ChoiceField(Category.choices, allow_null=True)
    amount_minor = serializers.IntegerField(allow_null=True, help_text="Minor units of the deal's currency.")
    currency = serializers.CharField()
    corporate_minor = serializers.IntegerField(
        allow_null=True,
        help_text="In the organization's currency; of a split deal what the scope's people have of it.",
    )
    share_bp = serializers.IntegerField(
        allow_null=True, help_text="That share in basis points; null where the deal counts whole."
    )
    close_date = serializers.DateField()
    next_step = serializers.CharField(allow_blank=True)
    next_step_on = serializers.DateField(allow_null=True)
    is_new = serializers.BooleanField(help_text="Wasn't there at `since`.")
    was_category = serializers.ChoiceField(Category.choices, allow_null=True)
    was_corporate_minor = serializers.IntegerField(allow_null=True)
    was_close_date = serializers.DateField(allow_null=True)
    was_owner_id = serializers.UUIDField(allow_null=True)
    was_owner_name = serializers.CharField(allow_null=True)
    was_stage_id = serializers.UUIDField(allow_null=True)
    was_stage_name = serializers.CharField(allow_null=True)
    was_amount_minor = serializers.IntegerField(allow_null=True)
    was_currency = serializers.CharField(allow_null=True)
    changes = ChangeItem(many=True)
    product_name = serializers.CharField(allow_null=True)
    health = serializers.IntegerField(allow_null=True, help_text="0 to 100; only of the present.")
    failed_checks = serializers.ListField(child=serializers.CharField(), help_text="Their titles.")
    p_slip = serializers.FloatField(allow_null=True, help_text="0 to 1; only of the present.")
    p_won = serializers.FloatField(allow_null=True)
    is_seated = serializers.BooleanField(
        help_text="Shown for a seat on its team or in its splits: in no sum."
    )
    is_hidden = serializers.BooleanField(help_text="Left your sight since: it bears no name.")


TabCountsItem = type(
    "TabCountsItem", (serializers.Serializer,), {tab: serializers.IntegerField() for tab in queries.TABS}
)


class InspectionItem(FrameItem):
    since = serializers.DateTimeField()
    first_at = serializers.DateTimeField(
        allow_null=True, help_text="When the first version begins, where `since` lies before it."
    )
    causes = CauseItem(many=True, help_text="What moved the open pipeline since; they add up to its change.")
    summary = SummaryItem()
    tabs = TabCountsItem(help_text="How many deals each tab holds.")
    groups = InspectionGroupItem(many=True)
    count = serializers.IntegerField(help_text="Deals of the tab, on all pages.")
    total_minor = serializers.IntegerField(help_text="Their sum.")
    unconvertible_sums = UnconvertibleSumItem(many=True)
    deals = InspectedDealItem(many=True)
    next = serializers.URLField(allow_null=True, help_text="The next page; null on the last.")


class InspectionEndpoint(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_inspection"}

    @extend_schema(
        operation_id="inspection_get",
        tags=["forecasting"],
        parameters=[InspectionQuery],
        responses=InspectionItem,
    )
    def get(self, request: Request) -> Response:
        """The open deals of a period beside what they were at `since`, with the period's figures."""
        parameters = self.parameters(InspectionQuery)
        question = ask(self.tenant, parameters)
        last_visit = previous_visit(self.tenant.person, page="inspection", now=self.tenant.now)
        _, since = since_instant(question, parameters.get("since", ""), last_visit=last_visit)
        book = field_book("deal", self.tenant.organization)
        named = {name: parameters[name] for name in ("tab", "group", "sort", "page")}
        asked = Asked(**named, field=group_field(named["group"], book=book))
        found = inspection_report(question, since=since, asked=asked)
        return Response(frame_item(question) | found_item(found) | {"next": next_page(request, found)})


def found_item(found: Inspection) -> dict[str, Any]:
    return {
        "since": found.since,
        "first_at": found.first_at,
        "causes": [asdict(cause) for cause in found.causes],
        "summary": summary_item(found.summary),
        "tabs": found.counts,
        "groups": [group_item(group) for group in found.groups],
        "count": found.count,
        "total_minor": found.total_minor,
        "unconvertible_sums": unconvertible_sum_items(found.unconvertible),
        "deals": [deal_item(deal, found) for deal in found.deals],
    }


def summary_item(summary: Summary) -> dict[str, Any]:
    hygiene, hygiene_before = summary.hygiene, summary.hygiene_before
    return {
        "now": asdict(summary.now),
        "before": asdict(summary.before),
        "quota_minor": summary.quota_minor,
        "gap_minor": summary.gap_minor,
        "commit_with_won_minor": summary.commit_with_won_minor,
        "most_likely_with_won_minor": cumulative(summary.now, "most_likely"),
        "best_case_with_won_minor": cumulative(summary.now, "best_case"),
        "risk": asdict(summary.risk),
        "upside": asdict(summary.upside),
        "risk_before": None if summary.risk_before is None else asdict(summary.risk_before),
        "upside_before": None if summary.upside_before is None else asdict(summary.upside_before),
        "coverage": coverage_item(summary.coverage),
        "coverage_before": coverage_item(summary.coverage_before),
        "hygiene": None if hygiene is None else float(hygiene),
        "hygiene_before": None if hygiene_before is None else float(hygiene_before),
    }


def group_item(group: GroupRow) -> dict[str, Any]:
    item = asdict(group)
    return {"key": item.pop("group_key"), **item}


NAMED = [
    str(name)
    for name in InspectedDealItem().fields
    if name not in ("deal_id", "is_new", "changes", "failed_checks")
]


def deal_item(deal: DealRow, found: Inspection) -> dict[str, Any]:
    """The deal under its JSON names, those of InspectedDealItem."""
    changes = [(what, found.changes.get((deal.opportunity_id, what))) for what in FOLLOWED]
    return {
        "deal_id": deal.opportunity_id,
        "is_new": not deal.existed,
        "changes": [{"what": what, **asdict(change)} for what, change in changes if change is not None],
        "failed_checks": [check["title"] for check in deal.failed or ()],
        **{name: getattr(deal, name) for name in NAMED},
    }


def next_page(request: Request, found: Inspection) -> str | None:
    """The address of the next page with the same parameters."""
    if not found.has_more:
        return None
    query = request._request.GET.copy()
    query["page"] = str(found.asked.page + 1)
    return str(request.build_absolute_uri(f"{request.path}?{query.urlencode()}"))
