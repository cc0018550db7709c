"""The calendar's settings page below an organization."""

from django.urls import path

from otc.calendar import views

urlpatterns = [
    path("settings/calendar/", views.fiscal_calendar, name="calendar"),
    path("settings/calendar/change/", views.calendar_set, name="calendar_set"),
    path("settings/calendar/<uuid:fiscal_calendar_id>/undo/", views.calendar_back, name="calendar_undo"),
]
