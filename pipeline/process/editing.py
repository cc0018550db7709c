"""Settings: changing a process. Every edit is shown with what it would touch before it is made."""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from otc.identity.tabs import settings_tabs
from otc.money.queries import corporate_currency
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from otc.undo.views import undo_address
from pipeline.process.changing import process_add, process_change, process_checked, process_make_default
from pipeline.process.document import Document, Unfit, changes_between
from pipeline.process.forms import (
    NEW_STAGES,
    AidRows,
    MilestoneRows,
    StageForm,
    competitor_choices,
    outline_proposed,
    stage_initial,
    stage_proposed,
)
from pipeline.process.impact import process_impact
from pipeline.process.models import Category, Process, ProcessVersion
from pipeline.process.versions import base_number, document_of, versions_of


def process_or_404(process_id: UUID) -> Process:
    process: Process | None = Process.objects.filter(id=process_id).first()
    if process is None:
        raise Http404
    return process


@require_http_methods(["GET", "HEAD", "POST"])
@page("manage_process")
def process_edit(request: HttpRequest, slug: str, process_id: UUID) -> HttpResponse:
    """`/settings/process/<id>/`: its name, its stages and their order; POST shows what that would touch."""
    process = process_or_404(process_id)
    document = document_of(process)
    problem = None
    if request.method == "POST":
        proposed, moves = outline_proposed(document, request.POST.dict())
        try:
            return preview(request, process, document, proposed, moves)
        except Unfit as unfit:
            problem, document = unfit, {**proposed, "stages": document["stages"]}
    typed = request.POST if request.method == "POST" else {}
    context = {
        "page_title": process.name,
        "tabs": settings_tabs(request, "process"),
        "process": process,
        "document": document,
        "rows": [
            (number, stage, typed.get(f"name-{stage['id']}", stage["name"]))
            for number, stage in enumerate(document["stages"], start=1)
        ],
        "new_rows": [(number, typed.get(f"name-new{number}", "")) for number in range(1, NEW_STAGES + 1)],
        "problem": problem,
    }
    return render(request, "pipeline/process/process_edit.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page("manage_process")
def process_stage(request: HttpRequest, slug: str, process_id: UUID, stage_id: UUID) -> HttpResponse:
    """`/settings/process/<id>/stages/<id>/`: everything of one stage; POST shows what that would touch."""
    process = process_or_404(process_id)
    document = document_of(process)
    stage = next((one for one in document["stages"] if one["id"] == str(stage_id)), None)
    if stage is None:
        raise Http404
    data = request.POST if request.method == "POST" else None
    form = StageForm(data, initial=stage_initial(stage, currency=corporate_currency()))
    milestones = MilestoneRows(data, initial=stage["milestones"], prefix="milestone")
    aids = AidRows(
        data, initial=stage["aids"], prefix="aid", form_kwargs={"competitors": competitor_choices()}
    )
    problem = None
    if data is not None and form.is_valid() and milestones.is_valid() and aids.is_valid():
        new = stage_proposed(
            stage,
            cleaned=form.cleaned_data,
            milestones=[row.cleaned_data for row in milestones],
            aids=[row.cleaned_data for row in aids],
        )
        stages = [new if one is stage else one for one in document["stages"]]
        try:
            return preview(request, process, document, {**document, "stages": stages}, {})
        except Unfit as unfit:
            problem = unfit
    context = {
        "page_title": stage["name"],
        "tabs": settings_tabs(request, "process"),
        "process": process,
        "stage": stage,
        "form": form,
        "milestones": milestones,
        "aids": aids,
        "problem": problem,
    }
    return render(request, "pipeline/process/stage_edit.html", context, status=422 if form.is_bound else 200)


def preview(
    request: HttpRequest,
    process: Process,
    before: Document,
    proposed: Any,
    moves: dict[str, str],
    *,
    base: int | None = None,
    error: str = "",
) -> HttpResponse:
    """What would be different and whom it would touch, and the button that does it. Raises Unfit."""
    after = process_checked(proposed)
    context = {
        "page_title": f"Change {process.name}",
        "tabs": settings_tabs(request, "process"),
        "process": process,
        "changes": changes_between(before, after),
        "impact": process_impact(process.id, before=before, after=after, moves=moves),
        "document": json.dumps(after, ensure_ascii=False),
        "moves": moves.items(),
        "base": base_number(process) if base is None else base,
        "error": error,
    }
    return render(request, "pipeline/process/preview.html", context, status=422 if error else 200)


@require_POST
@page("manage_process")
def process_apply(request: HttpRequest, slug: str, process_id: UUID) -> HttpResponse:
    """Make the change that was shown: `document`, `base`, and `to-<stage>` for each removed one."""
    process_or_404(process_id)
    try:
        document, base = json.loads(request.POST.get("document", "")), int(request.POST.get("base", "")[:9])
    except ValueError:
        messages.error(request, "That change wasn’t readable any more; make it again")
        return redirect("process_edit", slug=slug, process_id=process_id)
    moves = {name[3:]: value for name, value in request.POST.dict().items() if name.startswith("to-")}
    try:
        version, step = process_change(
            process_id, document=document, base=base, moves=moves, now=tenant_of(request).now
        )
    except Unfit as unfit:
        messages.error(request, unfit.reason)
        return redirect("process_edit", slug=slug, process_id=process_id)
    said = f"{version.document['name']} changed: {len(version.changes)} " + (
        "change" if len(version.changes) == 1 else "changes"
    )
    messages.success(request, said, extra_tags=undo_address(slug, step))
    return redirect("process", slug=slug)


@require_POST
@page("manage_process")
def process_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a process by `name`, `like` another one."""
    try:
        like = UUID(request.POST["like"]) if request.POST.get("like") else None
        added = process_add(name=request.POST.get("name", ""), like=like, now=tenant_of(request).now)
    except (Unfit, ValueError) as problem:
        messages.error(request, getattr(problem, "reason", "Choose a process of the list to copy"))
        return redirect("process", slug=slug)
    messages.success(request, f"{added.name} added")
    return redirect("process_edit", slug=slug, process_id=added.id)


@require_POST
@page("manage_process")
def process_default(request: HttpRequest, slug: str, process_id: UUID) -> HttpResponse:
    """New deals begin in this process from now on."""
    process = process_make_default(process_or_404(process_id).id)
    messages.success(request, f"New deals begin in {process.name}")
    return redirect("process", slug=slug)


@require_safe
@page("view_settings")
def process_versions(request: HttpRequest, slug: str, process_id: UUID) -> HttpResponse:
    """`/settings/process/<id>/versions/`: who changed what, when."""
    process = process_or_404(process_id)
    context = {
        "page_title": f"Versions of {process.name}",
        "tabs": settings_tabs(request, "process"),
        "process": process,
        "versions": versions_of(process.id),
    }
    return render(request, "pipeline/process/versions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page("view_settings")
def process_version(
    request: HttpRequest, slug: str, process_id: UUID, process_version_id: UUID
) -> HttpResponse:
    """`/settings/process/<id>/versions/<id>/`: the process as it stood; POST shows what changing back would touch."""
    process = process_or_404(process_id)
    version = (
        ProcessVersion.objects.filter(process=process, id=process_version_id).select_related("person").first()
    )
    if version is None:
        raise Http404
    can_manage = tenant_of(request).may("manage_process")
    before = document_of(process)
    problem = ""
    if request.method == "POST" and can_manage:
        try:
            return preview(request, process, before, version.document, back_moves(before, version.document))
        except Unfit as unfit:
            problem = unfit.reason
    labels = dict(Category.choices)
    context = {
        "page_title": f"{process.name}, version {version.number}",
        "tabs": settings_tabs(request, "process"),
        "process": process,
        "version": version,
        "stages": [
            (number, stage, labels.get(stage["category"], "No category"))
            for number, stage in enumerate(version.document["stages"], start=1)
        ],
        "is_present": version.document == before,
        "can_manage": can_manage,
        "problem": problem,
        "currency": corporate_currency(),
    }
    status = 422 if problem else 200
    return render(request, "pipeline/process/version.html", context, status=status)


def back_moves(before: Document, after: Document) -> dict[str, str]:
    """Changing back takes away stages that came since: their deals go to the stage that stood before them."""
    kept = {stage["id"] for stage in after["stages"]}
    moves, target = {}, next((stage["id"] for stage in after["stages"]), "")
    for stage in before["stages"]:
        if stage["id"] in kept:
            target = stage["id"]
        else:
            moves[stage["id"]] = target
    return moves
