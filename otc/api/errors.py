"""How the API says no: one shape for every refusal, `{"error": {"code", "message", "fields"}}`."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.core.signals import got_request_exception
from django.db import IntegrityError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from otc.question import BadQuestion
from otc.tenancy.lines import UnknownScope

log = logging.getLogger("django.request")


@dataclass(frozen=True)
class Problem:
    """What is answered: an HTTP status, a code for programs, a sentence for people, messages by field."""

    status: int
    code: str
    message: str
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


# Always these bytes, whether a thing is missing, somebody else's or out of sight.
NOT_FOUND = Problem(404, "not_found", "There is nothing here, or you may not see it.")
SERVER_ERROR = Problem(500, "server_error", "Something broke on our side. It is logged; please try again.")
UNIQUE_VIOLATION = "23505"
NOT_UNDERSTOOD = "Some values are not understood."

_CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "forbidden",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "too_many_requests",
}
_translations: dict[type[Exception], Callable[[Any], Problem]] = {}


def translate(kind: type[Exception], problem: Callable[[Any], Problem]) -> None:
    """Let rooms above name their own refusals: exceptions of `kind` are answered by `problem(exception)`."""
    _translations[kind] = problem


def refused(field_name: str, reason: str) -> Problem:
    """A rule of the house said no: 422, with the field and what to do instead."""
    return Problem(422, "refused", reason, {field_name: [reason]})


def problem_of(error: Exception) -> Problem | None:
    """The problem that an exception stands for; None for a fault of ours."""
    for kind in type(error).__mro__:
        if kind in _translations:
            return _translations[kind](error)
    if isinstance(error, (Http404, ObjectDoesNotExist, UnknownScope, exceptions.NotFound)):
        return NOT_FOUND
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, IntegrityError) and _is_a_second_one(error):
        return Problem(409, "conflict", "Somebody wrote the same at this moment; read it again, then decide.")
    if isinstance(error, BadQuestion):
        return Problem(400, "invalid", NOT_UNDERSTOOD, {error.parameter: [error.message]})
    if isinstance(error, exceptions.ValidationError):
        return Problem(400, "invalid", NOT_UNDERSTOOD, dict(_flat(error.detail)))
    if isinstance(error, exceptions.APIException):
        code = _CODES.get(error.status_code, "bad_request")
        return Problem(error.status_code, code, str(error.detail), headers=_headers(error))
    return None


def body(problem: Problem) -> dict[str, Any]:
    return {
        "error": {"code": problem.code, "message": problem.message, "fields": dict(problem.fields)},
    }


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """Django REST framework's exception handler. A fault of ours is logged whole and answered without detail."""
    problem = problem_of(error)
    if problem is None:
        request = context["request"]._request
        log.error(
            "API fault at %s", request.path, exc_info=error, extra={"request": request, "status_code": 500}
        )
        got_request_exception.send(sender=answer, request=request)
        problem = SERVER_ERROR
    return Response(body(problem), status=problem.status, headers=dict(problem.headers))


def _is_a_second_one(error: IntegrityError) -> bool:
    """Whether a unique key refused the row: the check before it ran beside another request's."""
    return getattr(error.__cause__, "pgcode", None) == UNIQUE_VIOLATION


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(auth_header)
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def _flat(detail: Any, prefix: str = "") -> list[tuple[str, list[str]]]:
    """Nested messages by dotted field: {"a": {"b": ["x"]}} -> [("a.b", ["x"])]."""
    if isinstance(detail, Mapping):
        return [
            entry
            for name, inner in detail.items()
            for entry in _flat(inner, f"{prefix}.{name}" if prefix else str(name))
        ]
    if isinstance(detail, list) and any(isinstance(item, (Mapping, list)) for item in detail):
        return [
            entry
            for index, inner in enumerate(detail)
            for entry in _flat(inner, f"{prefix}.{index}".strip("."))
        ]
    messages = detail if isinstance(detail, list) else [detail]
    return [(prefix or "non_field_errors", [str(message) for message in messages])]
