"""Undo's one address."""

from django.urls import path

from otc.undo import views

urlpatterns = [path("undo/<uuid:step_id>/", views.undo, name="undo")]
