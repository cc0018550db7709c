"""The glossary's address."""

from django.urls import path

from otc.glossary import views

urlpatterns = [path("glossary/", views.glossary, name="glossary")]
