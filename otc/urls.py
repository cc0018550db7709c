"""Every door of the house: sign-in, an organization's pages, the API."""

from django.urls import URLPattern, URLResolver, include, path

from otc.identity.invitations.door import invitation
from otc.notices.door import mail_stop
from otc.probes import alive, ready
from otc.tenancy.views import home

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", alive, name="alive"),
    path("readyz", ready, name="ready"),
    # Before allauth, whose index pages it stands for.
    path("accounts/", include("otc.identity.account.urls")),
    path("accounts/", include("allauth.urls")),
    path("invitations/<str:token>/", invitation, name="invitation"),
    path("plan/", include("pipeline.closeplan.urls")),
    path("mails/<str:token>/", mail_stop, name="mail_stop"),
    path("", home, name="home"),
    path("api/v1/", include("otc.api.urls")),
    path("o/<slug:slug>/", include("otc.ui.urls")),
    path("o/<slug:slug>/", include("otc.glossary.urls")),
    path("o/<slug:slug>/", include("otc.notices.urls")),
    path("o/<slug:slug>/", include("otc.undo.urls")),
    path("o/<slug:slug>/", include("otc.identity.urls")),
    path("o/<slug:slug>/", include("otc.logo.urls")),
    path("o/<slug:slug>/", include("otc.audit.urls")),
    path("o/<slug:slug>/", include("otc.money.urls")),
    path("o/<slug:slug>/", include("otc.calendar.urls")),
    path("o/<slug:slug>/", include("pipeline.urls")),
    path("o/<slug:slug>/", include("forecasting.urls")),
    path("o/<slug:slug>/", include("postmortem.urls")),
]
