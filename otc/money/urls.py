"""Pages of currencies and rates below an organization."""

from django.urls import path

from otc.money import views

urlpatterns = [
    path("settings/currencies/", views.currencies, name="currencies"),
    path("settings/currencies/add/", views.rate_add, name="rate_add"),
    path("settings/currencies/of/<str:code>/", views.currency, name="currency"),
    path("settings/currencies/rates/<uuid:rate_id>/withdraw/", views.rate_end, name="rate_end"),
    path("settings/currencies/rates/<uuid:rate_id>/undo/", views.rate_back, name="rate_back"),
    path("shown-currency/", views.shown_currency, name="shown_currency"),
]
