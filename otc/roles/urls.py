"""Below settings/roles/."""

from django.urls import path

from otc.roles import views

urlpatterns = [
    path("", views.roles, name="roles"),
    path("visibility/", views.visibility, name="visibility"),
]
