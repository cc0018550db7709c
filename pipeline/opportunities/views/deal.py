"""The page of one deal, now or as of a past instant, and what is posted from it."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from otc.question import Question, ask, since_instant
from otc.tenancy.middleware import tenant_of
from otc.ui.bar import answers_bad_questions
from otc.ui.controls import Choice, as_of_control, href_with
from otc.ui.pages import page
from pipeline.activities.services import activity_forget, activity_log
from pipeline.buying.forms import BuyingRoleForm
from pipeline.duplicates.report import duplicates_of
from pipeline.opportunities.deal import DealReport, deal_report
from pipeline.opportunities.forms import ActivityForm
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.panels import panels_of
from pipeline.opportunities.queries import visible_opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.timeline import MORE_ENTRIES, MOST_ENTRIES, SHOWN_ENTRIES
from pipeline.opportunities.undo import opportunity_undo_in_sight
from pipeline.opportunities.views.answers import back, deal_or_404, deal_url, tenant_after_write


@page("view_deals")
@answers_bad_questions
def deal(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """`/deals/<id>/`, with `as_of=`, `timeline=` (a key of TABS) and `show=` so many entries."""
    tenant = tenant_of(request)
    question = ask(tenant, request.GET)
    report = report_of(request, question, deal_id)
    if report is None:
        return not_there_yet(request, question, deal_id)
    return render(request, "pipeline/opportunities/deal.html", context_of(request, question, report))


def report_of(request: HttpRequest, question: Question, deal_id: UUID) -> DealReport | None:
    _, since = since_instant(question, "", last_visit=None)
    asked = request.GET.get("show", "")
    shown = min(int(asked), MOST_ENTRIES) if asked.isascii() and asked.isdigit() else SHOWN_ENTRIES
    return deal_report(question, deal_id, since=since, tab=request.GET.get("timeline", "all"), shown=shown)


def deal_main(request: HttpRequest, deal_id: UUID, *, edited: str, beside: str) -> HttpResponse:
    """The page's main part again after `edited` was edited in place, for htmx, with a toast beside it."""
    question = ask(tenant_after_write(request), {})
    report = report_of(request, question, deal_id)
    if report is None:
        raise Http404
    context = context_of(request, question, report, path=deal_url(request, deal_id)) | {"edited": edited}
    response = render(request, "pipeline/opportunities/deal.html", context)
    response.content += beside.encode()
    response["HX-Retarget"] = response["HX-Reselect"] = "#main"
    response["HX-Reswap"] = "outerHTML"
    return response


def context_of(
    request: HttpRequest, question: Question, report: DealReport, *, path: str = ""
) -> dict[str, Any]:
    path = path or request.path
    query = request.GET if path == request.path else {}
    can_edit = not question.is_past and tenant_of(request).may("edit_deal")
    return {
        "page_title": report.state.name,
        "report": report,
        "deal": report.deal,
        "state": report.state,
        "question": question,
        "can_edit": can_edit,
        "may_comment": not question.is_past
        and tenant_of(request).may_on("comment_deal", report.deal.owner_id),
        "home": path,
        "edits_forecast": can_edit and report.is_open,
        "as_of_control": control(question, path=path, query=query),
        "timeline_tabs": [
            (
                Choice(label, href_with(path, query, timeline=key, show=None), key == report.timeline.tab),
                count,
            )
            for key, label, count in report.timeline.counts
        ],
        "more_href": href_with(path, query, show=str(len(report.timeline.entries) + MORE_ENTRIES)),
        "more_count": min(MORE_ENTRIES, report.timeline.more),
        "activity_form": ActivityForm(contacts=report.team.contacts, today=question.day),
        "panels": panels_of(tenant_of(request), report.state),
        "deal_team": report.deal_team,
        "splits": report.splits,
        "can_edit_team": can_edit and tenant_of(request).may_on("edit_team", report.deal.owner_id),
        "can_split": can_edit and tenant_of(request).may_on("edit_splits", report.deal.owner_id),
        "team": report.team,
        "team_forms": [
            (member, BuyingRoleForm(instance=member.role) if can_edit else None)
            for member in report.team.members
        ],
        "team_form": BuyingRoleForm(contacts=report.team.contacts, auto_id="buying-new-%s"),
        "doubles": duplicates_of("opportunity", report.deal.id, visible=question.visible)
        if report.is_open and not question.is_past and tenant_of(request).may("merge_duplicates")
        else [],
        "close_day": report.state.close_date,
        "shown_day": question.day,
        "zone": question.zone,
    }


def control(question: Question, *, path: str, query: Any) -> Any:
    return as_of_control(
        path=path,
        query=query,
        shown=question.as_of.astimezone(question.zone),
        is_past=question.is_past,
        now=question.now.astimezone(question.zone),
    )


def not_there_yet(request: HttpRequest, question: Question, deal_id: UUID) -> HttpResponse:
    """Before its first day a deal that one may see says when it began; any other is not found."""
    found = visible_opportunity(deal_id, visible=question.visible)
    if found is None or not question.is_past:
        raise Http404
    context = {
        "page_title": found.name,
        "deal": found,
        "as_of_control": control(question, path=request.path, query=request.GET),
        "can_edit": False,
    }
    return render(request, "pipeline/opportunities/deal_not_yet.html", context)


@require_POST
@page("edit_deal")
def deal_undo(request: HttpRequest, slug: str, deal_id: UUID, version_id: UUID) -> HttpResponse:
    """Go back to the version before the last change, a deletion included."""
    try:
        written = opportunity_undo_in_sight(
            deal_id, to_version=version_id, visible=tenant_of(request).visible
        )
    except Opportunity.DoesNotExist:
        raise Http404 from None
    except Refused as refusal:
        return back(request, deal_url(request, deal_id), failed=refusal.reason)
    return back(request, deal_url(request, deal_id), said=f"{written.opportunity.name} is as it was before")


@require_POST
@page("log_activity")
def deal_activity(request: HttpRequest, slug: str, deal_id: UUID) -> HttpResponse:
    """Log a contact or note; the deal's page again with what was typed where it is refused."""
    tenant = tenant_of(request)
    found = deal_or_404(request, deal_id)
    question = ask(tenant, {})
    report = report_of(request, question, deal_id)
    assert report is not None
    form = ActivityForm(request.POST, contacts=report.team.contacts, today=tenant.today)
    if form.is_valid():
        try:
            logged = activity_log(found.id, now=tenant.now, **form.fields_at(tenant.now, tenant.zone))
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.reason)
        else:
            undo = f"{request.path}{logged.id}/forget/"
            return back(request, deal_url(request, deal_id), said=f"Logged on {found.name}", undo=undo)
    context = context_of(request, question, report, path=deal_url(request, deal_id)) | {"activity_form": form}
    return render(request, "pipeline/opportunities/deal.html", context, status=422)


@require_POST
@page("log_activity")
def deal_activity_forget(request: HttpRequest, slug: str, deal_id: UUID, activity_id: UUID) -> HttpResponse:
    """Take back a logged activity."""
    deal_or_404(request, deal_id)
    activity_forget(activity_id, opportunity_id=deal_id)
    return back(request, deal_url(request, deal_id), said="Taken back")
