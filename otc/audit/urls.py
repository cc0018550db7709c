"""The audit's pages below an organization's settings."""

from django.urls import path

from otc.audit import views

urlpatterns = [
    path("settings/audit/", views.audit, name="audit"),
    path("settings/audit/<uuid:entry_id>/", views.audit_entry, name="audit_entry"),
]
