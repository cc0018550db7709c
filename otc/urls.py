"""Every door of the house: sign-in, an organization's pages, the API."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path

from otc.tenancy.views import home


def alive(request: HttpRequest) -> HttpResponse:
    """The process answers. Silent about database and broker, so that no probe restarts a healthy web."""
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", alive, name="alive"),
    path("accounts/", include("allauth.urls")),
    path("", home, name="home"),
    path("api/v1/", include("otc.api.urls")),
    path("o/<slug:slug>/", include("otc.ui.urls")),
    path("o/<slug:slug>/", include("otc.identity.urls")),
    path("o/<slug:slug>/", include("pipeline.urls")),
    path("o/<slug:slug>/", include("forecasting.urls")),
    path("o/<slug:slug>/", include("postmortem.urls")),
]
