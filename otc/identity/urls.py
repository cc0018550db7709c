"""Settings pages below an organization; the process is the pipeline's own room."""

from django.urls import include, path

from otc.identity import views
from otc.identity.policy.views import security

urlpatterns = [
    path("settings/", views.settings, name="settings"),
    path("settings/people/", include("otc.identity.people.urls")),
    path("settings/security/", security, name="security"),
    path("settings/roles/", include("otc.roles.urls")),
    path("settings/delegates/", include("otc.delegation.urls")),
    path("settings/process/", include("pipeline.process.urls")),
    path("settings/fields/", include("pipeline.fields.urls")),
    path("settings/fit/", include("pipeline.fit.urls")),
    path("settings/imports/", include("pipeline.imports.urls")),
    path("settings/tokens/", views.token_list, name="tokens"),
    path("settings/tokens/<uuid:token_id>/revoke/", views.token_end, name="token_end"),
]
