"""The inspection page: the answer, the flow, the figures, and the deals with what changed."""

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import capfirst

from forecasting.inspection import report as inspection
from forecasting.inspection.cells import Look
from forecasting.inspection.figures import figures
from forecasting.inspection.listing import differs, grouped
from forecasting.inspection.rows import FOLLOWED, DealRow
from forecasting.inspection.services import previous_visit, visit_before, visit_note, visit_of
from forecasting.waterfall import picture
from forecasting.waterfall.report import waterfall_report
from otc.fields.queries import Book, field_book, names_of
from otc.question import Question, ask, since_instant
from otc.tenancy.middleware import tenant_of
from otc.ui import format as fmt
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import Choice, Tab, choice_control, href_with
from otc.ui.csv import csv_response
from otc.ui.pages import page

PAGE = "inspection"
TAB_LABELS = {
    "all": "All open",
    "changed": "Changed",
    "risk": "At risk",
    "upside": "Upside",
    "overdue": "Overdue",
    "gaps": "Gaps",
    "no_next_step": "No next step",
}
GROUP_LABELS = {
    "category": "Category",
    "stage": "Stage",
    "owner": "Person",
    "product": "Product",
    "none": "Nothing",
}
FLOWS = (("period", "Quarter"), ("monday", "Since Monday"), ("visit", "My last visit"))
CSV_HEAD = (
    *("id", "deal", "account", "owner", "stage", "category", "amount_minor", "currency", "corporate_minor"),
    *("close_date", "next_step", "next_step_on", "was_category", "was_corporate_minor", "was_close_date"),
    *("health", "p_slip", "product", "was_owner", "was_stage", "changed", "p_won", "failed_checks"),
)


@page("view_inspection")
@answers_bad_questions
def inspection_page(request: HttpRequest, slug: str) -> HttpResponse:
    """`/inspection/`: also as CSV with `format=csv`."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    visit = visit_of(tenant.person, page=PAGE)
    last_visit = visit_before(visit, now=tenant.now)
    text = request.GET.get("since") or (visit.since if visit else "")
    since = since_instant(question, text, last_visit=last_visit)
    book = field_book("deal", tenant.organization)
    asked = asked_of(request.GET, book=book)
    if request.GET.get("format") == "csv":
        rows = inspection.all_deals(question, since=since[1], asked=asked)
        return csv_response(f"inspection-{question.period.key}.csv", CSV_HEAD, map(csv_row, rows))
    chosen = request.GET.get("since", "")
    visit_note(tenant.person, page=PAGE, now=tenant.now, visit=visit, since=chosen)
    found = inspection.inspection_report(question, since=since[1], asked=asked)
    since_day = since[1].astimezone(question.zone).date()
    is_of_people = asked.field is not None and asked.field.kind == "person"
    names = names_of(group.group_key for group in found.groups) if is_of_people else {}
    context = bar(request, question, since=since)
    look = look_of(question, asked, can_edit=context["can_edit"])
    context |= {
        "page_title": "Inspection",
        "found": found,
        "summary": found.summary,
        "since_day": since_day,
        "since_text": since_text(since[0], question, since_day, is_first=last_visit is None),
        "first_day": found.first_at.astimezone(question.zone).date() if found.first_at else None,
        "figures": figures(request, question, found),
        "groups": grouped(found, asked, names=names, question=question, look=look),
        "tabs": tabs(request, found, asked),
        "group_control": group_control(request, asked, book),
        "flow_href": href_with(reverse("inspection_flow", args=[slug]), request.GET),
        "flow_page": href_with(
            reverse("flow", args=[slug]), request.GET, tab=None, group=None, sort=None, since=since[0]
        ),
        "empty_title": f"No open deal closes in {question.period.label}",
        "pager": pager(request, found, asked),
    }
    return render(request, "forecasting/inspection/inspection.html", context)


@page("view_inspection")
@answers_bad_questions
def inspection_flow(request: HttpRequest, slug: str) -> HttpResponse:
    """The chart above the list, over the interval that its switch says: a part of the page, which asks for it by
    itself so that nobody waits for it. Without htmx the page is asked for instead.
    """
    if not request.headers.get("HX-Request"):
        return redirect(href_with(reverse("flow", args=[slug]), request.GET, flow=None))
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    last_visit = previous_visit(tenant.person, page=PAGE, now=tenant.now)
    return render(
        request, "forecasting/inspection/_flow.html", flow_of(request, question, last_visit=last_visit)
    )


def look_of(question: Question, asked: inspection.Asked, *, can_edit: bool) -> Look:
    """What all rows of the page have in common."""
    as_of = urlencode({"as_of": question.as_of.isoformat()})
    return Look(
        deals_url=reverse("deals", args=[question.organization.slug]),
        as_of_query=f"?{as_of}" if question.is_past else "",
        today=question.now.astimezone(question.zone).date(),
        currency=question.currency,
        can_edit=can_edit,
        is_by_category=asked.group == "category",
        tells=asked.tab == "changed",
    )


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


def group_control(request: HttpRequest, asked: inspection.Asked, book: Book) -> Any:
    return choice_control(
        path=request.path,
        query=request.GET,
        key="group",
        label="Group by",
        prefix="Group",
        current=asked.group,
        options=group_options(book),
    )


def group_options(book: Book) -> list[tuple[str, str]]:
    """What the list can be grouped by, custom fields after the house's own."""
    fields = [(one.name, one.label) for one in book.active if one.kind in inspection.GROUPABLE]
    return [*GROUP_LABELS.items(), *fields]


def flow_of(request: HttpRequest, question: Question, *, last_visit: datetime | None) -> dict[str, Any]:
    """The chart over the interval that the switch says, its title and its switch."""
    chosen = request.GET.get("flow", "period")
    name, since = since_instant(
        question, chosen if chosen in dict(FLOWS) else "period", last_visit=last_visit
    )
    report = waterfall_report(question.organization, period=question.period, since=since, **question.frame)
    first, today = since.astimezone(question.zone).date(), question.now.astimezone(question.zone).date()
    slug = question.organization.slug
    flow = reverse("flow", args=[slug])

    def href(bucket: str) -> str:
        return href_with(
            flow, request.GET, tab=None, group=None, sort=None, flow=None, since=name, bucket=bucket
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
    page_path = reverse("inspection", args=[slug])
    return {
        "flow_chart": chart,
        "flow_title": picture.finding(report),
        "flow_caption": caption,
        "flow_choices": [
            Choice(
                capfirst(question.since_monday) if key == "monday" else label,
                href_with(page_path, request.GET, flow=key),
                is_current=key == name,
            )
            for key, label in FLOWS
        ],
    }


def since_text(name: str, question: Question, day: date, *, is_first: bool) -> str:
    """ "since Monday", "since the period began", "since your last visit" or "since 3 Nov"."""
    if name == "monday" or (name == "visit" and is_first):
        return question.since_monday + (" (you were not here before)" if name == "visit" else "")
    if name == "period":
        return f"since {question.period.label} began"
    if name == "visit":
        return "since your last visit"
    return f"since {fmt.day(day, today=question.now.astimezone(question.zone).date())}"


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
        "note": f"{len(found.deals):,} of {found.count:,} deals on this page; every sum counts all of them.",
    }


def csv_row(deal: DealRow) -> tuple[Any, ...]:
    changed = [key for key in FOLLOWED if deal.existed and differs(deal, key)] if not deal.is_hidden else []
    return (
        *(deal.opportunity_id, deal.name, deal.account_name, deal.owner_name, deal.stage_name, deal.category),
        *(deal.amount_minor, deal.currency, deal.corporate_minor, deal.close_date, deal.next_step),
        *(deal.next_step_on, deal.was_category, deal.was_corporate_minor, deal.was_close_date),
        *(deal.health, deal.p_slip, deal.product_name, deal.was_owner_name, deal.was_stage_name),
        " ".join(changed) if deal.existed else "new",
        deal.p_won,
        "; ".join(check["title"] for check in deal.failed or ()),
    )
