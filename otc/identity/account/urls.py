"""The account page and its sessions; allauth's own index pages lead to it."""

from django.urls import path
from django.views.generic import RedirectView

from otc.identity.account import views

to_account = RedirectView.as_view(pattern_name="account")

urlpatterns = [
    path("", views.account, name="account"),
    path("sessions/<int:session_id>/end/", views.end_session, name="session_end"),
    path("sessions/end-others/", views.end_other_sessions, name="sessions_end_others"),
    path("sessions/", to_account),
    path("2fa/", to_account),
    path("2fa/webauthn/", to_account),
]
