"""What the list and the board start from: whose deals by default, closing when, compared with when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, QueryDict

from otc.calendar.rules import period_of
from otc.fields.queries import Book, field_book
from otc.question import BadQuestion, Question, ask, since_instant
from otc.tenancy.lines import EVERYONE, Owners
from otc.tenancy.middleware import Tenant, tenant_of
from otc.tenancy.models import Role
from otc.ui.bar import bar, period_choices, period_note
from otc.ui.controls import Choice, Control, as_of_control, choice_control, href_with
from pipeline.fields.asked import field_parameters, people_asked_for
from pipeline.fields.columns import ListColumn, list_columns, read_columns
from pipeline.opportunities.asked import Asked, read
from pipeline.opportunities.report import DealRow

WITH_TEAMS = "With deal teams"
OWN_BY_DEFAULT = frozenset({Role.REP, Role.MANAGER})


@dataclass(frozen=True)
class Frame:
    """A question, what its address asks of a list, and the instant that changes are counted from."""

    question: Question
    asked: Asked
    since: datetime


def frame(request: HttpRequest, *, tenant: Tenant | None = None) -> Frame:
    """What the request's address asks for; `tenant` is the request's unless another clock is meant."""
    return frame_of(tenant or tenant_of(request), request.GET)


def frame_of(tenant: Tenant, query: QueryDict) -> Frame:
    """A rep starts with their own deals, a manager with their branch's, the others with everyone's.

    Raises BadQuestion and UnknownScope.
    """
    parameters = field_parameters(query)
    if not parameters.get("scope"):
        mine = tenant.person.role in OWN_BY_DEFAULT
        parameters["scope"] = str(tenant.person.id) if mine else EVERYONE
    question = ask(tenant, parameters)
    _, since = since_instant(question, parameters.get("since", ""), last_visit=None)
    return Frame(question, read(parameters, question), since)


def bar_of(request: HttpRequest, framed: Frame) -> dict[str, Any]:
    """The bar's context: whose deals and closing when, list or board, as of.

    Who sees only their own deals has nobody to choose, and pays for no list of people.
    """
    question, query, path = framed.question, request.GET, request.path
    closing = _closing(path, query, question, is_chosen=framed.asked.filter.period is not None)
    return {
        **(_alone(request, question) if sees_only_own(question) else _among_others(request, question)),
        "closing_control": closing,
        "controls": [closing],
        "bar_note": period_note(question) if framed.asked.filter.period else "",
        "as_of_query": as_of_query(question),
        "since_day": framed.since.astimezone(question.zone).date(),
    }


def sees_only_own(question: Question) -> bool:
    return question.visible.owners == Owners(frozenset({question.viewer.id}), False)


def _alone(request: HttpRequest, question: Question) -> dict[str, Any]:
    return {
        "question": question,
        "scope_control": _own_or_with_teams(request, question),
        "as_of_control": as_of_control(
            path=request.path,
            query=request.GET,
            shown=question.as_of.astimezone(question.zone),
            is_past=question.is_past,
            now=question.now.astimezone(question.zone),
        ),
        "can_edit": not question.is_past and tenant_of(request).may("edit_deal"),
    }


def _own_or_with_teams(request: HttpRequest, question: Question) -> Control | None:
    """Who leads nobody chooses between their own deals and all they see; nothing where that is the same."""
    if not question.visible.seated:
        return None
    named = [(str(question.viewer.id), "My deals"), (EVERYONE, WITH_TEAMS)]
    choices = tuple(
        Choice(label, href_with(request.path, request.GET, scope=key, after=None), key == question.scope)
        for key, label in named
    )
    value = next((choice.label for choice in choices if choice.is_current), "My deals")
    return Control(key="scope", label="Whose deals", value=value, choices=choices)


def _among_others(request: HttpRequest, question: Question) -> dict[str, Any]:
    context = bar(request, question)
    branch_size = len(question.chart.branch(question.viewer.id))
    scope = _own_words(context.pop("controls")[0], question, branch_size=branch_size)
    return context | {"scope_control": scope}


def columns_of_list(
    request: HttpRequest, rows: Sequence[DealRow], *, asked: Asked | None = None
) -> tuple[tuple[ListColumn, ...], Mapping[str, str]]:
    """The columns that the list shows, and the names of the people in them. A row that was edited in place is asked
    for by its own address: then the page's address says which.
    """
    book = asked.book if asked else field_book("deal", tenant_of(request).organization)
    columns = _columns(request, asked, book)
    shown = Book(tuple(column.field for column in columns if column.field is not None))
    beside = [] if asked is None else people_asked_for(asked.filter.fields)
    if beside:
        shown = book
    return columns, shown.naming([row.attributes for row in rows], beside=beside).names


def shows_fit(request: HttpRequest, asked: Asked | None = None) -> bool:
    """Whether the list shows how well its deals fit."""
    book = asked.book if asked else field_book("deal", tenant_of(request).organization)
    return any(column.name == "fit" for column in _columns(request, asked, book))


def _columns(request: HttpRequest, asked: Asked | None, book: Book) -> tuple[ListColumn, ...]:
    named = asked.columns if asked else _columns_of_page(request, book)
    remembered = tuple(name for name in tenant_of(request).person.deal_columns.split(",") if name)
    return list_columns(named, remembered, book=book)


def _columns_of_page(request: HttpRequest, book: Book) -> tuple[str, ...]:
    page = urlsplit(str(getattr(request.htmx, "current_url", "") or ""))  # type: ignore[attr-defined]  # middleware
    try:
        return read_columns(QueryDict(page.query).get("columns", ""), book=book)
    except BadQuestion:
        return ()


def as_of_query(question: Question) -> str:
    """What a link to a deal bears so that it opens at the shown instant; empty for now."""
    return f"?{urlencode({'as_of': question.as_of.isoformat()})}" if question.is_past else ""


def view_switch(request: HttpRequest, *, current: str) -> list[Choice]:
    """List or board, the same deals."""
    home = f"/o/{tenant_of(request).organization.slug}/deals/"
    dropped = {"after": None, "sort": None, "tab": None}
    return [
        Choice("List", href_with(home, request.GET, **dropped), current == "list"),
        Choice("Board", href_with(f"{home}board/", request.GET, **dropped), current == "board"),
    ]


def _own_words(control: Control, question: Question, *, branch_size: int) -> Control:
    """The viewer's own entry says whose it is: “My team”, “My deals”."""
    own = "My team" if branch_size > 1 else "My deals"
    scopes = []
    for choice in control.choices:
        key = choice.href.split("scope=", 1)[-1].split("&", 1)[0]
        label = own if key == str(question.viewer.id) else choice.label
        if key == EVERYONE and question.visible.seated:
            label = WITH_TEAMS
        scopes.append(Choice(label, choice.href, choice.is_current, "", choice.depth))
    shown = next((choice.label for choice in scopes if choice.is_current), control.value)
    return Control(key="scope", label="Whose deals", value=shown, choices=tuple(scopes))


def _closing(path: str, query: Any, question: Question, *, is_chosen: bool) -> Control:
    current = period_of(question.day, calendar=question.calendar)
    options = [
        ("", "Any close date"),
        *((key, f"Closing in {label}") for key, label in period_choices(current)),
    ]
    key = question.period.key if is_chosen else ""
    if key and key not in dict(options):
        options.append((key, f"Closing in {question.period.label}"))
    return choice_control(
        path=path, query=query, key="period", current=key, options=options, label="Close date"
    )
