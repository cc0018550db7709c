"""The API's addresses, put together from the rooms' own lists."""

from django.urls import include, path, re_path

from otc.api.endpoints import Nothing
from otc.api.people import People
from otc.api.schema import schema
from otc.audit.api import AuditEntries
from otc.money.api import RateDetail, Rates

urlpatterns = [
    path("schema", schema, name="api-schema"),
    path("audit", AuditEntries.as_view(), name="api-audit"),
    path("people", People.as_view(), name="api-people"),
    path("rates", Rates.as_view(), name="api-rates"),
    path("rates/<uuid:rate_id>", RateDetail.as_view(), name="api-rate"),
    path("", include("pipeline.api_urls")),
    path("", include("forecasting.api_urls")),
    path("", include("postmortem.api_urls")),
    re_path(r"^.*$", Nothing.as_view(), name="api-nothing"),
]
