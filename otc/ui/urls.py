"""Addresses that every page may ask."""

from django.urls import path

from otc.ui import views

urlpatterns = [path("understand/", views.understand, name="understand")]
