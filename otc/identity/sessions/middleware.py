"""Stamps every request of a signed-in browser; stands before the tenants' middleware, whose policy reads it."""

from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from otc.identity.sessions import stamps


class SessionStamps:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Probes and API calls have no session; asking for the user would read one.
        is_signed_in = request.session.session_key and request.user.is_authenticated
        if is_signed_in and stamps.touch(request.session, now=timezone.now()):
            UserSession.objects.create_from_request(request)
        return self.get_response(request)
