"""Post-mortem's pages below an organization."""

from django.urls import URLPattern, URLResolver, path

from postmortem.winloss.views import winloss_page

urlpatterns: list[URLPattern | URLResolver] = [path("winloss/", winloss_page, name="winloss")]
