"""What a new reporting line, or a leaving, would do to the forecast: shown before it is done."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from forecasting.preview.block import Fault, lines_read
from forecasting.preview.many import lines_set_undoably
from forecasting.preview.report import COLUMNS, preview_report
from otc.identity.people.forms import LineForm
from otc.identity.tabs import settings_tabs
from otc.question import Question, ask
from otc.tenancy.lines import people_by_id
from otc.tenancy.many_lines import LineWish, lines_set
from otc.tenancy.middleware import Tenant, tenant_of
from otc.tenancy.models import Person, Role
from otc.tenancy.services import CyclicLine, LastAdministrator, line_set, person_leave
from otc.ui.bar import answers_bad_questions, bar
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.process.columns import LABELS

SHOWN, SHOWN_FAULTS = 200, 20


@require_safe
@page("manage_people")
@answers_bad_questions
def line_preview(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """`?manager=<id or top>&since=`: whose amounts move, in the period asked for, before the line is changed."""
    tenant, person = tenant_of(request), person_or_404(person_id)
    form = LineForm(request.GET, person=person, today=tenant.today)
    problem = "" if form.is_valid() else first_error(form)
    if not problem and form.cleaned_data["since"] < tenant.today:
        problem = "The past stays as it was; choose today or a later day."
    context: dict[str, Any] = {"what": "line"}
    if problem:
        status = 422 if "manager" in request.GET else 200
        return shown(request, person, context | {"problem": problem}, status=status)
    since = starts(tenant, form)

    def change() -> None:
        # As if it were that day already: what is asked is what it does, not when.
        line_set(person, manager_id=form.manager_id, since=tenant.now)

    try:
        found = preview_of(request, change)
    except CyclicLine as refusal:
        return shown(request, person, context | {"problem": f"{refusal}."}, status=422)
    manager = people_by_id([form.manager_id])[form.manager_id].name if form.manager_id else "nobody, as a top"
    sent = {"manager": request.GET["manager"], "since": request.GET["since"]}
    more = {"said": f"{person.name} would report to {manager}", "since": since, "sent": sent}
    return shown(request, person, context | found | more)


@require_safe
@page("manage_people")
@answers_bad_questions
def leaving_preview(request: HttpRequest, slug: str, person_id: UUID) -> HttpResponse:
    """What happens to the forecast when the person's access ends: this period keeps them, a later one doesn't."""
    tenant, person = tenant_of(request), person_or_404(person_id)
    context: dict[str, Any] = {"what": "leaving"}
    if person.left_on is not None:
        return shown(request, person, context | {"problem": f"{person.name} has left already."}, status=422)
    try:
        found = preview_of(request, lambda: person_leave(person, now=tenant.now, today=tenant.today))
    except LastAdministrator as refusal:
        return shown(request, person, context | {"problem": f"{refusal}."}, status=422)
    return shown(request, person, context | found | {"said": f"{person.name} would leave"})


@require_http_methods(["GET", "HEAD", "POST"])
@page("manage_people")
@answers_bad_questions
def lines_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """Lines pasted or uploaded: read, and what they move shown, before `act=write` writes them, all or none."""
    tenant = tenant_of(request)
    upload = request.FILES.get("file")
    text = upload.read().decode("utf-8-sig", errors="replace") if upload else request.POST.get("block", "")
    more: dict[str, Any] = {
        "pasted": text,
        "page_title": "Many lines",
        "tabs": settings_tabs(request, "people"),
    }
    if request.method != "POST":
        return render(request, "forecasting/preview/lines.html", more | {"is_asked": False})
    block = lines_read(text, tenant=tenant)
    faults = block.faults or (
        [] if block.wishes else [Fault(0, "No line was pasted; write person, manager, from")]
    )
    found: dict[str, Any] = {}
    if not faults:
        try:
            if request.POST.get("act") == "write":
                return lines_written(request, block.wishes)
            refused_on_any_day(block.wishes)
            found = preview_of(request, lambda: lines_set(at_once(block.wishes, now=tenant.now)))
        except CyclicLine as refusal:
            faults = [Fault(0, f"{refusal}.")]
    more |= {"is_asked": True, "faults": faults[:SHOWN_FAULTS], "fault_count": len(faults)}
    more |= {"line_count": len(block.wishes)}
    status = 422 if faults else 200
    return render(request, "forecasting/preview/lines.html", more | found, status=status)


def refused_on_any_day(wishes: Sequence[LineWish]) -> None:
    """Raises CyclicLine where they can't be written on their days; writes nothing."""
    with transaction.atomic():
        lines_set(wishes)
        transaction.set_rollback(True)


def at_once(wishes: Sequence[LineWish], *, now: datetime) -> list[LineWish]:
    """The last line of each person as if it were that day already: what is asked is what it does, not when."""
    last = {one.person_id: one for one in sorted(wishes, key=lambda one: one.since)}
    return [replace(one, since=now) for one in last.values()]


def lines_written(request: HttpRequest, wishes: Sequence[LineWish]) -> HttpResponse:
    count, step = lines_set_undoably(wishes)
    slug = tenant_of(request).organization.slug
    said = (
        f"{count:,} reporting line{'' if count == 1 else 's'} changed"
        if count
        else "Every line was so already"
    )
    messages.success(request, said, extra_tags=undo_address(slug, step))
    return redirect("people", slug)


def preview_of(request: HttpRequest, change: Callable[[], object]) -> dict[str, Any]:
    """Template context of the preview, with the bar."""
    question: Question = ask(
        tenant_of(request), {"period": request.POST.get("period") or request.GET.get("period", "")}
    )
    preview = preview_report(question, change)
    context = bar(request, question)
    # Everybody’s forecast of now: only the period is a question here.
    context |= {"controls": context["controls"][1:], "as_of_control": None, "printable": False}
    return context | {
        "preview": preview,
        "rows": [(row, [row.change[column] for column in COLUMNS]) for row in preview.rows[:SHOWN]],
        "more_count": max(0, len(preview.rows) - SHOWN),
        "columns": [LABELS[column] for column in COLUMNS],
        "totals": [preview.total[column] for column in COLUMNS],
    }


def starts(tenant: Tenant, form: LineForm) -> datetime:
    day = form.cleaned_data["since"]
    return tenant.now if day == tenant.today else datetime.combine(day, time(), tzinfo=tenant.zone)


def first_error(form: LineForm) -> str:
    return str(next(iter(form.errors.values()))[0])


def person_or_404(person_id: UUID) -> Person:
    person = Person.objects.filter(id=person_id).exclude(role=Role.INTEGRATION).first()
    if person is None:
        raise Http404
    return person


def shown(
    request: HttpRequest, person: Person, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    more = {"page_title": person.name, "tabs": settings_tabs(request, "people"), "subject": person}
    return render(request, "forecasting/preview/person.html", context | more, status=status)
