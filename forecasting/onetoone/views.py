"""Team: a manager's people in one table, a sheet per person for the talk with them, and what is written there."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from forecasting.onetoone import report
from forecasting.onetoone.models import AgreedAction, OneToOne
from forecasting.onetoone.queries import is_privy, line_above
from forecasting.onetoone.report import Sheet, TeamRow, sheet_report, team_report
from forecasting.onetoone.services import (
    Written,
    action_agree,
    action_done,
    action_remove,
    notes_write,
)
from forecasting.pay.report import Attained, attained_by
from otc.question import Question, ask
from otc.tenancy.lines import Named, people_by_id
from otc.tenancy.middleware import Tenant, tenant_of
from otc.tenancy.models import Person
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import href_with
from otc.ui.csv import csv_response
from otc.ui.dates import DayNotUnderstood, parse_day
from otc.ui.format import money_short
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.opportunities.rules import Refused

TALKS_SHOWN = 5
CSV_HEAD = (
    *(
        "person_id",
        "name",
        "quota_minor",
        "won_minor",
        "commit_minor",
        "call_minor",
        "open_minor",
        "open_count",
    ),
    *(
        "coverage_remaining",
        "coverage_quota",
        "hygiene",
        "risk_minor",
        "risk_count",
        "pushes",
        "last_activity",
    ),
)


@require_safe
@page("view_team")
@answers_bad_questions
def team(request: HttpRequest, slug: str) -> HttpResponse:
    """`/team/`: the direct reports of the scope's head; also as CSV with `format=csv`."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    found = team_report(question)
    if request.GET.get("format") == "csv":
        rows = [csv_row(row) for row in found.rows]
        return csv_response(f"team-{question.period.key}.csv", CSV_HEAD, rows)
    context = bar(request, question)
    thin = [row for row in found.rows if row.person and is_thin(row)]
    context |= {
        "page_title": "Team",
        "found": found,
        "rows": [cells(request, question, row) for row in found.rows],
        "total": cells(request, question, found.total),
        "thin": thin,
        "has_quotas": any(row.quota_minor is not None for row in found.rows),
    }
    return render(request, "forecasting/onetoone/team.html", context)


def is_thin(row: TeamRow) -> bool:
    """Less than three times what is missing stands open."""
    ratio = row.coverage.remaining
    return ratio is not None and ratio < 3


def cells(request: HttpRequest, question: Question, row: TeamRow) -> dict[str, Any]:
    """A row with where its figures open: the same scope's deals in the inspection."""
    slug = question.organization.slug
    scope = str(row.person.id) if row.person and not row.is_own else None
    asked = request.GET
    inspect = reverse("inspection", args=[slug])
    where = {"scope": scope or asked.get("scope"), "format": None}
    return {
        "row": row,
        "last_on": row.sums.last_at.astimezone(question.zone).date() if row.sums.last_at else None,
        "sheet_href": href_with(
            reverse("one_to_one", args=[slug, row.person.id]), asked, scope=None, format=None
        )
        if row.person
        else "",
        "branch_href": href_with(reverse("team", args=[slug]), asked, **where) if row.report_count else "",
        "open_href": href_with(inspect, asked, **where) if scope else "",
        "gaps_href": href_with(inspect, asked, tab="gaps", **where) if scope else "",
        "risk_href": href_with(inspect, asked, tab="risk", **where) if scope else "",
    }


def csv_row(row: TeamRow) -> tuple[Any, ...]:
    cover = row.coverage
    return (
        row.person.id if row.person else "",
        row.person.name if row.person else "Unassigned",
        row.quota_minor,
        row.sums.won_minor,
        row.commit_minor,
        row.call_minor,
        row.sums.open_minor,
        row.sums.open_count,
        None if cover.remaining is None else f"{float(cover.remaining):.4f}",
        None if cover.of_quota is None else f"{float(cover.of_quota):.4f}",
        None if row.hygiene is None else f"{float(row.hygiene):.4f}",
        row.sums.risk_minor,
        row.sums.risk_count,
        row.pushes,
        row.sums.last_at.isoformat() if row.sums.last_at else "",
    )


@require_safe
@page("view_team")
@answers_bad_questions
def one_to_one(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """`/team/<person>/`: the sheet; what was said is on it for the person and the line above only."""
    tenant = tenant_of(request)
    person, question = person_asked(tenant, person_id, request)
    reads = is_privy(tenant.person.id, person.id, chart=tenant.chart)
    talked_on = report.last_talk_on(person.id, before=question.day) if reads else None
    sheet = sheet_report(question, person=person, last_talk_on=talked_on)
    context = bar(request, question)
    # The sheet is of one person: the scope is in its address.
    context["controls"] = context["controls"][1:]
    context |= {
        "page_title": person.name,
        "person_shown": person,
        "sheet": sheet,
        "cells": cells(request, question, sheet.row),
        "call_text": f"called {money_short(sheet.row.call_minor, currency=question.currency)}",
        "call_change_minor": called_against(sheet),
        "team_href": href_with(reverse("team", args=[slug]), request.GET, scope=None),
        "more_href": cells(request, question, sheet.row)["open_href"],
        "attained": attained_by(question, person.id, tenant=tenant),
        "reads_notes": reads,
        "writes_notes": reads and not question.is_past and tenant.may("edit_one_to_one"),
    }
    context["pay_missing"] = pay_missing(question, context["attained"])
    if reads:
        context |= said(question, person, sheet, tenant=tenant)
    return render(request, "forecasting/onetoone/sheet.html", context)


def pay_missing(question: Question, attained: Attained | None) -> str:
    """Why a plan says nothing of the question's period."""
    if attained is None or attained.plan is None or attained.pay_minor is not None:
        return ""
    if attained.plan.cycle != question.period.kind:
        return f"the plan pays by {attained.plan.cycle}"
    return "its tiers need a quota"


def called_against(sheet: Sheet) -> int | None:
    """Commit and won less what the person called; None without a call."""
    return None if sheet.row.call_minor is None else sheet.row.commit_minor - sheet.row.call_minor


def said(question: Question, person: Person, sheet: Sheet, *, tenant: Tenant) -> dict[str, Any]:
    """Notes and agreed actions as of the question, for who may read them."""
    talks = list(report.talks_of(person.id, day=question.day)[: TALKS_SHOWN + 1])
    this = next((talk for talk in talks if talk.held_on == question.day), None)
    return {
        "talk": this,
        "talks": [talk for talk in talks if talk is not this][:TALKS_SHOWN],
        "actions": list(report.actions_of(person.id, as_of=question.as_of)),
        "done": list(report.done_since(person.id, since=sheet.since, as_of=question.as_of)[:10]),
        "may_own": owners_offered(person, tenant=tenant),
        "readers": [one.name for one in owners_offered(person, tenant=tenant)],
    }


def owners_offered(person: Person, *, tenant: Tenant) -> list[Named]:
    """The person and the line above, nearest first: who reads the sheet and may be given an action."""
    line = line_above(person.id, chart=tenant.chart)
    people = people_by_id(line)
    return [people[one] for one in line if one in people]


def person_asked(tenant: Tenant, person_id: UUID, request: HttpRequest) -> tuple[Person, Question]:
    """The person whose deals the viewer may see, and what the address asks of them. 404 for anybody else."""
    if not tenant.visible.owners.contains(person_id):
        raise Http404
    person = Person.objects.filter(id=person_id).first()
    if person is None:
        raise Http404
    asked = {**{name: request.GET[name] for name in request.GET}, "scope": str(person_id)}
    return person, ask(tenant, asked)


def privy_or_404(tenant: Tenant, person_id: UUID) -> Person:
    """The person of whom the viewer reads and writes what was said."""
    person = Person.objects.filter(id=person_id).first()
    if person is None or not is_privy(tenant.person.id, person_id, chart=tenant.chart):
        raise Http404
    return person


@require_POST
@page("edit_one_to_one")
def one_to_one_notes(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """POST `notes` of today's talk, and `was`: when those that were read had been written."""
    tenant = tenant_of(request)
    person = privy_or_404(tenant, person_id)
    try:
        written = notes_write(
            person,
            held_on=tenant.today,
            notes=request.POST.get("notes", ""),
            today=tenant.today,
            now=tenant.now,
            was=read_moment(request.POST.get("was", "")),
        )
    except Refused as refusal:
        return refused(request, person, refusal)
    return saved(request, person, written, "Notes saved")


def read_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


@require_POST
@page("edit_one_to_one")
def one_to_one_agree(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """POST `text`, `owner_id` and `due`, which takes fri, +2w, eoq."""
    tenant = tenant_of(request)
    person = privy_or_404(tenant, person_id)
    try:
        written = action_agree(
            person,
            text=request.POST.get("text", ""),
            owner_id=read_uuid(request.POST.get("owner_id", "")),
            due_on=due_of(request.POST.get("due", ""), tenant=tenant),
            may_own=line_above(person.id, chart=tenant.chart),
            now=tenant.now,
        )
    except Refused as refusal:
        return refused(request, person, refusal)
    return saved(request, person, written, "Agreed: it returns until it is done")


def read_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused("owner_id", "Choose one of those who read this sheet") from None


def due_of(text: str, *, tenant: Tenant) -> date:
    try:
        return parse_day(text or "+1w", today=tenant.today, calendar=tenant.calendar)
    except DayNotUnderstood as problem:
        raise Refused("due", str(problem)) from None


@require_POST
@page("edit_one_to_one")
def one_to_one_action(request: HttpRequest, slug: str, person_id: UUID, action_id: UUID) -> HttpResponse:
    """POST `act`: done, reopen or remove."""
    tenant = tenant_of(request)
    person = privy_or_404(tenant, person_id)
    action = action_or_404(person, action_id)
    act = request.POST.get("act", "")
    if act == "remove":
        written = action_remove(action, now=tenant.now)
    elif act in ("done", "reopen"):
        written = action_done(action, is_done=act == "done", now=tenant.now)
    else:
        raise Http404
    texts = {"done": "Done", "reopen": "Open again", "remove": "Removed"}
    return saved(request, person, written, texts[act])


def action_or_404(person: Person, action_id: UUID) -> AgreedAction:
    found = AgreedAction.objects.select_for_update(of=("self",))
    action: AgreedAction | None = found.filter(
        id=action_id, person_id=person.id, deleted_at__isnull=True
    ).first()
    if action is None:
        raise Http404
    return action


def saved(request: HttpRequest, person: Person, written: Written, said: str) -> HttpResponse:
    slug = tenant_of(request).organization.slug
    messages.success(request, said, extra_tags=undo_address(slug, written.step))
    return redirect("one_to_one", slug=slug, person_id=person.id)


def refused(request: HttpRequest, person: Person, refusal: Refused) -> HttpResponse:
    """Say why, on a page that keeps what was typed."""
    tenant = tenant_of(request)
    talk = OneToOne.objects.filter(person_id=person.id, held_on=tenant.today, deleted_at__isnull=True).first()
    context = {
        "page_title": person.name,
        "person_shown": person,
        "refusal": refusal,
        "typed": request.POST,
        "talk": talk,
        "may_own": owners_offered(person, tenant=tenant),
    }
    return render(request, "forecasting/onetoone/refused.html", context, status=422)
