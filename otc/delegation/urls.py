"""Below settings/delegates/."""

from django.urls import path

from otc.delegation import views

urlpatterns = [
    path("", views.delegates, name="delegates"),
    path("<uuid:delegation_id>/end/", views.delegation_take_back, name="delegation_end"),
    path("<uuid:delegation_id>/again/", views.delegation_again, name="delegation_again"),
]
