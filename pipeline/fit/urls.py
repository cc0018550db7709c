"""The scorecard below /o/<slug>/settings/fit/."""

from django.urls import path

from pipeline.fit import views

urlpatterns = [
    path("", views.fit_settings, name="fit"),
    path("<uuid:scorecard_id>/", views.fit_version, name="fit_version"),
]
