"""An account's plan: written whole on one page, touches ticked off where they stand."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from otc.fields.queries import people_choices
from otc.tenancy.middleware import Tenant, tenant_of
from otc.ui.dates import DayNotUnderstood, parse_day
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.rules import Invalid
from pipeline.opportunities.views.answers import back
from pipeline.plans.models import PlannedTouch
from pipeline.plans.report import plan_report
from pipeline.plans.services import MOST_TOUCHES, Plan, Touch, account_plan_set, touch_done

SPARE = 5
MOST_OFFERED = 100
ROW = ("touch", "text", "on", "owner")


class NotADay(ValueError):
    """What stands for a day in a line of touches, by its number from 0, is none."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


@require_http_methods(["GET", "HEAD", "POST"])
@page("edit_account")
def account_plan(request: HttpRequest, slug: str, account_id: UUID) -> HttpResponse:
    """`/accounts/<id>/plan/`."""
    account = Account.objects.filter(id=account_id).first()
    if account is None:
        raise Http404
    home, error, line = reverse("account", args=[slug, account_id]), "", None
    if request.method == "POST":
        try:
            with transaction.atomic():
                step_id = account_plan_set(account_id, plan_of(request), now=timezone.now())
        except NotADay as refusal:
            error, line = f"Touch {refusal.line + 1} needs its day", refusal
        except Invalid as refusal:
            error = refusal.reason
        else:
            messages.success(request, "Plan saved", extra_tags=undo_address(slug, step_id))
            return redirect(home)
    me = str(tenant_of(request).person.id)
    context = {
        "page_title": f"Plan of {account.name}",
        "account": account,
        "home": home,
        "error": error,
        "owners": [(str(key), name) for key, name in people_choices()],
        **(typed(request, wrong=line) if error else stored(account_id, default_owner=me)),
    }
    return render(request, "pipeline/plans/plan.html", context, status=422 if error else 200)


def stored(account_id: UUID, *, default_owner: str) -> dict[str, Any]:
    """What the form shows of the plan as it stands."""
    report = plan_report(account_id)
    chosen = {one.contact_id: one.why for one in report.people}
    rows = [
        {
            "touch": str(one.id),
            "text": one.text,
            "on": f"{one.on:%-d %b %Y}",
            "owner": str(one.owner_id or ""),
            "done": "yes" if one.done_at else "no",
        }
        for one in report.touches
    ]
    spare = [{"touch": "", "text": "", "on": "", "owner": default_owner, "done": "no"}] * SPARE
    contacts = [
        {
            "id": str(one.id),
            "name": one.name,
            "title": one.title,
            "is_chosen": one.id in chosen,
            "why": chosen.get(one.id, ""),
        }
        for one in Contact.objects.filter(account_id=account_id).order_by("name_folded", "id")[:MOST_OFFERED]
    ]
    return {"goals": report.goals, "rows": [*rows, *spare], "contacts": contacts}


def typed(request: HttpRequest, *, wrong: NotADay | None) -> dict[str, Any]:
    """The same as it was typed, with what is wrong beside its line."""
    chosen = set(request.POST.getlist("person"))
    columns = [request.POST.getlist(name) for name in ("contact", "contact_name", "contact_title", "why")]
    contacts = [
        {"id": key, "name": name, "title": title, "is_chosen": key in chosen, "why": why}
        for key, name, title, why in zip(*columns, strict=False)
    ]
    rows = list(touch_rows(request))
    if wrong is not None:
        rows[wrong.line]["error"] = wrong.reason
    return {"goals": request.POST.get("goals", ""), "rows": rows, "contacts": contacts}


def touch_rows(request: HttpRequest) -> Iterator[dict[str, str]]:
    """The lines of touches; `done` names those that are ticked, by their number from 0."""
    columns = [request.POST.getlist(name)[:MOST_TOUCHES] for name in ROW]
    done = set(request.POST.getlist("done"))
    for number, values in enumerate(zip(*columns, strict=False)):
        yield dict(zip(ROW, values, strict=True)) | {"done": "yes" if str(number) in done else "no"}


def plan_of(request: HttpRequest) -> Plan:
    """What was typed. Raises Invalid and NotADay."""
    tenant = tenant_of(request)
    whys = dict(zip(request.POST.getlist("contact"), request.POST.getlist("why"), strict=False))
    touches = [
        Touch(
            text=row["text"],
            on=_day(number, row["on"], tenant),
            id=_id(row["touch"]),
            owner_id=_id(row["owner"]),
            is_done=row["done"] == "yes",
        )
        for number, row in enumerate(touch_rows(request))
        if row["text"].strip()
    ]
    people = [(found, whys.get(one, "")) for one in request.POST.getlist("person") if (found := _id(one))]
    return Plan(goals=request.POST.get("goals", ""), people=people, touches=touches)


def _day(line: int, text: str, tenant: Tenant) -> date:
    try:
        return parse_day(text, today=tenant.today, calendar=tenant.calendar)
    except DayNotUnderstood as problem:
        raise NotADay(line, str(problem)) from problem


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Invalid("plan", "Load the page again") from None


@require_POST
@page("edit_account")
def touch_tick(request: HttpRequest, slug: str, touch_id: UUID) -> HttpResponse:
    """A touch was made."""
    touch = PlannedTouch.objects.filter(id=touch_id).first()
    if touch is None:
        raise Http404
    step_id = touch_done(touch_id, now=timezone.now())
    home = reverse("account", args=[slug, touch.account_id])
    return back(request, home, said=f"Done: {touch.text}", undo=undo_address(slug, step_id))
