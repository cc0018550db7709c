"""Imports: upload, mapping with preview, check, import, refused rows. Whoever sees them may not bring files in."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_POST, require_safe

from otc.fields.importing import field_columns
from otc.identity.tabs import settings_tabs
from otc.imports.content import largest_file_bytes
from otc.imports.models import ImportRow, ImportRun, ImportState
from otc.imports.reader import ImportFileError, open_csv
from otc.imports.refused import refused_file
from otc.imports.runs import (
    FILES_KEPT,
    ROWS_KEPT,
    NotNow,
    run_again,
    run_cancel,
    run_forget,
    run_map,
    run_start,
)
from otc.imports.uploads import stored_path, upload_refusal
from otc.tenancy.middleware import tenant_of
from otc.ui.csv import csv_response
from otc.ui.pages import page
from pipeline.imports.drawing import RUNS_A_PAGE, run_context, runs_page
from pipeline.imports.guessing import columns_by_name, fields_found
from pipeline.imports.mapping_form import document_from
from pipeline.imports.registry import KINDS, PRESETS
from pipeline.imports.uploading import upload_file

MOST_FILES = 10


@require_safe
@page("view_imports")
def imports(request: HttpRequest, slug: str) -> HttpResponse:
    """Every import with who, when and how it went, and the way to bring in another."""
    runs = runs_page(before=request.GET.get("before", ""))
    context = {
        "page_title": "Imports",
        "tabs": settings_tabs(request, "imports"),
        "may_import": tenant_of(request).may("import_data"),
        "runs": runs[:RUNS_A_PAGE],
        "next_before": runs[RUNS_A_PAGE - 1].started_at.isoformat() if len(runs) > RUNS_A_PAGE else "",
        "systems": sorted({preset.system for preset in PRESETS}),
        "max_bytes": str(largest_file_bytes()),
        "days_files": FILES_KEPT.days,
        "days_rows": ROWS_KEPT.days,
    }
    return render(request, "pipeline/imports/imports.html", context)


@require_POST
@page("import_data")
def import_upload(request: HttpRequest, slug: str) -> HttpResponse:
    """Take files in. One leads on to its mapping, several to the list."""
    uploads = request.FILES.getlist("files")[:MOST_FILES]
    problems = [refusal] if (refusal := upload_refusal(request)) else []
    if not uploads and not problems:
        problems.append("Choose a CSV file first")
    runs: list[ImportRun] = []
    for upload in uploads:
        try:
            runs.append(upload_file(upload))
        except ImportFileError as error:
            problems.append(str(error))
    for problem in problems:
        messages.error(request, problem)
    if len(runs) == 1 and not problems:
        return redirect("import_one", slug=slug, run_id=runs[0].id)
    return redirect("imports", slug=slug)


def _run(run_id: UUID) -> ImportRun:
    run: ImportRun | None = ImportRun.objects.select_related("person").filter(id=run_id).first()
    if run is None:
        raise Http404
    return run


@require_safe
@page("view_imports")
def import_one(request: HttpRequest, slug: str, run_id: UUID) -> HttpResponse:
    """One file: its mapping, how far it is, or what came of it."""
    return _draw(request, _run(run_id))


def _draw(request: HttpRequest, run: ImportRun) -> HttpResponse:
    tenant = tenant_of(request)
    context: dict[str, Any] = {
        "page_title": "Import",
        "tabs": settings_tabs(request, "imports"),
        "may_import": tenant.may("import_data"),
        **run_context(run, organization=tenant.organization, may_import=tenant.may("import_data")),
    }
    response = render(request, "pipeline/imports/import_one.html", context)
    # Going back must not show a state that is over.
    patch_cache_control(response, no_store=True)
    return response


@require_POST
@page("import_data")
def import_map(request: HttpRequest, slug: str, run_id: UUID) -> HttpResponse:
    """Keep the form's answers, and check the file when asked to."""
    run = _run(run_id)
    try:
        if (kind := request.POST.get("kind", run.kind)) != run.kind:
            _become(run, kind)
        elif run.kind:
            _answer(run, request)
        if request.POST.get("action") == "check":
            run_start(run_id, is_dry_run=True, now=tenant_of(request).now)
    except (NotNow, ImportFileError) as refusal:
        messages.error(request, str(refusal))
    if getattr(request, "htmx", False):
        return _draw(request, _run(run_id))
    return redirect("import_one", slug=slug, run_id=run_id)


def _become(run: ImportRun, kind: str) -> None:
    """The file is of another kind than it seemed: it begins with that kind's preset, or with the columns' names."""
    if kind not in KINDS:
        raise NotNow("There is no such kind of file")
    header = _header(run)
    preset = next((found for found in PRESETS if found.kind == kind and found.fits(header)), None)
    mapping = preset.mapping(header) if preset else {"columns": columns_by_name(header, kind=kind)}
    mapping = fields_found(mapping, header, kind=kind)
    run_map(run.id, kind=kind, mapping=mapping, creates_missing=False, system=preset.label if preset else "")


def _answer(run: ImportRun, request: HttpRequest) -> None:
    """What the form says, over the mapping that it was drawn from."""
    if "mapping" not in request.POST:
        return
    kind = KINDS[run.kind]
    fields = field_columns(kind.name)
    document = document_from(request.POST, kind=kind, fields=fields, header=_header(run), base=run.mapping)
    run_map(
        run.id, kind=run.kind, mapping=document, creates_missing=bool(request.POST.get("creates_missing"))
    )


def _header(run: ImportRun) -> tuple[str, ...]:
    if not run.stored_as:
        raise NotNow("The file was deleted; upload it again")
    path = stored_path(run.organization_id, run.stored_as)
    encoding, delimiter = run.mapping.get("encoding"), run.mapping.get("delimiter")
    with open_csv(path, encoding=encoding, delimiter=delimiter, name=run.file_name) as source:
        return source.header


@require_POST
@page("import_data")
def import_apply(request: HttpRequest, slug: str, run_id: UUID) -> HttpResponse:
    """Bring the file in as it was checked."""
    run = _run(run_id)
    try:
        if run.state != ImportState.CHECKED:
            raise NotNow("Check the file first")
        run_start(run_id, is_dry_run=False, now=tenant_of(request).now)
    except NotNow as refusal:
        messages.error(request, str(refusal))
    return redirect("import_one", slug=slug, run_id=run_id)


@require_POST
@page("import_data")
def import_cancel(request: HttpRequest, slug: str, run_id: UUID) -> HttpResponse:
    """Stop it: a file comes in whole or not at all."""
    _run(run_id)
    try:
        run_cancel(run_id)
    except NotNow as refusal:
        messages.error(request, str(refusal))
    return redirect("import_one", slug=slug, run_id=run_id)


@require_POST
@page("import_data")
def import_again(request: HttpRequest, slug: str, run_id: UUID) -> HttpResponse:
    """The same file once more, by the same mapping or as another kind."""
    _run(run_id)
    kind = request.POST.get("kind") or None
    try:
        run = run_again(run_id, kind="" if kind else None)
        if kind:
            _become(run, kind)
    except (NotNow, ImportFileError) as refusal:
        messages.error(request, str(refusal))
        return redirect("import_one", slug=slug, run_id=run_id)
    return redirect("import_one", slug=slug, run_id=run.id)


@require_POST
@page("import_data")
def import_forget(request: HttpRequest, slug: str, run_id: UUID) -> HttpResponse:
    """Delete the file and its refused rows now."""
    _run(run_id)
    try:
        run_forget(run_id)
        messages.success(request, "The file and its refused rows are deleted.")
    except NotNow as refusal:
        messages.error(request, str(refusal))
    return redirect("imports", slug=slug)


@require_safe
@page("view_imports")
def import_refused(request: HttpRequest, slug: str, run_id: UUID) -> HttpResponse:
    """The refused rows, to be mended and brought in again."""
    run = _run(run_id)
    if not ImportRow.objects.filter(run_id=run.id).exists():
        raise Http404
    head, rows = refused_file(run)
    return csv_response("refused-rows.csv", head, rows)
