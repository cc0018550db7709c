"""The inspection page: the answer, the flow, the figures, and the deals with what changed."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from forecasting.inspection import report as inspection
from forecasting.inspection.queries import DealRow
from forecasting.inspection.services import previous_visit, visit_note
from forecasting.quotas.rules import State
from forecasting.waterfall import picture
from forecasting.waterfall.report import WaterfallReport, waterfall_report
from forecasting.waterfall.rules import Bucket
from otc.fields.queries import Book, field_book, names_of
from otc.fields.rules import Field
from otc.fields.shown import label_of
from otc.question import Question, ask, since_instant
from otc.tenancy.middleware import tenant_of
from otc.ui import format as fmt
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import Choice, Tab, choice_control, href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page
from otc.ui.templatetags.otc_ui import delta_number
from pipeline.opportunities.queries import SHORT_TITLES
from pipeline.process.models import Category

PAGE = "inspection"
TAB_LABELS = {
    "all": "All open",
    "changed": "Changed",
    "risk": "At risk",
    "upside": "Upside",
    "no_next_step": "No next step",
}
GROUP_LABELS = {"category": "Category", "stage": "Stage", "owner": "Person", "none": "Nothing"}
FLOWS = (("period", "Quarter"), ("monday", "Since Monday"), ("visit", "My last visit"))
CSV_HEAD = (
    *("id", "deal", "account", "owner", "stage", "category", "amount_minor", "currency", "corporate_minor"),
    *("close_date", "next_step", "next_step_on", "was_category", "was_corporate_minor", "was_close_date"),
    *("health", "p_slip"),
)


@page("view_inspection")
@answers_bad_questions
def inspection_page(request: HttpRequest, slug: str) -> HttpResponse:
    """`/inspection/`: also as CSV with `format=csv`."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    last_visit = previous_visit(tenant.person, page=PAGE, now=tenant.now)
    since = since_instant(question, request.GET.get("since", ""), last_visit=last_visit)
    book = field_book("deal", tenant.organization)
    asked = asked_of(request.GET, book=book)
    if request.GET.get("format") == "csv":
        rows = inspection.all_deals(question, since=since[1], asked=asked)
        return csv_response(f"inspection-{question.period.key}.csv", CSV_HEAD, map(csv_row, rows))
    visit_note(tenant.person, page=PAGE, now=tenant.now)
    context = bar(request, question, since=since)
    flow = flow_of(request, question, last_visit=last_visit)
    changes = between(question, since=since[1])
    found = inspection.inspection_report(question, since=since[1], asked=asked)
    context |= {
        "page_title": "Inspection",
        "found": found,
        "summary": found.summary,
        "since_day": since[1].astimezone(question.zone).date(),
        "since_text": since_text(since[0], question, since[1].astimezone(question.zone).date()),
        "causes": picture.causes(changes),
        "change_minor": changes.waterfall.closing.amount_minor - changes.waterfall.opening.amount_minor,
        "groups": grouped(found, asked, people=context["people"], question=question),
        "tabs": tabs(request, found, asked),
        "group_control": choice_control(
            path=request.path,
            query=request.GET,
            key="group",
            label="Group by",
            prefix="Group",
            current=asked.group,
            options=group_options(book),
        ),
        **figures(request, question, found.summary, changes),
        "empty_title": f"No open deal closes in {question.period.label}",
        "pager": pager(request, found, asked),
        **flow,
    }
    return render(request, "forecasting/inspection/inspection.html", context)


def asked_of(query: QueryDict, *, book: Book) -> inspection.Asked:
    """The list's own controls from the address; raises BadQuestion."""
    number = query.get("page") or "0"
    return inspection.Asked(
        tab=query.get("tab") or "all",
        group=query.get("group") or "category",
        field=inspection.group_field(query.get("group") or "", book=book),
        sort=query.get("sort") or "-amount",
        page=int(number) if number.isdecimal() and len(number) < 7 else -1,
    )


def group_options(book: Book) -> list[tuple[str, str]]:
    """What the list can be grouped by, custom fields after the house's own."""
    fields = [(one.name, one.label) for one in book.active if one.kind in inspection.GROUPABLE]
    return [*GROUP_LABELS.items(), *fields]


def between(question: Question, *, since: Any) -> WaterfallReport:
    """The waterfall from `since` to the question's instant."""
    return waterfall_report(question.organization, period=question.period, since=since, **question.frame)


def flow_of(request: HttpRequest, question: Question, *, last_visit: Any) -> dict[str, Any]:
    """The chart above the list, over the interval that its switch says."""
    chosen = request.GET.get("flow", "period")
    name, since = since_instant(
        question, chosen if chosen in dict(FLOWS) else "period", last_visit=last_visit
    )
    report = between(question, since=since)
    first, today = since.astimezone(question.zone).date(), question.now.astimezone(question.zone).date()
    base = reverse("flow", args=[question.organization.slug])

    def href(bucket: str) -> str:
        return href_with(
            base, request.GET, tab=None, group=None, sort=None, flow=None, since=name, bucket=bucket
        )

    chart = picture.draw(
        report, first=fmt.day(first, today=today), last=fmt.day(question.day, today=today), href=href
    )
    shown_from = picture.axis_from(report)
    caption = (
        f"Open pipeline closing in {question.period.label}, {picture.unit(report)}, "
        f"{fmt.day(first, today=today)} to {fmt.day(question.day, today=today)}."
    )
    if shown_from:
        caption += f" Axis from {picture.written(shown_from, report)}."
    return {
        "flow_chart": chart,
        "flow_title": picture.finding(report),
        "flow_caption": caption,
        "flow_choices": [
            Choice(label, href_with(request.path, request.GET, flow=key), is_current=key == name)
            for key, label in FLOWS
        ],
        "flow_unconvertible_sums": report.unconvertible_sums,
    }


def since_text(name: str, question: Question, day: date) -> str:
    """ "since Monday", "since the period began", "since your last visit" or "since 3 Nov"."""
    if name == "monday":
        return "since Monday"
    if name == "period":
        return f"since {question.period.label} began"
    if name == "visit":
        return "since your last visit"
    return f"since {fmt.day(day, today=question.now.astimezone(question.zone).date())}"


def grouped(
    found: inspection.Inspection, asked: inspection.Asked, *, people: dict[Any, Any], question: Question
) -> list[dict[str, Any]]:
    """The page's deals under their groups; a group's figures count every deal of it."""
    labels = {deal.group_key: deal for deal in found.deals}
    is_of_people = asked.field is not None and asked.field.kind == "person"
    names = names_of(group.group_key for group in found.groups) if is_of_people else {}
    rows = []
    for group in found.groups:
        deals = [deal for deal in found.deals if deal.group_key == group.group_key]
        if deals:
            rows.append(
                {
                    "label": group_label(labels[group.group_key], asked, names),
                    "group": group,
                    "change_minor": group.total_minor - group.was_minor,
                    "deals": [deal_cells(deal, found, question) for deal in deals],
                }
            )
    return rows


def group_label(deal: DealRow, asked: inspection.Asked, names: Mapping[str, str]) -> str:
    if asked.field is not None:
        return field_group_label(asked.field, deal.group_key, names)
    group = asked.group
    if group == "category":
        return str(Category(deal.category).label) if deal.category else "No category"
    if group == "stage":
        return deal.stage_name or "No stage"
    return (deal.owner_name or "Unassigned") if group == "owner" else "All deals"


def field_group_label(field: Field, key: str, names: Mapping[str, str]) -> str:
    """A group's heading in words; deals without a value stand together."""
    if not key:
        return f"{field.label}: not set"
    if field.kind == "date":
        first = date.fromisoformat(f"{key}-01")
        return f"{fmt.MONTHS[first.month - 1]} {first.year}"
    if field.kind == "number":
        return label_of(field, key, names=names)
    return label_of(field, key, names=names) or key


def deal_cells(deal: DealRow, found: inspection.Inspection, question: Question) -> dict[str, Any]:
    """A row's values with their changes; None where nothing changed."""
    contact = found.contacts.get(deal.opportunity_id, inspection.NO_CONTACT)
    worst = sorted(deal.failed or [], key=lambda check: -check["penalty"])
    both_dates = deal.close_date and deal.was_close_date
    return {
        "deal": deal,
        "is_new": not deal.existed,
        "rank": rank_change(deal),
        "amount_change": None
        if not deal.existed or deal.corporate_minor is None
        else deal.corporate_minor - (deal.was_corporate_minor or 0),
        "days_change": (deal.close_date - deal.was_close_date).days if both_dates else None,  # type: ignore[operator]  # both are there
        "was_category": Category(deal.was_category).label
        if deal.was_category and deal.was_category != deal.category
        else "",
        "category_rose": category_rank(deal.category) > category_rank(deal.was_category),
        "is_overdue": deal.close_date is not None and deal.close_date < question.day,
        "days_overdue": (question.day - deal.close_date).days if deal.close_date else 0,
        "worst": worst[0] if worst else None,
        "short_title": SHORT_TITLES.get(worst[0]["check"], "") if worst else "",
        "more": len(worst) - 1,
        "weekly": contact.weekly,
        "silent_days": (question.as_of - contact.last_at).days if contact.last_at else None,
        "step_late_days": (question.day - deal.next_step_on).days
        if deal.next_step_on and deal.next_step_on < question.day
        else 0,
    }


def rank_change(deal: DealRow) -> int | None:
    if deal.stage_position is None or deal.was_stage_position is None:
        return None
    return deal.stage_position - deal.was_stage_position


def category_rank(category: str | None) -> int:
    return list(Category.values).index(category) if category in Category.values else -1


def figures(
    request: HttpRequest, question: Question, summary: inspection.Summary, changes: WaterfallReport
) -> dict[str, Any]:
    """The words under the six figures."""
    currency, quota = question.currency, summary.quota_minor
    pushed = changes.waterfall.bucket(Bucket.PUSHED_OUT)
    change = None
    if summary.coverage.remaining is not None and summary.coverage_before.remaining is not None:
        change = float(summary.coverage.remaining - summary.coverage_before.remaining)
    missing = None if quota is None else quota - summary.commit_with_won_minor
    flow = reverse("flow", args=[question.organization.slug])
    return {
        "won_context": f"{fmt.percent(summary.now.won_minor / quota)} of quota"
        if quota
        else fmt.plural(summary.now.won_count, "deal"),
        "commit_context": ""
        if missing is None
        else f"{fmt.money_short(abs(missing), currency=currency)} {'below' if missing > 0 else 'above'} quota",
        "open_context": fmt.plural(summary.now.open_count, "deal"),
        "coverage_text": coverage_text(summary),
        "coverage_delta": delta_number(change, decimals=2),
        "coverage_context": "nobody in this scope has a quota" if quota is None else "of quota less won",
        "slip_context": fmt.plural(summary.slip_count, "deal"),
        "risk_href": href_with(request.path, request.GET, tab="risk", page=None) + "#deals",
        "won_href": href_with(
            flow, request.GET, tab=None, group=None, flow=None, since="period", bucket="won"
        ),
        "pushed_label": "Pushed out",
        "pushed_minor": -pushed.amount_minor,
        "pushed_context": fmt.plural(len(pushed.lines), "deal"),
        "pushed_href": href_with(flow, request.GET, tab=None, group=None, flow=None, bucket="pushed_out"),
    }


def coverage_text(summary: inspection.Summary) -> str:
    if summary.coverage.remaining is None:
        return "met" if summary.coverage.state is State.MET else "no quota"
    return fmt.times(float(summary.coverage.remaining))


def tabs(request: HttpRequest, found: inspection.Inspection, asked: inspection.Asked) -> list[Tab]:
    return [
        Tab(label, href_with(request.path, request.GET, tab=key), found.counts[key], key == asked.tab)
        for key, label in TAB_LABELS.items()
    ]


def pager(request: HttpRequest, found: inspection.Inspection, asked: inspection.Asked) -> dict[str, str]:
    page_number = asked.page
    return {
        "previous": href_with(request.path, request.GET, page=str(page_number - 1)) if page_number else "",
        "next": href_with(request.path, request.GET, page=str(page_number + 1)) if found.has_more else "",
        "note": f"{len(found.deals)} of {found.count} deals on this page; every sum counts all of them.",
    }


def csv_row(deal: DealRow) -> tuple[Any, ...]:
    return (
        *(deal.opportunity_id, deal.name, deal.account_name, deal.owner_name, deal.stage_name, deal.category),
        *(deal.amount_minor, deal.currency, deal.corporate_minor, deal.close_date, deal.next_step),
        *(deal.next_step_on, deal.was_category, deal.was_corporate_minor, deal.was_close_date),
        *(deal.health, deal.p_slip),
    )
