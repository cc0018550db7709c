"""Addresses that belong to no room: the organization's front, and what every page may ask."""

from django.urls import path

from otc.ui import views

urlpatterns = [
    path("", views.front, name="front"),
    path("understand/", views.understand, name="understand"),
]
