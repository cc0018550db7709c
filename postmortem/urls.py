"""Post-mortem's pages below an organization."""

from django.urls import URLPattern, URLResolver, path

from postmortem.sources.views import lead_sources
from postmortem.winloss.views import winloss_page

urlpatterns: list[URLPattern | URLResolver] = [
    path("leads/sources/", lead_sources, name="lead_sources"),
    path("winloss/", winloss_page, name="winloss"),
]
