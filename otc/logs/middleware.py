"""One line per request: who asked for which route, the answer's status and how long it took."""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from otc.logs.context import acceptable_request_id, serving

log = logging.getLogger("otc.request")
# Probes ask every few seconds and tell nothing.
SILENT = frozenset({"/healthz", "/readyz"})


class RequestLog:
    """First of all middlewares. The path isn't logged but its route: a path may hold a link's secret."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = acceptable_request_id(request.headers.get("X-Request-Id", ""))
        began = time.perf_counter()
        with serving(request_id):
            response = self.get_response(request)
            response["X-Request-Id"] = request_id
            if request.path_info not in SILENT:
                self._write(request, response, milliseconds=round((time.perf_counter() - began) * 1000, 1))
        return response

    def _write(self, request: HttpRequest, response: HttpResponseBase, *, milliseconds: float) -> None:
        match, tenant = request.resolver_match, getattr(request, "tenant", None)
        route = match.route if match else ""
        known = {
            "method": request.method,
            "route": route,
            "status": response.status_code,
            "milliseconds": milliseconds,
        }
        if tenant is not None:
            known |= {"organization_id": str(tenant.organization.id), "person_id": str(tenant.person.id)}
        log.info("%s /%s %s in %s ms", request.method, route, response.status_code, milliseconds, extra=known)
