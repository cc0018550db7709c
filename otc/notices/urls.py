"""The notices' addresses."""

from django.urls import path

from otc.notices import views

urlpatterns = [
    path("notices/", views.notices, name="notices"),
    path("notices/count/", views.notice_count, name="notice_count"),
]
