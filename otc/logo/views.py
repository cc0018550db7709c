"""The logo: set and taken away by an administrator, shown to everybody inside; a picture and nothing more."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from otc.identity.tabs import settings_tabs
from otc.imports.names_shown import shown_name
from otc.imports.uploads import upload_refusal
from otc.logo.models import Logo
from otc.logo.queries import logo_now, logo_shown
from otc.logo.rules import LogoRefused
from otc.logo.services import logo_remove, logo_set
from otc.tenancy.middleware import tenant_of
from otc.ui.pages import page
from otc.undo.views import undo_address

# Nothing in it may load or run, even where somebody opens it by its own address.
POLICY = "default-src 'none'; sandbox"


@require_POST
@page("manage_logo")
def logo_change(request: HttpRequest, slug: str) -> HttpResponse:
    """POST `logo`: a file. What is refused is said beside the file's field; the present logo stays."""
    upload = request.FILES.get("logo")
    refusal = upload_refusal(request)
    if upload is None or refusal:
        return _refused(request, refusal or "Choose a file first: PNG, JPEG or WebP")
    name = shown_name(str(upload.name or "The file"))
    try:
        _, step = logo_set(upload.read(), name=name, now=tenant_of(request).now)
    except LogoRefused as refused:
        return _refused(request, refused.reason)
    messages.success(request, "Buyers see this logo from now on", extra_tags=undo_address(slug, step))
    return redirect("settings", slug=slug)


@require_POST
@page("manage_logo")
def logo_forget(request: HttpRequest, slug: str) -> HttpResponse:
    """Show none from now on."""
    if step := logo_remove(now=tenant_of(request).now):
        messages.success(request, "The logo is gone", extra_tags=undo_address(slug, step))
    return redirect("settings", slug=slug)


@require_safe
@page("use_pages")
def logo(request: HttpRequest, slug: str, logo_id: UUID) -> HttpResponse:
    """`/logo/<id>/`: the picture. An address never shows another one, so a browser may keep it."""
    found = logo_shown(logo_id)
    if found is None:
        raise Http404
    response = picture(found)
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def picture(found: Logo) -> HttpResponse:
    """The picture's bytes, of the type that we drew."""
    kind = found.content_type.removeprefix("image/")
    return HttpResponse(
        bytes(found.image),
        content_type=found.content_type,
        headers={
            "Content-Disposition": f'inline; filename="logo.{kind}"',
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )


def _refused(request: HttpRequest, reason: str) -> HttpResponse:
    context = {
        "page_title": "Settings",
        "tabs": settings_tabs(request, "settings"),
        "logo": logo_now(),
        "can_set_logo": True,
        "logo_refusal": reason,
    }
    return render(request, "otc/identity/settings.html", context, status=422)
