"""The top bar of every page with numbers: scope, period, changes since, as of; and bad addresses."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from otc.calendar.rules import Period, PeriodError, following, previous
from otc.question import BadQuestion, Question
from otc.tenancy.lines import EVERYONE, UNASSIGNED, Chart, UnknownScope, people_by_id
from otc.tenancy.middleware import tenant_of
from otc.tenancy.models import Person
from otc.ui import controls

PERIODS_BACK, PERIODS_AHEAD = 8, 4


def answers_bad_questions(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A parameter that can't be meant gives a page that says so (400); a scope of a stranger is not found."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except BadQuestion as problem:
            context = {"page_title": "Not understood", "problem": problem}
            return render(request, "ui/bad_question.html", context, status=400)
        except UnknownScope as problem:
            raise Http404 from problem

    return answered


def bar(
    request: HttpRequest, question: Question, *, since: tuple[str, datetime] | None = None
) -> dict[str, Any]:
    """Template context of the bar's controls. One query: the people's names."""
    path, query = request.path, request.GET
    people = people_by_id()
    scopes = scope_choices(question, people)
    context: dict[str, Any] = {
        "question": question,
        "scope_label": next((label for key, label, _ in scopes if key == question.scope), "Everyone"),
        "controls": [
            controls.scope_control(path=path, query=query, current=question.scope, scopes=scopes),
            controls.period_control(
                path=path, query=query, current=question.period.key, periods=period_choices(question.period)
            ),
        ],
        "bar_note": period_note(question),
        "no_rate_href": no_rate_href(question, period=question.period.key),
        "as_of_control": controls.as_of_control(
            path=path,
            query=query,
            shown=question.as_of.astimezone(question.zone),
            is_past=question.is_past,
            now=question.now.astimezone(question.zone),
        ),
        "printable": True,
        "can_edit": not question.is_past and tenant_of(request).may("edit_deal"),
        "people": people,
    }
    if since is not None:
        context["since_control"] = controls.since_control(
            path=path,
            query=query,
            current=since[0],
            since_day=since[1].astimezone(question.zone).date(),
            today=question.now.astimezone(question.zone).date(),
        )
    return context


def no_rate_href(question: Question, **conditions: str) -> str:
    """The list of the scope's deals that no rate converts, as of the same instant."""
    asked = {"tab": "no_rate", "state": "any", "scope": question.scope, **conditions}
    if question.is_past:
        asked["as_of"] = question.as_of.isoformat()
    if question.currency != question.organization.currency:
        asked["currency"] = question.currency
    return f"/o/{question.organization.slug}/deals/?{urlencode(asked)}"


def scope_choices(question: Question, people: dict[UUID, Person]) -> list[tuple[str, str, int]]:
    """Everyone the viewer may see, then the visible people in the order of the lines, then unassigned."""
    sees_all = question.visible.owners.person_ids is None
    whole = "Everyone" if sees_all else whole_label(question, people)
    choices = [(EVERYONE, whole, 0)]
    choices += [
        (str(person_id), people[person_id].name, depth)
        for person_id, depth in in_line_order(question.chart, people)
        if question.visible.owners.contains(person_id)
    ]
    if question.visible.owners.unassigned:
        choices.append((UNASSIGNED, "Unassigned", 0))
    return choices


def whole_label(question: Question, people: dict[UUID, Person]) -> str:
    """What "everyone" is called for somebody who sees a branch: their deals, or their team's."""
    first_name = question.viewer.name.split()[0]
    branch = question.visible.owners.person_ids or frozenset()
    return f"{first_name}’s team" if len(branch) > 1 else f"{first_name}’s deals"


def in_line_order(chart: Chart, people: dict[UUID, Person]) -> list[tuple[UUID, int]]:
    """Every person with a line as (id, depth): tops first, reports under their manager, by name."""
    below: dict[UUID | None, list[UUID]] = {}
    for person_id, manager_id in chart.manager_of.items():
        below.setdefault(manager_id, []).append(person_id)
    for reports in below.values():
        reports.sort(key=lambda person_id: (people[person_id].name_folded, str(person_id)))
    ordered: list[tuple[UUID, int]] = []
    waiting = [(person_id, 0) for person_id in reversed(below.get(None, []))]
    while waiting:
        person_id, depth = waiting.pop()
        ordered.append((person_id, depth))
        waiting += [(report, depth + 1) for report in reversed(below.get(person_id, []))]
    return ordered


def period_choices(current: Period) -> list[tuple[str, str]]:
    """The current period with some before and after, latest first."""
    earlier, later = [current], [current]
    # The calendar has a first and a last year.
    with suppress(PeriodError):
        for _ in range(PERIODS_BACK):
            earlier.append(previous(earlier[-1]))
    with suppress(PeriodError):
        for _ in range(PERIODS_AHEAD):
            later.append(following(later[-1]))
    return [(period.key, period.label) for period in [*reversed(later[1:]), *earlier]]


def period_note(question: Question) -> str:
    """Where in the period the shown day lies: "week 8 of 13, 42 days left"."""
    period, day = question.period, question.day
    if day < period.first:
        return f"begins in {(period.first - day).days} days"
    if day not in period:
        return "ended"
    return f"week {period.week_of(day)} of {period.weeks}, {period.days_left(day)} days left"
