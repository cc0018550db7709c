"""Judging a deal on its cell's page. Whatever is refused comes back as it was typed, with why."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from forecasting.adjustments.rules import Cell
from forecasting.grid.addresses import addresses
from forecasting.grid.cell_report import adjustable, cell_report
from forecasting.grid.cell_views import (
    CONFLICT,
    REFUSED,
    cell_page,
    column_of,
    opened,
    question_of,
    read_step,
)
from forecasting.grid.judge_forms import JudgeForm
from forecasting.judgements.services import (
    JudgementMade,
    SomebodyJudged,
    judgement_set,
    judgement_withdraw,
)
from otc.question import Question
from otc.tenancy.middleware import Tenant, tenant_of
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from otc.ui.bar import answers_bad_questions
from otc.ui.dates import DayNotUnderstood, parse_day
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.opportunities.rules import Refused


@require_POST
@page("adjust_forecast")
@answers_bad_questions
def forecast_judge(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """`deal`, `verdict` (in, out, amount, date, withdrawn), `value` (an amount or a day), `reason` and `expected`, the
    step that was read.
    """
    tenant, question = tenant_of(request), question_of(request, person_id)
    column = column_of(request, question)
    typed = JudgeForm.typed(request.POST)
    try:
        done = _judged(typed, tenant, Cell(question.period, person_id, column))
    except SomebodyJudged as faster:
        return _refused(request, question, typed.after(faster), column=column, status=CONFLICT)
    except (AmountNotUnderstood, DayNotUnderstood, Refused) as refusal:
        return _refused(request, question, typed.with_error(str(refusal)), column=column, status=REFUSED)
    said = f"{done.step.opportunity.name}: {done.step.get_verdict_display().lower()}"
    messages.success(request, said, extra_tags=undo_address(tenant.organization.slug, done.undo_id))
    return redirect(addresses(question, request.GET).cell(person_id, column))


def _refused(
    request: HttpRequest, question: Question, typed: JudgeForm, *, column: str, status: int
) -> HttpResponse:
    """The cell's page with what was typed, also where nothing can be judged any more."""
    tenant, person_id = tenant_of(request), UUID(question.scope)
    report = cell_report(question, column=column)
    if report is None:
        raise Http404
    editor = None
    if person_id in adjustable(tenant, question, column=column, people=[person_id]):
        editor = opened(tenant, question, person_id, column=column)
    return cell_page(request, question, report, editor, status=status, judging=typed)


def _judged(typed: JudgeForm, tenant: Tenant, cell: Cell) -> JudgementMade:
    deal_id, expected = read_step(typed.deal), read_step(typed.expected)
    if deal_id is None:
        raise Refused("opportunity_id", "The form is not the one of this page; open it again")
    said: dict[str, Any] = {"author": tenant.person, "cell": cell, "opportunity_id": deal_id}
    verdict, value = typed.verdict, typed.value
    if verdict == "withdrawn":
        if expected is None:
            raise Refused("expected_step_id", "There is no judgement to withdraw here")
        return judgement_withdraw(
            tenant.organization, expected_step_id=expected, now=tenant.now, today=tenant.today, **said
        )
    currency = tenant.organization.currency
    return judgement_set(
        tenant.organization,
        verdict=verdict,
        reason=typed.reason,
        expected_step_id=expected,
        now=tenant.now,
        today=tenant.today,
        amount_minor=parse_amount(value, currency=currency) if verdict == "amount" else None,
        close_date=parse_day(value, today=tenant.today, calendar=tenant.calendar)
        if verdict == "date"
        else None,
        **said,
    )
