"""The settings of custom fields: an object's fields in their order, one field, and attributes to adopt."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from otc.fields.models import CustomField, FieldKind, FieldObject
from otc.fields.rules import MAX_FIELDS, NotAccepted
from otc.fields.services import field_create, field_edit, field_move, field_retire, field_undo
from otc.identity.tabs import settings_tabs
from otc.tenancy.middleware import tenant_of
from otc.ui.controls import Choice
from otc.ui.pages import page
from pipeline.fields.conversion import (
    FORMATS,
    attribute_adopt,
    dry_run,
    field_convert,
    file_reading,
    target_of,
    try_kind,
    untyped_attributes,
)
from pipeline.fields.definition_forms import FieldForm, NewFieldForm
from pipeline.fields.report import fields_report

DATE_FORMATS = list(
    zip(FORMATS, ("2026-03-31", "03/31/2026", "31/03/2026", "31.03.2026", "03/31/26"), strict=True)
)
PLURALS = {"deal": "deals", "account": "accounts", "contact": "contacts"}


def object_of(request: HttpRequest) -> str:
    asked = request.POST.get("object") or request.GET.get("object", "deal")
    return asked if asked in FieldObject.values else "deal"


def fields_url(slug: str, object: str) -> str:
    return f"{reverse('fields', args=[slug])}?object={object}"


@page("manage_fields")
def fields(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/fields/?object=deal`: the fields; POST makes one."""
    chosen = object_of(request)
    form = NewFieldForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            row = field_create(object=chosen, **form.definition())
        except NotAccepted as problem:
            form.add_error(problem.key if problem.key in form.fields else None, problem.reason)
        else:
            messages.success(request, f"{row.label} is a field of {PLURALS[chosen]} now")
            return redirect("field", slug=slug, field_id=row.id)
    context = {
        "page_title": "Fields",
        "tabs": settings_tabs(request, "fields"),
        "object": chosen,
        "noun": PLURALS[chosen],
        "objects": [
            Choice(PLURALS[key].capitalize(), fields_url(slug, key), key == chosen)
            for key in FieldObject.values
        ],
        "report": fields_report(chosen),
        "untyped": untyped_attributes(chosen),
        "form": form,
        "most": MAX_FIELDS,
    }
    return render(request, "pipeline/fields/fields.html", context, status=422 if form.errors else 200)


def row_or_404(field_id: UUID) -> CustomField:
    row: CustomField | None = CustomField.objects.filter(id=field_id).first()
    if row is None:
        raise Http404
    return row


@page("manage_fields")
def field(request: HttpRequest, slug: str, field_id: UUID) -> HttpResponse:
    """`/settings/fields/<id>/`: one definition; POST changes it."""
    row = row_or_404(field_id)
    form = FieldForm(request.POST if request.method == "POST" else None, row=row)
    if request.method == "POST" and form.is_valid():
        try:
            field_edit(field_id, changes=form.changes())
        except NotAccepted as problem:
            form.add_error(problem.key if problem.key in form.fields else None, problem.reason)
        else:
            return done(request, slug, row, f"{form.cleaned_data['label']} is saved")
    context = field_context(request, slug, row) | {"form": form}
    return render(request, "pipeline/fields/field.html", context, status=422 if form.errors else 200)


def field_context(request: HttpRequest, slug: str, row: CustomField) -> dict[str, Any]:
    definition = row.definition
    return {
        "page_title": row.label,
        "tabs": settings_tabs(request, "fields"),
        "row": row,
        "definition": definition,
        "retired_options": [option for option in definition.options if option.is_retired],
        "noun": PLURALS[row.object],
        "home": fields_url(slug, row.object),
        "kinds": [(key, label) for key, label in FieldKind.choices if key != row.kind],
        "formats": DATE_FORMATS,
    }


def done(request: HttpRequest, slug: str, row: CustomField, said: str) -> HttpResponse:
    """Back to the object's fields, with a way back."""
    messages.success(request, said, extra_tags=reverse("field_undo", args=[slug, row.id]))
    return redirect(fields_url(slug, row.object))


@page("manage_fields")
def field_kind(request: HttpRequest, slug: str, field_id: UUID) -> HttpResponse:
    """`/settings/fields/<id>/kind/?kind=`: GET tries the conversion and shows what it would do, POST does it."""
    row, asked = row_or_404(field_id), request.POST if request.method == "POST" else request.GET
    wanted = {
        "kind": asked.get("kind", ""),
        "currency": asked.get("currency", "").strip().upper()[:3],
        "date_format": asked.get("date_format", "") if asked.get("date_format", "") in FORMATS else "",
    }
    today = tenant_of(request).today
    try:
        if wanted["kind"] not in FieldKind.values:
            raise NotAccepted("kind", "Choose a kind")
        if request.method == "POST":
            field_convert(row, today=today, takes_away="takes_away" in request.POST, **wanted)
            messages.success(request, f"{row.label} is a {wanted['kind']} now")
            return redirect("field", slug=slug, field_id=field_id)
        tried = try_kind(row, today=today, **wanted)
    except NotAccepted as problem:
        messages.error(request, problem.reason)
        return redirect("field", slug=slug, field_id=field_id)
    context = field_context(request, slug, row) | {"tried": tried, "wanted": wanted, "label": row.label}
    return render(request, "pipeline/fields/conversion.html", context)


@page("manage_fields")
def attribute_field(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/fields/adopt/?attribute=&kind=`: GET shows what an untyped attribute would become, POST does it."""
    asked, chosen = request.POST if request.method == "POST" else request.GET, object_of(request)
    attribute = asked.get("attribute", "")
    found = next((one for one in untyped_attributes(chosen) if one.name == attribute), None)
    if found is None:
        messages.error(request, "No record holds such an attribute, or it is a field already")
        return redirect(fields_url(slug, chosen))
    kind = asked.get("kind", "") if asked.get("kind", "") in FieldKind.values else found.guess.kind
    label = asked.get("label", "") or attribute[:80]
    formats = asked.get("date_format", "") if asked.get("date_format", "") in FORMATS else ""
    currency, today = asked.get("currency", "").strip().upper()[:3], tenant_of(request).today
    try:
        if request.method == "POST":
            row, _ = attribute_adopt(
                *(chosen, attribute),
                label=label,
                kind=kind,
                today=today,
                takes_away="takes_away" in request.POST,
                currency=currency,
                date_format=formats,
            )
            messages.success(request, f"{row.label} is a field of {PLURALS[chosen]} now")
            return redirect("field", slug=slug, field_id=row.id)
        target = target_of(chosen, attribute, label=label, kind=kind, currency=currency)
        tried = dry_run(None, target, reading=file_reading(today=today, date_format=formats))
    except NotAccepted as problem:
        messages.error(request, problem.reason)
        return redirect(fields_url(slug, chosen))
    context = {
        "page_title": f"Adopt {attribute[:80]}",
        "tabs": settings_tabs(request, "fields"),
        "home": fields_url(slug, chosen),
        "noun": PLURALS[chosen],
        "object": chosen,
        "attribute": attribute,
        "label": label,
        "tried": tried,
        "kinds": FieldKind.choices,
        "formats": DATE_FORMATS,
        "wanted": {"kind": kind, "currency": currency, "date_format": formats},
    }
    return render(request, "pipeline/fields/conversion.html", context)


@require_POST
@page("manage_fields")
def field_set_aside(request: HttpRequest, slug: str, field_id: UUID) -> HttpResponse:
    """POST `is_active`: retire a field or bring it back."""
    row = row_or_404(field_id)
    is_active = request.POST.get("is_active") == "yes"
    try:
        field_retire(field_id, is_active=is_active)
    except NotAccepted as refusal:
        messages.error(request, refusal.reason)
        return redirect(fields_url(slug, row.object))
    return done(request, slug, row, f"{row.label} is {'back' if is_active else 'retired; its values stay'}")


@require_POST
@page("manage_fields")
def field_back(request: HttpRequest, slug: str, field_id: UUID) -> HttpResponse:
    """Undo the last change of a definition."""
    row = row_or_404(field_id)
    try:
        field_undo(field_id)
    except NotAccepted as problem:
        messages.error(request, problem.reason)
    else:
        messages.success(request, f"{row.label} is as it was before")
    return redirect(fields_url(slug, row.object))


@require_POST
@page("manage_fields")
def field_place(request: HttpRequest, slug: str, field_id: UUID) -> HttpResponse:
    """POST `to`: the place among the object's fields, counted from 1."""
    row = row_or_404(field_id)
    to = request.POST.get("to", "")
    if not to.isdecimal() or len(to) > 4:
        messages.error(request, "Say which place, counted from 1")
    else:
        field_move(field_id, to=int(to))
    return redirect(fields_url(slug, row.object))
