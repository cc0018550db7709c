"""The list of deals, sorted and edited in place; the same rows as CSV."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render

from otc.fields.queries import people_names
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant, tenant_of
from otc.ui import format as fmt
from otc.ui.bar import answers_bad_questions
from otc.ui.controls import Choice, Control, Tab, href_with
from otc.ui.csv import safe_cell
from otc.ui.pages import page
from pipeline.deal_views.views import default_href, view_shown
from pipeline.exports.sheet import head, line
from pipeline.fields.columns import ListColumn
from pipeline.grid.grouping import Group, grouping_named, groupings
from pipeline.opportunities.asked import ANY_STATE, TABS, Asked
from pipeline.opportunities.filters import STATES
from pipeline.opportunities.narrowing import narrowings_shown
from pipeline.opportunities.report import DealRow, DealsReport, all_deal_rows, check_sort, deals_report
from pipeline.opportunities.views.bulk import bulk_fields
from pipeline.opportunities.views.field_controls import field_chips, field_controls, fit_chips, fit_filter
from pipeline.opportunities.views.frame import Frame, bar_of, columns_of_list, frame, shows_fit, view_switch
from pipeline.process.columns import LABELS
from pipeline.process.models import Category

STATE_WORDS = {
    "open": "open",
    "closed": "closed",
    "won": "won",
    "not_won": "not won",
    "lost": "lost",
    "no_decision": "without a decision",
    ANY_STATE: "in all",
}
# What the filter's form leaves as it is.
KEPT = ("scope", "period", "as_of", "sort", "tab", "account_id", "columns", "group", "view")
TAB_WORDS = {
    "overdue": "past their close date",
    "no_next_step": "without a next step",
    "no_close_date": "without a close date",
    "no_amount": "without an amount",
}


@page("view_deals")
@answers_bad_questions
def deals(request: HttpRequest, slug: str) -> HttpResponse | StreamingHttpResponse:
    """`/deals/`: also as CSV with `format=csv`. Without parameters, the view that one starts with."""
    if not request.GET and (href := default_href(tenant_of(request))):
        return redirect(href)
    framed = frame(request)
    if request.GET.get("format") == "csv":
        return as_csv(tenant_of(request), framed)
    report = deals_report(
        framed.question, framed.asked, since=framed.since, shows_fit=shows_fit(request, framed.asked)
    )
    return render(request, "pipeline/opportunities/deals.html", context_of(request, framed, report))


def context_of(request: HttpRequest, framed: Frame, report: DealsReport) -> dict[str, Any]:
    """All that the page shows beside the rows."""
    asked, path, query = framed.asked, request.path, request.GET
    state = asked.filter.state or ANY_STATE
    columns, names = columns_of_list(request, report.rows, asked=asked)
    view, is_view_changed = view_shown(request)
    return {
        **bar_of(request, framed),
        **field_controls(request, asked, columns, names),
        "fit_filter": fit_filter(framed),
        "page_title": "Deals",
        "own_keys": "pipeline/grid/_keys.html",
        "report": report,
        "asked": asked,
        "switch": view_switch(request, current="list"),
        "tabs": [
            Tab(label, href_with(path, query, tab=None if key == "all" else key), count, key == asked.tab)
            for key, label in TABS
            if (count := report.tab_counts[key]) or key in ("all", asked.tab)
        ],
        "chips": [*chips(request, framed, report), *field_chips(request, asked, names)],
        "states": [(key, STATE_WORDS[key].capitalize(), key == state) for key in (*STATES, ANY_STATE)],
        "state_word": STATE_WORDS[state],
        "categories": [(key, label, key == asked.filter.category) for key, label in Category.choices],
        "sort": asked.sort,
        "next_href": next_href(request, report),
        "group_control": group_control(request, asked),
        "sections": sections(request, report, columns),
        "first_href": href_with(path, query, after=None) if asked.after else "",
        "csv_href": href_with(path, query, format="csv"),
        "export_query": query.urlencode(),
        "view": view,
        "is_view_changed": is_view_changed,
        "is_filtered": is_filtered(asked),
        "kept_names": [(name, query.get(name, "")) for name in KEPT],
        "page_note": f"{len(report.rows)} of {fmt.thousands(report.sums.count)} deals on this page",
        "bulk_fields": bulk_fields(asked.book) if report.rows else (),
        "tab_words": {**TAB_WORDS, "changed": f"changed {framed.question.since_monday}"}.get(asked.tab, ""),
    }


def next_href(request: HttpRequest, report: DealsReport) -> str:
    if not report.next_cursor:
        return ""
    return href_with(request.path, request.GET, **{"after": report.next_cursor, "in": report.open_group})


def group_control(request: HttpRequest, asked: Asked) -> Control:
    """By what the list is grouped."""
    named = [("", "Not grouped"), *((one.name, one.label) for one in groupings(asked.book))]
    cleared = {"in": None, "after": None}
    choices = tuple(
        Choice(
            label, href_with(request.path, request.GET, group=name or None, **cleared), name == asked.group
        )
        for name, label in named
    )
    label = dict(named).get(asked.group, "")
    return Control("group", "Group by", f"By {label.lower()}" if asked.group else "Group", choices)


@dataclass(frozen=True)
class Section:
    """A group of the list as it stands on the page: `href` opens it alone, or closes it again."""

    group: Group
    rows: tuple[DealRow, ...]
    href: str
    is_open: bool


def sections(request: HttpRequest, report: DealsReport, columns: Sequence[ListColumn]) -> dict[str, Any]:
    """The groups with their rows of this page, the columns left and right of their sums, and what isn't listed."""
    if not report.groups:
        return {}
    grouping = grouping_named(report.asked.group, book=report.asked.book)
    found = []
    for group in report.groups:
        is_alone = report.open_group == group.key
        is_open = is_alone or report.open_group is None
        rows = tuple(row for row in report.rows if is_open and grouping.key_of(row) == group.key)
        key = None if is_alone and report.asked.inside else group.key
        href = href_with(request.path, request.GET, **{"in": key, "after": None})
        found.append(Section(group, rows, href, is_open))
    names = [column.name for column in columns]
    left = names.index("amount") if "amount" in names else len(names)
    listed = sum(group.count for group in report.groups)
    return {
        "all": found,
        "left": left + 1,
        "has_amount": "amount" in names,
        "right": len(names) - left - 1,
        "rest": report.sums.count - listed,
        "rest_minor": report.sums.total_minor - sum(group.total_minor for group in report.groups),
    }


def is_filtered(asked: Asked) -> bool:
    """Whether more than the scope narrows the list: an empty one then needs another remedy."""
    chosen = asked.filter
    return bool(
        asked.tab != "all"
        or chosen.words
        or chosen.category
        or chosen.stage_id
        or chosen.period
        or chosen.fields
        or chosen.fit
    ) or (chosen.state != "open")


def chips(request: HttpRequest, framed: Frame, report: DealsReport) -> list[Choice]:
    """What narrows the list, each with the address that lets go of it."""
    chosen, path, query = framed.asked.filter, request.path, request.GET
    found: list[Choice] = []
    if chosen.words:
        found.append(Choice(f"“{chosen.words}”", href_with(path, query, q=None)))
    if chosen.column:
        found.append(Choice(LABELS[chosen.column], href_with(path, query, column=None)))
    elif chosen.state != "open":
        label = STATE_WORDS[chosen.state or ANY_STATE].capitalize()
        found.append(
            Choice("Open and closed" if chosen.state is None else label, href_with(path, query, state=None))
        )
    if chosen.created_in:
        key = query.get("created_in", "")
        found.append(Choice(f"Created in {key}", href_with(path, query, created_in=None)))
    found += [Choice(said, href_with(path, query, **{name: None})) for name, said in narrowings_shown(query)]
    if chosen.stage_id:
        name = next((stage.name for stage in report.stages if stage.id == chosen.stage_id), "Stage")
        found.append(Choice(name, href_with(path, query, stage_id=None)))
    if chosen.category:
        found.append(Choice(Category(chosen.category).label, href_with(path, query, category=None)))
    found += fit_chips(request, framed.asked)
    if chosen.account_id:
        name = next((row.account_name or "" for row in report.rows), "") or "Account"
        found.append(Choice(name, href_with(path, query, account_id=None)))
    return found


def as_csv(tenant: Tenant, framed: Frame) -> StreamingHttpResponse:
    """Every deal that matches, streamed in a transaction of its own. Raises BadQuestion before the first byte."""
    check_sort(framed.asked)
    name = f"deals-{framed.question.day.isoformat()}.csv"
    return StreamingHttpResponse(
        csv_lines(tenant, framed),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


class Line:
    """A file that gives back what is written to it, for csv.writer to make one line at a time."""

    def write(self, text: str) -> str:
        return text


def csv_lines(tenant: Tenant, framed: Frame) -> Iterator[str]:
    writer = csv.writer(Line())
    fields = framed.asked.book.active
    yield "\ufeff" + writer.writerow([safe_cell(name) for name in head(fields)])
    corporate = framed.question.currency
    with use(tenant.organization.id, person_id=tenant.person.id, channel="ui", repeatable_read=True):
        names = people_names() if any(one.kind == "person" for one in fields) else {}
        for row in all_deal_rows(framed.question, framed.asked, since=framed.since):
            cells = line(row, corporate=corporate, fields=fields, names=names)
            yield writer.writerow([safe_cell(cell) for cell in cells])
