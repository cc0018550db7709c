"""The logo's addresses below an organization."""

from django.urls import path

from otc.logo import views

urlpatterns = [
    path("settings/logo/", views.logo_change, name="logo_change"),
    path("settings/logo/remove/", views.logo_forget, name="logo_forget"),
    path("logo/<uuid:logo_id>/", views.logo, name="logo"),
]
