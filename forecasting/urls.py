"""Forecasting's pages below an organization."""

from django.urls import URLPattern, URLResolver, path

from forecasting.calls.views import forecast_call
from forecasting.inspection.views import inspection_flow, inspection_page
from forecasting.integrity.views import integrity
from forecasting.rollup.views import forecast_page
from forecasting.trends.views import trends_page
from forecasting.waterfall.views import flow_page

urlpatterns: list[URLPattern | URLResolver] = [
    path("inspection/", inspection_page, name="inspection"),
    path("integrity/", integrity, name="integrity"),
    path("inspection/flow/", inspection_flow, name="inspection_flow"),
    path("forecast/", forecast_page, name="forecast"),
    path("forecast/call/", forecast_call, name="forecast_call"),
    path("flow/", flow_page, name="flow"),
    path("trends/", trends_page, name="trends"),
]
