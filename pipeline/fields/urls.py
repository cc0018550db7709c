"""Settings of custom fields below /o/<slug>/settings/fields/."""

from django.urls import path

from pipeline.fields import views

urlpatterns = [
    path("", views.fields, name="fields"),
    path("adopt/", views.attribute_field, name="attribute_field"),
    path("<uuid:field_id>/kind/", views.field_kind, name="field_kind"),
    path("<uuid:field_id>/", views.field, name="field"),
    path("<uuid:field_id>/active/", views.field_set_aside, name="field_set_aside"),
    path("<uuid:field_id>/undo/", views.field_back, name="field_undo"),
    path("<uuid:field_id>/move/", views.field_place, name="field_place"),
]
