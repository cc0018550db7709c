"""Post-mortem's endpoints below /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from postmortem.sources.api import LeadSources
from postmortem.winloss.api import WinLossEndpoint

urlpatterns: list[URLPattern | URLResolver] = [
    path("lead-sources", LeadSources.as_view(), name="api-lead-sources"),
    path("winloss", WinLossEndpoint.as_view(), name="api-winloss"),
]
