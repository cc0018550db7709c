"""Forecasting's endpoints below /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from forecasting.calls.api import Calls
from forecasting.inspection.api import InspectionEndpoint
from forecasting.integrity.api import IntegrityEndpoint
from forecasting.rollup.api import RollupEndpoint
from forecasting.trends.api import TrendsEndpoint
from forecasting.waterfall.api import WaterfallEndpoint

urlpatterns: list[URLPattern | URLResolver] = [
    path("calls", Calls.as_view(), name="api-calls"),
    path("inspection", InspectionEndpoint.as_view(), name="api-inspection"),
    path("integrity", IntegrityEndpoint.as_view(), name="api-integrity"),
    path("waterfall", WaterfallEndpoint.as_view(), name="api-waterfall"),
    path("trends", TrendsEndpoint.as_view(), name="api-trends"),
    path("forecast/rollup", RollupEndpoint.as_view(), name="api-forecast-rollup"),
]
