"""Calls: who said what of a period, week by week; a call of one's own; and asking others for theirs."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from forecasting.calls.models import Call, CallColumn
from forecasting.calls.reminders import calls_remind
from forecasting.calls.report import CallRow, calls_report, last_said, prefill
from forecasting.calls.services import calls_submit, faults_of
from forecasting.locks.note import lock_note
from forecasting.locks.queries import lock_of
from forecasting.tabs import forecast_tabs
from forecasting.types.models import ForecastType
from forecasting.types.queries import type_asked, types_offered
from otc.question import BadQuestion, Question, ask
from otc.tenancy.lines import people_by_id
from otc.tenancy.middleware import Tenant, tenant_of
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import Choice, href_with
from otc.ui.csv import csv_response
from otc.ui.format import money_full, plural
from otc.ui.pages import page
from pipeline.opportunities.rules import Refused

# What the form's fields are called.
FIELDS = {
    CallColumn.COMMIT: "amount",
    CallColumn.MOST_LIKELY: "most_likely",
    CallColumn.BEST_CASE: "best_case",
}
CSV_HEAD = (
    "person_id",
    "person",
    "period",
    "type",
    "column",
    "amount_minor",
    "currency",
    "note",
    "submitted_at",
    "by",
)


@require_safe
@page("view_forecast")
@answers_bad_questions
def forecast_calls(request: HttpRequest, slug: str) -> HttpResponse:
    """`/forecast/calls/`: also as CSV with `format=csv`, every call of the period."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    column = request.GET.get("column") or CallColumn.COMMIT
    if column not in CallColumn.values:
        raise BadQuestion("column", f"“{column}” is none of: {', '.join(CallColumn.values)}")
    type_ = type_asked(request.GET.get("type", ""))
    if request.GET.get("format") == "csv":
        return csv_response(f"calls-{question.period.key}.csv", CSV_HEAD, csv_rows(question))
    type_id = type_.id if type_ else None
    report = calls_report(question, column=column, type_id=type_id)
    lock = lock_of(question.period.key, type_id=type_id, as_of=question.as_of if question.is_past else None)
    runs = not question.is_past and question.period.end > question.day
    called = [row for row in report.rows if row.latest]
    context = bar(request, question)
    typed = {name: request.GET[name] for name in (*FIELDS.values(), "note") if request.GET.get(name)}
    context |= {
        "page_title": "Calls",
        "typed": typed,
        "bar_note": lock_note(question, type_id=type_id),
        "tabs": forecast_tabs(request, "forecast_calls"),
        "report": report,
        "type": type_,
        "type_choices": type_choices(request, type_),
        "rows": [cells(request, row) for row in report.rows],
        "called_count": len(called),
        "only_viewer": [row.person.id for row in report.asked] == [tenant.person.id],
        "late": [row for row in report.asked if any(week.is_late for week in row.weeks[-2:])],
        "said": [(call, name) for call, name in named(report.said)],
        "lock": lock,
        "can_call": runs and lock is None and tenant.may("submit_call"),
        "can_remind": runs and lock is None and tenant.may("submit_call"),
        "column_label": CallColumn(column).label,
        "column_choices": [
            Choice(label, href_with(request.path, request.GET, column=key), key == column)
            for key, label in CallColumn.choices
        ],
    }
    if context["can_call"]:
        context["form_fields"] = form_fields(question, asked=request.GET, type_id=type_id)
        anew = dict.fromkeys((*FIELDS.values(), "note"))
        context["same_href"] = href_with(request.path, request.GET, **anew, fill="last") + "#call"
        context["rollup_href"] = href_with(request.path, request.GET, **anew, fill=None) + "#call"
    return render(request, "forecasting/calls/calls.html", context)


def cells(request: HttpRequest, row: CallRow) -> dict[str, Any]:
    return {"row": row, "href": href_with(request.path, request.GET, scope=str(row.person.id))}


def type_choices(request: HttpRequest, current: ForecastType | None) -> list[Choice]:
    """All deals or one type, where there are types."""
    offered = types_offered()
    choices = [(one.name, one.slug, current == one) for one in offered]
    return [
        Choice(name, href_with(request.path, request.GET, type=slug, fill=None), is_current)
        for name, slug, is_current in ([("All deals", None, current is None), *choices] if choices else [])
    ]


def form_fields(
    question: Question, *, asked: Mapping[str, str], type_id: UUID | None = None
) -> list[dict[str, Any]]:
    """The three numbers with what the rollup says and what one said last; `fill` "last" writes the latter in, and what
    was typed and refused stands there again, marked where it is wrong, with nothing beside it that wasn't typed.
    """
    fill, is_again = asked.get("fill", ""), any(asked.get(name) for name in (*FIELDS.values(), "note"))
    rolled, said = prefill(question, type_id=type_id), last_said(question, type_id=type_id)
    currency = question.organization.currency
    faults = faults_typed(asked, currency=currency) if is_again else {}
    fields = []
    for column, name in FIELDS.items():
        last = said.get(column)
        filled = last.amount_minor if fill == "last" and last else rolled[column]
        fields.append(
            {
                "name": name,
                "label": CallColumn(column).label,
                "value": asked.get(name, "") if is_again else money_full(filled, currency=currency),
                "rolled_minor": rolled[column],
                "last": last,
                "fault": faults.get(column, ""),
                "is_first_fault": column == next(iter(faults), None),
            }
        )
    return fields


def faults_typed(asked: Mapping[str, str], *, currency: str) -> dict[str, str]:
    """What is wrong with the numbers as they were typed, by column."""
    amounts, found = {}, {}
    for column, name in FIELDS.items():
        if text := asked.get(name, "").strip():
            try:
                amounts[str(column)] = parse_amount(text, currency=currency)
            except AmountNotUnderstood as problem:
                found[str(column)] = str(problem)
    return found | faults_of(amounts)


def named(calls: tuple[Call, ...]) -> list[tuple[Call, str]]:
    people = people_by_id({call.person_id for call in calls})
    return [(call, people[call.person_id].name) for call in calls]


def csv_rows(question: Question) -> list[list[Any]]:
    calls = Call.objects.filter(question.owners.matching("person"), period=question.period.key)
    found = calls.filter(submitted_at__lte=question.as_of).select_related("person", "submitted_by", "type")
    return [
        [
            call.person_id,
            call.person.name,
            call.period,
            call.type.slug if call.type else "",
            call.column,
            call.amount_minor,
            call.currency,
            call.note,
            call.submitted_at.isoformat(),
            call.submitted_by.name if call.submitted_by else "",
        ]
        for call in found.order_by("-submitted_at", "column")
    ]


@require_POST
@page("submit_call")
def forecast_call(request: HttpRequest, slug: str) -> HttpResponse:
    """Submit `amount` (commit, or the one that `column` names), `most_likely` and `best_case`, what of them is given,
    with `note` for `period`.
    """
    tenant = tenant_of(request)
    currency = tenant.organization.currency
    home = reverse("forecast", args=[slug])
    try:
        question = ask(tenant, {"period": request.POST.get("period", "")})
        home = back(request, default=f"{home}?period={question.period.key}")
        amounts = amounts_typed(request.POST, currency=currency)
        type_ = type_asked(request.POST.get("type", ""))
        calls = calls_submit(
            tenant.organization,
            author=tenant.person,
            period=question.period,
            amounts=amounts,
            type_id=type_.id if type_ else None,
            note=request.POST.get("note", ""),
            now=tenant.now,
            today=tenant.today,
        )
    except (AmountNotUnderstood, BadQuestion, Refused) as refusal:
        messages.error(request, str(refusal))
        return redirect(typed_again(request))
    messages.success(request, said_text(calls, currency=currency, label=question.period.label))
    return redirect(home)


def typed_again(request: HttpRequest, *, longest: int = 500) -> str:
    """The page of calls with what was typed in its form, whichever form it was."""
    posted = request.POST
    named = {str(column): name for column, name in FIELDS.items()}
    names = {"amount": named.get(posted.get("column", ""), "amount")}
    kept = {name: posted.get(name, "")[:longest] for name in ("period", "type", "note", *FIELDS.values())}
    given = {names.get(name, name): text for name, text in kept.items() if text}
    return f"{reverse('forecast_calls', args=[tenant_of(request).organization.slug])}?{urlencode(given)}#call"


def amounts_typed(posted: Mapping[str, str], *, currency: str) -> dict[str, int]:
    """The numbers that were typed, by column. Raises AmountNotUnderstood, for an empty form too."""
    single = posted.get("column") or CallColumn.COMMIT
    names = {**{str(column): name for column, name in FIELDS.items()}, str(CallColumn.COMMIT): ""} | {
        single: "amount"
    }
    typed = {column: posted.get(name, "").strip() for column, name in names.items()}
    if not any(typed.values()):
        typed = {single: posted.get("amount", " ")}
        parse_amount(typed[single], currency=currency)
    return {column: parse_amount(text, currency=currency) for column, text in typed.items() if text}


def said_text(calls: list[Call], *, currency: str, label: str) -> str:
    """“You called 1,200,000 EUR for Q4 2026”; several columns are named."""
    shown = [f"{money_full(call.amount_minor, currency=currency)} {currency}" for call in calls]
    if len(calls) > 1:
        shown = [
            f"{CallColumn(call.column).label.lower()} {text}" for call, text in zip(calls, shown, strict=True)
        ]
    return f"You called {', '.join(shown)} for {label}"


def back(request: HttpRequest, *, default: str) -> str:
    """The page that the form stood on."""
    there = request.POST.get("next", "")
    return there if url_has_allowed_host_and_scheme(there, allowed_hosts=None) else default


@require_POST
@page("submit_call")
def forecast_remind(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask the people named by `person` for their calls of `period`, those of them who are below one."""
    tenant = tenant_of(request)
    home = reverse("forecast_calls", args=[slug])
    try:
        question = ask(tenant, {"period": request.POST.get("period", "")})
        home = back(request, default=f"{home}?{urlencode({'period': question.period.key})}")
        told = remind(tenant, question, request.POST.getlist("person"))
    except (BadQuestion, Refused) as refusal:
        messages.error(request, str(refusal))
    else:
        text = (
            f"{plural(len(told), 'person', plural_noun='people')} reminded"
            if told
            else "They were reminded today already"
        )
        messages.success(request, text)
    return redirect(home)


def remind(tenant: Tenant, question: Question, person_ids: list[str]) -> list[UUID]:
    """Remind those of the people whom the viewer sees. Raises Refused where there is nobody, or nothing to call."""
    if question.period.end <= question.day or lock_of(question.period.key) is not None:
        raise Refused("period", f"{question.period.label} takes no calls any more")
    try:
        asked = [UUID(one) for one in person_ids]
    except ValueError:
        raise Refused("person", "That is nobody") from None
    seen = [one for one in asked if tenant.visible.owners.contains(one) and one != tenant.person.id]
    people = people_by_id(seen)
    if not people:
        raise Refused("person", "Nobody to remind")
    return calls_remind(
        list(people),
        author=tenant.person,
        organization=tenant.organization,
        period=question.period,
        now=tenant.now,
    )
