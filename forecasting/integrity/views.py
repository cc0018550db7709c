"""The integrity page: what can't be right, what may be played with, and its cure in the row."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from forecasting.integrity.queries import FoundDeal
from forecasting.integrity.report import (
    ROWS_A_PAGE,
    Asked,
    Integrity,
    all_rows,
    findings_of,
    first_deals,
    integrity_report,
)
from forecasting.integrity.rules import TITLES, Finding, finding_named
from otc.question import Question, ask
from otc.tenancy.lines import people_by_id
from otc.tenancy.middleware import tenant_of
from otc.ui import format as fmt
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page
from pipeline.opportunities.bulk import MOST_DEALS
from pipeline.opportunities.cells import CELLS, written_amount
from pipeline.opportunities.rules import OPEN_CATEGORIES
from pipeline.process.models import Category, Stage

CSV_HEAD = (
    *("id", "deal", "account", "owner", "stage", "category", "amount_minor", "currency", "corporate_minor"),
    *("close_date", "findings"),
)


@page("view_health")
@answers_bad_questions
def integrity(request: HttpRequest, slug: str) -> HttpResponse:
    """`/integrity/`: `finding` narrows the deals; also as CSV with `format=csv`."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    asked = asked_of(request.GET)
    if request.GET.get("format") == "csv":
        rows = all_rows(question, asked=asked)
        return csv_response(f"integrity-{question.day.isoformat()}.csv", CSV_HEAD, map(csv_row, rows))
    context = bar(request, question)
    report = integrity_report(question, asked=asked)
    finding = finding_named(asked.finding) if asked.finding else None
    can_edit = context["can_edit"]
    shown = [
        shown_row(row, report, question, cure=cure_of(row, finding) if can_edit else "")
        for row in report.rows
    ]
    context |= {
        # What is wrong with an open deal has no period.
        "controls": context["controls"][:1],
        "bar_note": "",
        "page_title": "Integrity",
        "report": report,
        "finding": finding,
        "findings": [finding_row(request, one, report) for one in report.findings],
        "rows": shown,
        "cure_label": cure_label(shown, finding),
        "choices": Choices({row["cure"] for row in shown}, people_by_id().values()),
        "bulk": re_owning(question, finding) if can_edit and finding and finding.cell == "owner" else [],
        "all_href": href_with(request.path, request.GET, finding=None, page=None) + "#deals",
        "here": request.get_full_path() + "#deals",
        "cure_href": cure_href(request, finding),
        "pager": pager(request, report),
    }
    return render(request, "forecasting/integrity/integrity.html", context)


def asked_of(query: QueryDict) -> Asked:
    """The page's own controls from the address; raises BadQuestion."""
    number = query.get("page") or "0"
    return Asked(
        finding=query.get("finding") or "",
        sort=query.get("sort") or "-amount",
        page=int(number) if number.isdecimal() and len(number) < 7 else -1,
    )


class Choices:
    """What a cure can be chosen from: people of the house, categories, stages by process. At most one query."""

    def __init__(self, cells: Collection[str], people: Any) -> None:
        self.people = sorted(
            (one for one in people if one.left_on is None and one.role != "integration"),
            key=lambda one: one.name_folded,
        )
        self.categories = [(key, Category(key).label) for key in OPEN_CATEGORIES]
        self.stages: list[Stage] = []
        if "stage" in cells:
            mapped = Stage.objects.filter(retired_at__isnull=True, category__isnull=False)
            self.stages = list(mapped.select_related("process").order_by("process__name", "position"))


def finding_row(request: HttpRequest, one: Any, report: Integrity) -> dict[str, Any]:
    return {
        "finding": one.finding,
        "sum": one.sum,
        "href": href_with(request.path, request.GET, finding=one.finding.key, page=None) + "#deals",
        "is_asked": one.finding.key == report.asked.finding,
    }


def cure_of(deal: FoundDeal, finding: Finding | None) -> str:
    """The field that puts the deal right: the asked finding's, else that of the first which isn't just a signal."""
    if finding is not None:
        return finding.cell
    return next((one.cell for one in findings_of(deal) if one.cell and not one.is_signal), "")


def cure_label(rows: Sequence[Mapping[str, Any]], finding: Finding | None) -> str:
    """What heads the column of cures; empty where no row has one."""
    if not any(row["cure"] for row in rows):
        return ""
    return CELLS[finding.cell].label if finding else "Put right"


def shown_row(deal: FoundDeal, report: Integrity, question: Question, *, cure: str) -> dict[str, Any]:
    """A deal with the others of its findings, what a signal counted, and the field that cures it in the row."""
    found = findings_of(deal)
    return {
        "deal": deal,
        "cure": cure,
        "others": [one for one in found if one.key != report.asked.finding],
        "evidence": evidence(deal, report.asked.finding, question),
        "typed_amount": written_amount(deal.amount_minor, currency=deal.currency),
    }


def evidence(deal: FoundDeal, key: str, question: Question) -> str:
    """What was counted, of one's own kind only."""
    if key == "pushed_in_month":
        return f"moved {fmt.plural(deal.pushes_in_month, 'time')}"
    if key == "category_flips":
        return fmt.plural(deal.flips, "change")
    if key == "eve_of_call" and isinstance(deal.call_at, datetime):
        today = question.now.astimezone(question.zone).date()
        return f"call of {fmt.moment(deal.call_at.astimezone(question.zone), today=today)}"
    return ""


def re_owning(question: Question, finding: Finding) -> list[dict[str, Any]]:
    """The finding's deals by owner, for giving all of one's at once: at most so many as are changed at once."""
    groups: dict[Any, dict[str, Any]] = {}
    for deal in first_deals(question, finding=finding.key, limit=MOST_DEALS):
        group = groups.setdefault(
            deal.owner_id, {"owner_id": deal.owner_id, "owner_name": deal.owner_name, "deal_ids": []}
        )
        group["deal_ids"].append(deal.opportunity_id)
    return list(groups.values())


def cure_href(request: HttpRequest, finding: Finding | None) -> tuple[str, str] | None:
    """(address, label) of the page that cures a finding which no field of the deal does; None: there is none."""
    tenant = tenant_of(request)
    if finding is None:
        return None
    slug = tenant.organization.slug
    if finding.key == "unconvertible" and tenant.may("manage_rates"):
        return reverse("rate_add", args=[slug]), "Add a rate"
    if finding.key == "vacant_manager" and tenant.may("manage_people"):
        return reverse("people", args=[slug]), "People and their managers"
    if finding.key == "unmapped_stage" and tenant.may("manage_process"):
        return reverse("process", args=[slug]), "What stages propose"
    return None


def pager(request: HttpRequest, report: Integrity) -> dict[str, str]:
    number = report.asked.page
    return {
        "previous": href_with(request.path, request.GET, page=str(number - 1)) + "#deals" if number else "",
        "next": href_with(request.path, request.GET, page=str(number + 1)) + "#deals"
        if report.has_more
        else "",
        "note": f"{len(report.rows)} of {report.shown.count} deals on this page; every sum counts all of them."
        if report.shown.count > ROWS_A_PAGE
        else "",
    }


def csv_row(deal: FoundDeal) -> Sequence[Any]:
    return (
        *(deal.opportunity_id, deal.name, deal.account_name, deal.owner_name, deal.stage_name, deal.category),
        *(deal.amount_minor, deal.currency, deal.corporate_minor, deal.close_date),
        "; ".join(TITLES[one.key] for one in findings_of(deal)),
    )
