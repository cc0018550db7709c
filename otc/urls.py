"""Every door of the house: sign-in, an organization's pages, the API."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path


def alive(request: HttpRequest) -> HttpResponse:
    """The process answers. Silent about database and broker, so that no probe restarts a healthy web."""
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", alive, name="alive"),
    path("accounts/", include("allauth.urls")),
]
