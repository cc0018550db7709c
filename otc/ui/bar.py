"""The top bar of every page with numbers: scope, period, changes since, as of; and bad addresses."""

from collections.abc import Callable, Collection, Mapping, Sequence
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
from otc.tenancy.lines import EVERYONE, OWNED, UNASSIGNED, Chart, Named, Owners, UnknownScope, people_by_id
from otc.tenancy.middleware import tenant_of
from otc.tenancy.models import Person
from otc.ui import controls
from otc.ui.format import plural

PERIODS_BACK, PERIODS_AHEAD = 8, 4
PEOPLE_OFFERED = 150


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
    scopes = scope_choices(question)
    context: dict[str, Any] = {
        "question": question,
        "scope_label": scope_label(question, scopes),
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


def scope_choices(
    question: Question, *, people: Mapping[UUID, Person | Named] | None = None
) -> list[tuple[str, str, int]]:
    """Everyone the viewer may see, then the people on offer in the order of the lines, then unassigned. One query,
    unless `people_offered` were read already.
    """
    seen = question.visible.owners
    if people is None:
        people = people_by_id(people_offered(question.chart, seen, named={question.scope}))
    sees_all = seen.person_ids is None
    whole = "Everyone" if sees_all else whole_label(question.viewer, seen)
    choices = [(EVERYONE, whole, 0)]
    choices += [
        (str(person_id), people[person_id].name, depth)
        for person_id, depth in in_line_order(question.chart, people)
    ]
    if seen.unassigned:
        choices.append((UNASSIGNED, "Unassigned", 0))
    return choices


def scope_label(question: Question, scopes: Sequence[tuple[str, str, int]]) -> str:
    """What the scope is called; somebody without a line stands in no list and has a name all the same."""
    for key, label, _ in scopes:
        if key == question.scope:
            return label
    if question.scope == OWNED:
        return scopes[0][1]
    return people_by_id([UUID(question.scope)])[UUID(question.scope)].name


def people_offered(chart: Chart, seen: Owners, *, named: Collection[str]) -> set[UUID]:
    """Who stands in a list of scopes: everybody in sight, or of many the leaders, level by level from the top."""
    visible = {person_id for person_id in chart.manager_of if seen.contains(person_id)}
    if len(visible) <= PEOPLE_OFFERED:
        return visible
    offered = {person_id for person_id in visible if str(person_id) in named}
    level = [person_id for person_id in visible if chart.manager_of[person_id] not in visible]
    while level and len(offered) < PEOPLE_OFFERED:
        leaders = [person_id for person_id in level if chart.reports.get(person_id)]
        offered.update(leaders[: PEOPLE_OFFERED - len(offered)])
        level = [report for leader in leaders for report in chart.reports[leader] if report in visible]
    return offered


def whole_label(viewer: Person, seen: Owners) -> str:
    """What "everyone" is called for somebody who sees a branch: their deals, or their team's."""
    first_name = viewer.name.split()[0]
    return f"{first_name}’s team" if len(seen.person_ids or ()) > 1 else f"{first_name}’s deals"


def in_line_order(chart: Chart, people: Mapping[UUID, Person | Named]) -> list[tuple[UUID, int]]:
    """Every one of `people` with a line as (id, depth): tops first, reports under their manager, by name.

    Somebody whose manager isn't among them stands under the next one above who is.
    """
    below: dict[UUID | None, list[UUID]] = {}
    for person_id in chart.manager_of:
        if person_id in people:
            below.setdefault(_above(person_id, chart=chart, people=people), []).append(person_id)
    for reports in below.values():
        reports.sort(key=lambda person_id: (people[person_id].name_folded, str(person_id)))
    ordered: list[tuple[UUID, int]] = []
    waiting = [(person_id, 0) for person_id in reversed(below.get(None, []))]
    while waiting:
        person_id, depth = waiting.pop()
        ordered.append((person_id, depth))
        waiting += [(report, depth + 1) for report in reversed(below.get(person_id, []))]
    return ordered


def _above(person_id: UUID, *, chart: Chart, people: Mapping[UUID, Person | Named]) -> UUID | None:
    manager = chart.manager_of.get(person_id)
    while manager is not None and manager not in people:
        manager = chart.manager_of.get(manager)
    return manager


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
        return f"begins in {plural((period.first - day).days, 'day')}"
    if day not in period:
        return "ended"
    return f"week {period.week_of(day)} of {period.weeks}, {plural(period.days_left(day), 'day')} left"
