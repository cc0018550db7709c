"""Forecasting's pages below an organization."""

from django.urls import URLPattern, URLResolver, path

from forecasting.alerts.hook_views import alert_hook_remove, alert_hooks
from forecasting.alerts.views import alert_act, alert_new, alert_rule, alerts, alerts_fired
from forecasting.calls.views import forecast_call, forecast_calls, forecast_remind
from forecasting.flow.views import flow_matrix
from forecasting.funnel.views import funnel_page
from forecasting.grid.cell_views import forecast_adjust, forecast_cell
from forecasting.grid.judge_views import forecast_judge
from forecasting.grid.views import forecast_page
from forecasting.history.views import forecast_history
from forecasting.inspection.views import inspection_flow, inspection_page
from forecasting.integrity.views import integrity
from forecasting.landing.views import landing_page
from forecasting.locks.views import forecast_difference, forecast_lock, forecast_locks, forecast_unlock
from forecasting.onetoone.views import (
    one_to_one,
    one_to_one_action,
    one_to_one_agree,
    one_to_one_notes,
    team,
)
from forecasting.pay.views import deal_pay, pay, pay_withdraw
from forecasting.preview.views import leaving_preview, line_preview, lines_preview
from forecasting.quotas.views import (
    quota_ramp,
    quota_season,
    quota_story,
    quota_year_share,
    quotas,
    quotas_paste,
    quotas_save,
)
from forecasting.rhythm.views import rhythm
from forecasting.trends.views import trends_page
from forecasting.types.views import forecast_type_offer, forecast_types
from forecasting.waterfall.views import flow_page

urlpatterns: list[URLPattern | URLResolver] = [
    path("alerts/", alerts, name="alerts"),
    path("alerts/new/", alert_new, name="alert_new"),
    path("alerts/fired/", alerts_fired, name="alerts_fired"),
    path("alerts/hooks/", alert_hooks, name="alert_hooks"),
    path("alerts/hooks/<uuid:hook_id>/remove/", alert_hook_remove, name="alert_hook_remove"),
    path("alerts/<uuid:rule_id>/", alert_rule, name="alert_rule"),
    path("alerts/<uuid:rule_id>/act/", alert_act, name="alert_act"),
    path("inspection/", inspection_page, name="inspection"),
    path("integrity/", integrity, name="integrity"),
    path("inspection/flow/", inspection_flow, name="inspection_flow"),
    path("team/", team, name="team"),
    path("team/<uuid:person_id>/", one_to_one, name="one_to_one"),
    path("team/<uuid:person_id>/notes/", one_to_one_notes, name="one_to_one_notes"),
    path("team/<uuid:person_id>/actions/", one_to_one_agree, name="one_to_one_agree"),
    path("team/<uuid:person_id>/actions/<uuid:action_id>/", one_to_one_action, name="one_to_one_action"),
    path("forecast/", forecast_page, name="forecast"),
    path("forecast/cell/<uuid:person_id>/", forecast_cell, name="forecast_cell"),
    path("forecast/cell/<uuid:person_id>/adjust/", forecast_adjust, name="forecast_adjust"),
    path("forecast/cell/<uuid:person_id>/judge/", forecast_judge, name="forecast_judge"),
    path("forecast/call/", forecast_call, name="forecast_call"),
    path("forecast/calls/", forecast_calls, name="forecast_calls"),
    path("forecast/calls/remind/", forecast_remind, name="forecast_remind"),
    path("forecast/history/", forecast_history, name="forecast_history"),
    path("settings/people/<uuid:person_id>/line/preview/", line_preview, name="line_preview"),
    path("settings/people/lines/", lines_preview, name="lines_preview"),
    path("settings/people/<uuid:person_id>/leaving/", leaving_preview, name="leaving_preview"),
    path("forecast/quotas/", quotas, name="quotas"),
    path("forecast/quotas/save/", quotas_save, name="quotas_save"),
    path("forecast/quotas/paste/", quotas_paste, name="quotas_paste"),
    path("forecast/quotas/season/", quota_season, name="quota_season"),
    path("forecast/quotas/<uuid:person_id>/year/", quota_year_share, name="quota_year_share"),
    path("forecast/quotas/<uuid:person_id>/ramp/", quota_ramp, name="quota_ramp"),
    path("forecast/quotas/<uuid:person_id>/<str:period>/", quota_story, name="quota_story"),
    path("forecast/locks/", forecast_locks, name="forecast_locks"),
    path("forecast/locks/lock/", forecast_lock, name="forecast_lock"),
    path("forecast/locks/<uuid:lock_id>/", forecast_difference, name="forecast_difference"),
    path("forecast/locks/<uuid:lock_id>/unlock/", forecast_unlock, name="forecast_unlock"),
    path("landing/", landing_page, name="landing"),
    path("settings/forecasts/", forecast_types, name="forecast_types"),
    path("settings/forecasts/<uuid:type_id>/offer/", forecast_type_offer, name="forecast_type_offer"),
    path("settings/pay/", pay, name="pay"),
    path("settings/pay/<uuid:plan_id>/withdraw/", pay_withdraw, name="pay_withdraw"),
    path("deals/<uuid:deal_id>/pay/", deal_pay, name="deal_pay"),
    path("settings/rhythm/", rhythm, name="rhythm"),
    path("flow/", flow_page, name="flow"),
    path("trends/", trends_page, name="trends"),
    path("funnel/", funnel_page, name="funnel"),
    path("flow/matrix/", flow_matrix, name="flow_matrix"),
]
