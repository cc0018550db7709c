"""Post-mortem's endpoints below /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from postmortem.winloss.api import WinLossEndpoint

urlpatterns: list[URLPattern | URLResolver] = [path("winloss", WinLossEndpoint.as_view(), name="api-winloss")]
