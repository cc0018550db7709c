"""What every page's view starts with: may this role come in, and what do the address's controls say?"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from otc.question import PAST_IS_READ, BadQuestion
from otc.tenancy.models import Role

SAFE = ("GET", "HEAD", "OPTIONS")
START_PAGES = {Role.REP: "today"}
View = Callable[..., HttpResponseBase]


def start_page(role: str) -> str:
    """The name of the page where a role begins: what needs a rep today, everybody else's deals."""
    return START_PAGES.get(Role(role), "deals") if role else "deals"


def page(action: str) -> Callable[[View], View]:
    """Let in whoever may `action`; 403 for other roles, 404 outside an organization.

    The view gets (request, slug, ...) as its URL says and finds request.tenant set.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            tenant = getattr(request, "tenant", None)
            if tenant is None:
                raise Http404
            if not tenant.may(action):
                raise PermissionDenied
            if request.method not in SAFE and "as_of" in request.GET:
                context = {"page_title": "Not written", "problem": BadQuestion("as_of", PAST_IS_READ)}
                return render(request, "ui/bad_question.html", context, status=400)
            return view(request, *args, **kwargs)

        guarded.action = action  # type: ignore[attr-defined]  # the guard test reads it
        return guarded

    return decorate
