"""Settings of processes below /o/<slug>/settings/process/."""

from django.urls import path

from pipeline.process import editing
from pipeline.process.views import process
from pipeline.reasons import views as reasons

urlpatterns = [
    path("", process, name="process"),
    path("new/", editing.process_new, name="process_new"),
    path("reasons/new/", reasons.reason_add, name="reason_add"),
    path("reasons/<uuid:reason_id>/", reasons.reason_edit, name="reason_edit"),
    path("reasons/<uuid:reason_id>/use/", reasons.reason_use, name="reason_use"),
    path("<uuid:process_id>/", editing.process_edit, name="process_edit"),
    path("<uuid:process_id>/change/", editing.process_apply, name="process_apply"),
    path("<uuid:process_id>/default/", editing.process_default, name="process_default"),
    path("<uuid:process_id>/stages/<uuid:stage_id>/", editing.process_stage, name="process_stage"),
    path("<uuid:process_id>/versions/", editing.process_versions, name="process_versions"),
    path(
        "<uuid:process_id>/versions/<uuid:process_version_id>/",
        editing.process_version,
        name="process_version",
    ),
]
