"""Below settings/people/: the list, an invitation, and one person."""

from django.urls import path

from otc.identity.factors import views as factors
from otc.identity.invitations import views as invitations
from otc.identity.people import views

urlpatterns = [
    path("", views.people, name="people"),
    path("invite/", invitations.invite, name="invite"),
    path("invitations/<uuid:invitation_id>/revoke/", invitations.revoke, name="invitation_revoke"),
    path("<uuid:person_id>/", views.person, name="person"),
    path("<uuid:person_id>/words/", views.change_words, name="person_words"),
    path("<uuid:person_id>/role/", views.change_role, name="person_role"),
    path("<uuid:person_id>/line/", views.change_line, name="person_line"),
    path("<uuid:person_id>/invite/", invitations.invite_person, name="person_invite"),
    path("<uuid:person_id>/factors/reset/", factors.reset, name="person_factors_reset"),
    path("<uuid:person_id>/deactivate/", views.deactivate, name="person_deactivate"),
    path("<uuid:person_id>/reactivate/", views.reactivate, name="person_reactivate"),
]
