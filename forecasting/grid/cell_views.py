"""A cell of the forecast: its page, which explains it, and its editor, which adjusts it in the grid or on the page."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_safe

from forecasting.adjustments.models import AdjustmentStep
from forecasting.adjustments.queries import latest_step
from forecasting.adjustments.rules import Cell
from forecasting.adjustments.services import (
    Adjusted,
    SomebodyAdjusted,
    adjustment_keep,
    adjustment_set,
    adjustment_withdraw,
    amount_below,
)
from forecasting.grid.addresses import addresses
from forecasting.grid.cell_report import CellReport, adjustable, cell_report, latest_said
from forecasting.grid.columns import LABELS, VIEWS
from forecasting.grid.judge_forms import JudgeForm
from forecasting.grid.report import grid_report
from forecasting.grid.rules import Typed, read_typed
from forecasting.grid.views import grid_context
from forecasting.inspection.services import previous_visit
from forecasting.judgements.queries import judgements_at
from forecasting.types.control import type_controls
from forecasting.types.models import ForecastType
from forecasting.types.queries import type_asked
from otc.question import BadQuestion, Question, ask, since_instant
from otc.tenancy.middleware import Tenant, tenant_of
from otc.tenancy.models import Person
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.controls import Choice, href_with
from otc.ui.dates import DayNotUnderstood, parse_day
from otc.ui.format import currency_decimals, money_k, units
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.opportunities.rules import Refused

REFUSED, CONFLICT = 422, 409
PAGE = "forecast"


@dataclass(frozen=True)
class Editor:
    """What the form holds: what was typed or stands there, the step and the amount below that it was read on."""

    cell: Cell
    person: Person
    is_own: bool
    amount: str = ""
    reason: str = ""
    expires: str = ""
    expected: str = ""
    base_minor: int = 0
    error: str = ""
    wrong: str = ""
    theirs: AdjustmentStep | None = None
    is_conflict: bool = False
    standing: AdjustmentStep | None = None


@require_safe
@page("view_forecast")
@answers_bad_questions
def forecast_cell(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """`/forecast/cell/<person>/?column=&period=`: what the cell is made of, and the form that adjusts it."""
    tenant, question = tenant_of(request), question_of(request, person_id)
    column = column_of(request, question)
    type_ = type_asked(request.GET.get("type", ""))
    report = cell_report(question, column=column, type_=type_)
    if report is None:
        raise Http404
    editor = None
    if person_id in adjustable(tenant, question, column=column, people=[person_id], type_=type_):
        editor = opened(tenant, question, person_id, column=column, type_=type_)
    return cell_page(request, question, report, editor)


@require_http_methods(["GET", "HEAD", "POST"])
@page("adjust_forecast")
@answers_bad_questions
def forecast_adjust(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """GET gives the editor in place. POST `act` (set, withdraw, keep, theirs) with `amount`, `reason`, `expires`, and
    with `expected` and `base`, the step and the amount that were read. The address holds the grid that is shown.
    """
    tenant, question = tenant_of(request), question_of(request, person_id)
    column, type_ = column_of(request, question), type_asked(request.GET.get("type", ""))
    if request.method != "POST":
        if not request.htmx:  # type: ignore[attr-defined]  # django-htmx
            return redirect(addresses(question, request.GET).cell(person_id, column))
        editor = opened(tenant, question, person_id, column=column, type_=type_)
        return render(request, "forecasting/grid/_adjust.html", editor_context(request, question, editor))
    if request.POST.get("act") == "theirs":
        return answered(request, question, person_id, column=column)
    cell = Cell(question.period, person_id, column, type_.id if type_ else None)
    editor = typed_in(request, tenant, cell)
    try:
        done = written(request.POST.get("act", "set"), editor, tenant=tenant)
    except SomebodyAdjusted as faster:
        return refused(request, question, conflict(editor, faster, question), status=CONFLICT)
    except (AmountNotUnderstood, DayNotUnderstood, Refused) as refusal:
        wrong = getattr(
            refusal, "field", "amount" if isinstance(refusal, AmountNotUnderstood) else "expires_on"
        )
        return refused(request, question, replace(editor, error=str(refusal), wrong=wrong), status=REFUSED)
    return answered(request, question, person_id, column=column, done=done)


def question_of(request: HttpRequest, person_id: UUID) -> Question:
    """The address's question about one person. Raises UnknownScope for somebody out of sight."""
    asked = {**{name: request.GET[name] for name in request.GET}, "scope": str(person_id)}
    return ask(tenant_of(request), asked)


def column_of(request: HttpRequest, question: Question) -> str:
    view = VIEWS.get(request.GET.get("view", ""), VIEWS["cumulative"])
    column = request.GET.get("column") or view[1][0]
    if column not in LABELS:
        raise BadQuestion("column", f"“{column}” is none of: {', '.join(LABELS)}")
    return column


def opened(
    tenant: Tenant, question: Question, person_id: UUID, *, column: str, type_: ForecastType | None = None
) -> Editor:
    """The editor with what stands there. Raises 404 for a person or a cell that the viewer doesn't adjust."""
    if person_id not in adjustable(tenant, question, column=column, people=[person_id], type_=type_):
        raise Http404
    cell = Cell(question.period, person_id, column, type_.id if type_ else None)
    is_own = person_id == tenant.person.id
    person = Person.objects.get(id=person_id)
    standing = latest_said(cell, is_own=is_own)
    below = amount_below(tenant.organization, cell=cell, is_own=is_own, now=tenant.now)
    editor = Editor(
        cell, person, is_own, base_minor=below, expected=expected_of(cell, is_own=is_own), standing=standing
    )
    if standing is None:
        return editor
    return replace(
        editor,
        amount=typed_of(standing),
        reason=standing.reason,
        expires=standing.expires_on.isoformat() if standing.expires_on else "",
    )


def expected_of(cell: Cell, *, is_own: bool) -> str:
    step = latest_step(
        cell.period.key, column=cell.column, person_id=cell.person_id, is_own=is_own, type_id=cell.type_id
    )
    return str(step.id) if step else ""


def typed_of(step: AdjustmentStep) -> str:
    """A step as one would type it in thousands: "−44", "=660"."""
    thousands = units(step.amount_minor, currency=step.currency) / 1000
    text = f"{thousands:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if step.kind == "absolute":
        return f"={text}"
    return text if step.amount_minor < 0 else f"+{text}"


def typed_in(request: HttpRequest, tenant: Tenant, cell: Cell) -> Editor:
    posted = request.POST
    person = Person.objects.filter(id=cell.person_id).first()
    if person is None:
        raise Http404
    base = posted.get("base", "")
    return Editor(
        cell,
        person,
        cell.person_id == tenant.person.id,
        amount=posted.get("amount", ""),
        reason=posted.get("reason", ""),
        expires=posted.get("expires", ""),
        expected=posted.get("expected", ""),
        base_minor=int(base) if base.removeprefix("-").isdecimal() and len(base) < 19 else 0,
    )


def written(act: str, editor: Editor, *, tenant: Tenant) -> Adjusted:
    """Do what the form asks. Raises Refused, SomebodyAdjusted, AmountNotUnderstood, DayNotUnderstood."""
    organization = tenant.organization
    asked: dict[str, Any] = {
        "author": tenant.person,
        "cell": editor.cell,
        "now": tenant.now,
        "today": tenant.today,
    }
    expected = read_step(editor.expected)
    if act in ("withdraw", "keep"):
        if expected is None:
            raise Refused("expected_step_id", "There is no adjustment here any more")
        act_on = adjustment_withdraw if act == "withdraw" else adjustment_keep
        return act_on(organization, expected_step_id=expected, **asked)
    typed = amount_typed(editor.amount, currency=organization.currency)
    return adjustment_set(
        organization,
        kind="absolute" if typed.is_absolute else "delta",
        amount_minor=typed.amount_minor,
        reason=editor.reason,
        expected_step_id=expected,
        expires_on=expires_typed(editor.expires, tenant=tenant),
        base_minor=editor.base_minor,
        **asked,
    )


def read_step(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Refused("expected_step_id", "The form is not the one of this page; open it again") from None


def amount_typed(text: str, *, currency: str) -> Typed:
    def parse(number: str) -> int:
        return parse_amount(number, currency=currency, allow_negative=True)

    return read_typed(text, parse=parse, thousand=1000 * 10 ** currency_decimals(currency))


def expires_typed(text: str, *, tenant: Tenant) -> date | None:
    return parse_day(text, today=tenant.today, calendar=tenant.calendar) if text.strip() else None


def conflict(editor: Editor, faster: SomebodyAdjusted, question: Question) -> Editor:
    """Both numbers side by side; to save again is to write over what is seen now."""
    theirs = faster.step
    return replace(
        editor,
        is_conflict=True,
        theirs=theirs,
        error=str(faster),
        expected=str(theirs.id) if theirs else "",
        base_minor=amount_below(
            question.organization, cell=editor.cell, is_own=editor.is_own, now=question.now
        ),
    )


def answered(
    request: HttpRequest, question: Question, person_id: UUID, *, column: str, done: Adjusted | None = None
) -> HttpResponse:
    """The grid as it is now, or the page that the form stood on; with a toast and its Undo."""
    tenant = tenant_of(request)
    said = said_text(done, question, tenant) if done else ""
    undo = undo_address(tenant.organization.slug, done.undo_id) if done else ""
    there = request.POST.get("next", "")
    if not request.htmx or there:  # type: ignore[attr-defined]  # django-htmx
        if said:
            messages.success(request, said, extra_tags=undo)
        home = addresses(question, request.GET).cell(person_id, column)
        return redirect(there if url_has_allowed_host_and_scheme(there, allowed_hosts=None) else home)
    at = max(tenant.now, done.step.made_at) if done else tenant.now
    shown = ask(replace_now(tenant, at), request.GET)
    last_visit = previous_visit(tenant.person, page=PAGE, now=tenant.now)
    since = since_instant(shown, request.GET.get("since", ""), last_visit=last_visit)
    grid = grid_report(shown, since=since[1], parameters=request.GET)
    context = grid_context(request, grid) | {"said": said, "undo_url": undo}
    return render(request, "forecasting/grid/_adjusted.html", context)


def replace_now(tenant: Tenant, now: Any) -> Tenant:
    """The tenant a moment later: what was just written is known then."""
    return Tenant(tenant.organization, tenant.person, now)


def said_text(done: Adjusted, question: Question, tenant: Tenant) -> str:
    step = done.step
    whose = "your" if step.person_id == tenant.person.id else f"{step.person.name}’s"
    label = LABELS[step.column].lower()
    if step.kind == "withdrawn":
        return f"Adjustment of {whose} {label} withdrawn"
    amount = money_k(step.amount_minor, currency=step.currency, plus=step.kind == "delta")
    how = "set to" if step.kind == "absolute" else "adjusted by"
    return f"{whose[0].upper()}{whose[1:]} {label} {how} {amount} k"


def refused(request: HttpRequest, question: Question, editor: Editor, *, status: int) -> HttpResponse:
    """What was typed, and why it can't be so."""
    if request.htmx:  # type: ignore[attr-defined]  # django-htmx
        context = editor_context(request, question, editor)
        return render(request, "forecasting/grid/_adjust.html", context, status=status)
    type_ = type_asked(request.GET.get("type", ""))
    report = cell_report(question, column=editor.cell.column, type_=type_)
    if report is None:
        raise Http404
    return cell_page(request, question, report, editor, status=status)


def editor_context(request: HttpRequest, question: Question, editor: Editor) -> dict[str, Any]:
    cell = editor.cell
    judged = [
        step
        for step in judgements_at(cell.period.key, as_of=question.now)
        if step.person_id == cell.person_id and step.column == cell.column
    ]
    return {
        "editor": editor,
        # Of the forecast of all deals, and nobody reads how they are judged themselves.
        "judged_count": 0 if cell.type_id or editor.is_own else len(judged),
        "judged_href": addresses(question, request.GET).cell(cell.person_id, cell.column) + "#judged",
        "question": question,
        "label": LABELS[cell.column],
        "action": request.get_full_path(),
        "in_place": True,
    }


def cell_page(
    request: HttpRequest,
    question: Question,
    report: CellReport,
    editor: Editor | None,
    *,
    status: int = 200,
    judging: JudgeForm | None = None,
) -> HttpResponse:
    """`judging` is what was typed of a deal and refused."""
    slug, at = question.organization.slug, addresses(question, request.GET)
    path = reverse("forecast_cell", args=[slug, report.row.person_id])
    query = {"period": question.period.key, "column": report.column}
    query |= {"type": report.type.slug} if report.type else {}
    context = bar(request, question)
    context["controls"] = [control for control in context["controls"] if control.key != "scope"]
    context["controls"] += type_controls(request, report.type)
    context |= {
        "page_title": f"{report.row.name}, {LABELS[report.column].lower()}",
        "report": report,
        "type": report.type,
        "label": LABELS[report.column],
        "editor": editor,
        "action": href_with(reverse("forecast_adjust", args=[slug, report.row.person_id]), query),
        "in_place": False,
        "deals_href": at.deals(str(report.row.person_id), report.column),
        "grid_href": href_with(reverse("forecast", args=[slug]), request.GET, column=None, scope=None),
        "column_choices": [
            Choice(name, href_with(path, request.GET, column=column), column == report.column)
            for view in VIEWS.values()
            for column, name in view
            if column.endswith("_cumulative") or view is VIEWS["cumulative"]
        ],
        "rows": [(row, at.deal(row.opportunity_id)) for row in report.deals],
        "past": at.past,
        "judged": judge_rows(report, at=at, typed=judging),
        "judging": judging,
        "judge_action": href_with(reverse("forecast_judge", args=[slug, report.row.person_id]), query)
        if judging or (editor and not editor.is_own)
        else "",
    }
    return render(request, "forecasting/grid/cell.html", context, status=status)


def judge_rows(report: CellReport, *, at: Any, typed: JudgeForm | None) -> list[tuple[Any, str, JudgeForm]]:
    """Each deal with its address and its form; the one that was just typed holds what was typed."""
    rows = [(row, at.deal(row.part.opportunity_id), JudgeForm.of(row)) for row in report.judged]
    return [(row, href, typed if typed and typed.deal == form.deal else form) for row, href, form in rows]
