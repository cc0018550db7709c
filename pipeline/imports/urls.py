"""Imports, a page of the settings."""

from django.urls import URLPattern, URLResolver, path

from pipeline.imports import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.imports, name="imports"),
    path("upload/", views.import_upload, name="import_upload"),
    path("<uuid:run_id>/", views.import_one, name="import_one"),
    path("<uuid:run_id>/mapping/", views.import_map, name="import_map"),
    path("<uuid:run_id>/apply/", views.import_apply, name="import_apply"),
    path("<uuid:run_id>/cancel/", views.import_cancel, name="import_cancel"),
    path("<uuid:run_id>/again/", views.import_again, name="import_again"),
    path("<uuid:run_id>/forget/", views.import_forget, name="import_forget"),
    path("<uuid:run_id>/refused.csv", views.import_refused, name="import_refused"),
]
