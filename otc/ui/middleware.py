"""A browser that asks for an address which only takes what is sent is led to the page that sends it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import Resolver404, resolve


class PageThatSends:
    """A page that answered a form bears the form's address: reloading it, or being sent back to it, asks for that
    address. Nothing is shown there (405); the next address above it is the page. Programs get their 405.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_looking = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
        if response.status_code == 405 and is_looking and (above := address_above(request.path_info)):
            return redirect(above)
        return response


def address_above(path: str) -> str:
    """The nearest address above `path` that there is; it may itself only take what is sent. Empty: none.

    '/o/acme/deals/<id>/team/<id>/remove/' -> '/o/acme/deals/<id>/team/'
    """
    parts = path.strip("/").split("/")
    for length in range(len(parts) - 1, 0, -1):
        above = f"/{'/'.join(parts[:length])}/"
        try:
            resolve(above)
        except Resolver404:
            continue
        return above
    return ""
