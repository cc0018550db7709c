"""The list of accounts: what its address asks for, with the filter's inputs and the chips that let go of it."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from otc.fields.queries import people_choices
from otc.question import ask
from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions, no_rate_href
from otc.ui.controls import Choice, href_with
from otc.ui.pages import page
from pipeline.accounts.asked import DEALS, AccountFilter, AccountsAsked, Offered, offered, read
from pipeline.accounts.report import accounts_report
from pipeline.fields.asked import described, field_parameters, is_field_parameter, people_asked_for
from pipeline.opportunities.views.field_controls import filters_of

FILTERS = ("q", "industry", "country", "deals", "owner")
SORT_WORDS = {
    "name": "Name",
    "-open": "Open amount, largest first",
    "-deals": "Open deals, most first",
    "-won": "Won amount, largest first",
    "-activity": "Last activity, latest first",
    "activity": "Last activity, longest ago first",
    "industry": "Industry",
}


@page("view_accounts")
@answers_bad_questions
def accounts(request: HttpRequest, slug: str) -> HttpResponse:
    """`/accounts/`."""
    tenant = tenant_of(request)
    question = ask(tenant, {})
    asked = read(field_parameters(request.GET), question)
    report = accounts_report(question, asked)
    path, query = request.path, request.GET
    cleared: dict[str, Any] = dict.fromkeys((*FILTERS, *filter(is_field_parameter, query)))
    people = people_choices()
    context = {
        "page_title": "Accounts",
        "report": report,
        "no_rate_href": no_rate_href(question),
        "asked": asked,
        "words": asked.filter.words,
        "sort": asked.sort,
        "kept_pairs": [
            (name, value) for name, values in query.lists() for value in values if name not in ("q", "after")
        ],
        "chips": chips(request, asked, people=people),
        "clear_href": href_with(path, query, **cleared),
        "next_href": href_with(path, query, after=report.next_cursor) if report.next_cursor else "",
        "first_href": href_with(path, query, after=None) if asked.after else "",
        "open_label": f"Open, {question.currency}",
        "won_label": f"Won, {question.currency}",
        "can_edit": tenant.may("edit_account"),
        "can_merge": tenant.may("merge_duplicates"),
        **inputs(asked, people=people, known=offered()),
    }
    return render(request, "pipeline/accounts/accounts.html", context)


def inputs(asked: AccountsAsked, *, people: list[tuple[str, str]], known: Offered) -> dict[str, Any]:
    """The filter's choices as (value, words, is chosen), and one more where the address asks for what isn't offered."""
    chosen, owner = asked.filter, str(asked.filter.owner_id or "")
    owners = [*people] if not owner or owner in dict(people) else [*people, (owner, "Somebody")]
    sorts = SORT_WORDS if asked.sort in SORT_WORDS else {asked.sort: "As the column says", **SORT_WORDS}
    return {
        "field_filters": filters_of(asked.book, chosen.fields),
        "deal_choices": [(key, words, key == chosen.deals) for key, (words, _, _) in DEALS.items()],
        "industries": _values(known.industries, chosen.industry),
        "countries": _values(known.countries, chosen.country),
        "owners": [(key, name, key == owner) for key, name in owners],
        "sorts": [(key, words, key == asked.sort) for key, words in sorts.items()],
    }


def _values(known: Any, chosen: str) -> list[tuple[str, str, bool]]:
    values = [(value, f"{value} ({count:,})", value == chosen) for value, count in known]
    is_known = not chosen or chosen in dict(known)
    return values if is_known else [(chosen, chosen, True), *values]


def chips(request: HttpRequest, asked: AccountsAsked, *, people: list[tuple[str, str]]) -> list[Choice]:
    """What narrows the list, each with the address that lets go of it."""
    found = [
        Choice(words, href_with(request.path, request.GET, **{name: None}))
        for name, words in _chosen(asked.filter, dict(people))
    ]
    names = (
        asked.book.naming([], beside=people_asked_for(asked.filter.fields)).names
        if asked.filter.fields
        else {}
    )
    fields = (
        Choice(described(one, names=names), href_with(request.path, request.GET, **{one.name: None}))
        for one in asked.filter.fields
    )
    return [*found, *fields]


def _chosen(chosen: AccountFilter, people: dict[str, str]) -> list[tuple[str, str]]:
    owner: UUID | None = chosen.owner_id
    words = {
        "q": f"“{chosen.words}”" if chosen.words else "",
        "industry": chosen.industry,
        "country": chosen.country,
        "deals": DEALS[chosen.deals][0] if chosen.deals else "",
        "owner": f"Deals of {people.get(str(owner), 'somebody')}" if owner else "",
    }
    return [(name, text) for name, text in words.items() if text]
