"""Today's page, and the answers that are posted from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_POST

from otc.question import Question, ask, parse_uuid
from otc.tenancy.lines import EVERYONE
from otc.tenancy.middleware import Tenant, tenant_of
from otc.tenancy.models import Person
from otc.ui import format as fmt
from otc.ui.bar import answers_bad_questions, people_offered, period_note, scope_choices
from otc.ui.charts import svg
from otc.ui.controls import Control, href_with, scope_control
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.opportunities.models import Outcome
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.views.answers import back, deal_or_404, is_htmx, tenant_after_write, toast
from pipeline.opportunities.views.frame import sees_only_own
from pipeline.plans.report import touches_due
from pipeline.today.asked import read_answer
from pipeline.today.queries import Beside, beside_of
from pipeline.today.report import TodayReport, today_report
from pipeline.today.rules import AMOUNT, LOSE, NEXT_STEP, PUSH, SNOOZE
from pipeline.today.services import action_of, deal_answer

# Answers that ask for more, each with a form of its own on the card.
FORMS = (PUSH, AMOUNT, NEXT_STEP, LOSE, SNOOZE)
# More steps than this are a number, not a row of marks.
MARKS = 20
SURE = ("closed", "commit")
PARTS = (
    ("closed", "Won", "seg-1"),
    ("commit", "Commit, open", "seg-2"),
    ("most_likely", "Most likely, open", "seg-mid"),
    ("best_case", "Best case, open", "seg-3"),
    ("pipeline", "Pipeline, open", "seg-open"),
)


@page("view_deals")
@answers_bad_questions
def today(request: HttpRequest, slug: str) -> HttpResponse:
    """`/today/`, with `scope=` (a person's id or unassigned), `deal=` in focus and `form=` open."""
    tenant = tenant_of(request)
    asked = request.GET
    question = question_of(tenant, asked.get("scope", ""))
    focus_on = parse_uuid(asked["deal"], "deal") if asked.get("deal") else None
    report = today_report(question, focus_on=focus_on)
    context = context_of(request, report, form=asked.get("form", ""))
    return render(request, "pipeline/today/today.html", context)


@require_POST
@page("edit_deal")
@answers_bad_questions
def today_answer(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """POST `kind` and what it asks for; then the next deal is in focus. A refusal shows the card with its reason."""
    tenant = tenant_of(request)
    posted = request.POST.dict()
    deal = deal_or_404(request, deal_id)
    kind = posted.get("kind", "").partition(":")[0]
    if not tenant.may_on(action_of(kind), deal.owner_id):
        raise PermissionDenied
    try:
        with transaction.atomic():
            answer = read_answer(posted, deal=deal, today=tenant.today, calendar=tenant.calendar)
            given = deal_answer(deal_id, answer, now=tenant.now, today=tenant.today)
    except Refused as refusal:
        return refused(request, deal_id, posted, refusal)
    said, undo = f"{deal.name}: {given.said}", undo_address(slug, given.step)
    if not is_htmx(request):
        return back(request, address(request, posted), said=said, undo=undo, has_origin=False)
    question = question_of(tenant_after_write(request), posted.get("scope", ""))
    focus_on = parse_uuid(posted["then"], "then") if posted.get("then") else None
    report = today_report(question, focus_on=focus_on)
    return main_part(request, context_of(request, report), beside=toast(request, said, undo=undo))


def refused(request: HttpRequest, deal_id: UUID, posted: dict[str, str], refusal: Refused) -> HttpResponse:
    """The same deal in focus, its form with what was typed and why not; 422."""
    question = question_of(tenant_of(request), posted.get("scope", ""))
    report = today_report(question, focus_on=deal_id)
    form = posted.get("kind", "").partition(":")[0]
    in_focus = report.focus is not None and report.focus.row.deal.id == deal_id
    context = context_of(request, report, form=form if in_focus else "")
    context |= {"typed": posted, "refusal": refusal, "refused_deal": deal_id}
    if is_htmx(request):
        return main_part(request, context, status=422)
    return render(request, "pipeline/today/today.html", context, status=422)


def main_part(
    request: HttpRequest, context: dict[str, Any], *, beside: str = "", status: int = 200
) -> HttpResponse:
    """The page's main part for htmx, with a toast beside it."""
    response = render(request, "pipeline/today/today.html", context, status=status)
    response.content += beside.encode()
    response["HX-Retarget"] = response["HX-Reselect"] = "#main"
    response["HX-Reswap"] = "outerHTML"
    return response


def question_of(tenant: Tenant, scope: str) -> Question:
    """Whose Today: one's own unless another is asked for."""
    return ask(tenant, {"scope": scope or str(tenant.person.id)})


def address(request: HttpRequest, posted: dict[str, str]) -> str:
    """Today again, of the same person, with the deal after the answered one in focus."""
    return href_with(home(request), {}, scope=posted.get("scope") or None, deal=posted.get("then") or None)


def home(request: HttpRequest) -> str:
    return reverse("today", args=[tenant_of(request).organization.slug])


def context_of(request: HttpRequest, report: TodayReport, *, form: str = "") -> dict[str, Any]:
    tenant, question = tenant_of(request), report.question
    own = str(question.viewer.id)
    is_own = question.scope == own
    is_alone = sees_only_own(question)
    named = people_offered(question.chart, question.visible.owners, named={question.scope, own})
    beside = beside_of(question, owners=report.owners, people=() if is_alone else named)
    parts = quarter_parts(report, beside.parts)
    control = None if is_alone else whose(request, question, beside.people)
    done, total = report.done_count, report.done_count + report.queue.count
    return {
        "page_title": "Today",
        "report": report,
        "focus": report.focus,
        "question": question,
        "zone": question.zone,
        "scope_control": control,
        "controls": [control] if control else [],
        "bar_note": f"{fmt.day_with_weekday(question.day, today=question.day)}, {period_note(question)}",
        "scope_asked": "" if is_own else question.scope,
        "is_own": is_own,
        "whose": control.value if control and not is_own else "",
        "home": home(request),
        "can_edit": tenant.may("edit_deal"),
        "form": form if form in FORMS else "",
        "push_base": max(report.focus.row.deal.close_date or question.day, question.day)
        if report.focus
        else None,
        "in_a_week": question.day + timedelta(days=7),
        "endings": endings(beside),
        "competitors": beside.competitors,
        "done_total": total,
        "marks": [place < done for place in range(total)] if done and total <= MARKS else [],
        "parts": parts,
        "quarter_bar": quarter_bar(parts, label=f"Won and open in {question.period.label}"),
        "touches": touches_due(question.viewer.id, today=question.day) if is_own else [],
        "sure_minor": sum(beside.parts.get(category, 0) for category in SURE),
    }


def whose(request: HttpRequest, question: Question, people: Mapping[UUID, Person]) -> Control:
    """The people whose Today one may look at."""
    own = str(question.viewer.id)
    scopes = [choice for choice in scope_choices(question, people=people) if choice[0] != EVERYONE]
    label = "My team" if len(question.chart.branch(question.viewer.id)) > 1 else "Mine"
    scopes = [(own, label, 0), *(choice for choice in scopes if choice[0] != own)]
    return scope_control(path=home(request), query={}, current=question.scope, scopes=scopes)


def endings(beside: Beside) -> list[tuple[str, list[tuple[str, str]]]]:
    """Ways to lose: (outcome in words, [(value, reason)])."""
    return [
        (
            str(outcome.label),
            [
                (f"{outcome.value}:{key}", name)
                for key, name, outcomes in beside.reasons
                if outcome in outcomes
            ],
        )
        for outcome in (Outcome.LOST, Outcome.NO_DECISION)
    ]


@dataclass(frozen=True)
class QuarterPart:
    """Corporate sum of the scope's deals that close in the period, in one state; its mark in the bar and its deals."""

    label: str
    amount_minor: int
    mark: str
    href: str


def quarter_parts(report: TodayReport, sums: Mapping[str | None, int]) -> list[QuarterPart]:
    """What is certain first. Won and commit are there even with nothing in them."""
    question = report.question
    deals = reverse("deals", args=[question.organization.slug])
    frame = {"scope": question.scope, "period": question.period.key}
    return [
        QuarterPart(
            label,
            sums.get(category, 0),
            mark,
            href_with(deals, {}, **frame, category=category, state="won" if category == "closed" else None),
        )
        for category, label, mark in PARTS
        if sums.get(category) or category in SURE
    ]


def quarter_bar(parts: Sequence[QuarterPart], *, label: str) -> SafeString:
    """The period's won and open amounts as one bar; the list below it says what is what."""
    total = sum(part.amount_minor for part in parts)
    if total <= 0:
        return mark_safe("")
    marks, start = [], 0.0
    for part in parts:
        width = part.amount_minor / total
        x, wide = svg.pct(start), svg.pct(max(0.002, width - 0.004))
        marks.append(svg.rect(x=x, y=1, width=wide, height=10, class_=part.mark))
        start += width
    return svg.picture(marks, height=12, label=label)
