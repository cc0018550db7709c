"""The notices' addresses."""

from django.urls import path

from otc.notices import views

urlpatterns = [
    path("notices/", views.notices, name="notices"),
    path("notices/count/", views.notice_count, name="notice_count"),
    path("notices/choices/", views.notice_choices, name="notice_choices"),
    path("settings/big-deals/", views.big_deals, name="big_deals"),
]
