"""Forecasting's endpoints below /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from forecasting.adjustments.api import Adjustments, AdjustmentsKept
from forecasting.alerts.api import (
    AlertHookDetail,
    AlertHooks,
    AlertRuleDetail,
    AlertRulePreview,
    AlertRules,
    AlertRuleTest,
    AlertsFired,
)
from forecasting.calls.api import Calls
from forecasting.flow.api import FlowEndpoint
from forecasting.funnel.api import FunnelEndpoint
from forecasting.history.api import HistoryEndpoint
from forecasting.inspection.api import InspectionEndpoint
from forecasting.integrity.api import IntegrityEndpoint
from forecasting.judgements.api import Judgements
from forecasting.landing.api import LandingEndpoint
from forecasting.locks.api import LockDetail, LockEnd, Locks
from forecasting.onetoone.api import AgreedActionDetail, AgreedActions, SheetEndpoint, Talks, TeamEndpoint
from forecasting.pay.api import Attainment, PayPlanEnd, PayPlans
from forecasting.preview.api import ForecastPreview
from forecasting.quotas.api import Quotas
from forecasting.quotas.ramp_api import QuotaSeasonEndpoint, Ramps
from forecasting.rollup.api import RollupEndpoint
from forecasting.trends.api import TrendsEndpoint
from forecasting.types.api import ForecastTypeDetail, ForecastTypePreview, ForecastTypes
from forecasting.waterfall.api import WaterfallEndpoint

urlpatterns: list[URLPattern | URLResolver] = [
    path("alerts/rules", AlertRules.as_view(), name="api-alert-rules"),
    path("alerts/rules/<uuid:rule_id>", AlertRuleDetail.as_view(), name="api-alert-rule"),
    path("alerts/rules/<uuid:rule_id>/preview", AlertRulePreview.as_view(), name="api-alert-rule-preview"),
    path("alerts/rules/<uuid:rule_id>/test", AlertRuleTest.as_view(), name="api-alert-rule-test"),
    path("alerts/fired", AlertsFired.as_view(), name="api-alerts-fired"),
    path("alerts/hooks", AlertHooks.as_view(), name="api-alert-hooks"),
    path("alerts/hooks/<uuid:hook_id>", AlertHookDetail.as_view(), name="api-alert-hook"),
    path("team", TeamEndpoint.as_view(), name="api-team"),
    path("team/<uuid:person_id>", SheetEndpoint.as_view(), name="api-team-sheet"),
    path("team/<uuid:person_id>/one-to-ones", Talks.as_view(), name="api-one-to-ones"),
    path("team/<uuid:person_id>/actions", AgreedActions.as_view(), name="api-agreed-actions"),
    path(
        "team/<uuid:person_id>/actions/<uuid:action_id>",
        AgreedActionDetail.as_view(),
        name="api-agreed-action",
    ),
    path("calls", Calls.as_view(), name="api-calls"),
    path("forecast/history", HistoryEndpoint.as_view(), name="api-forecast-history"),
    path("landing", LandingEndpoint.as_view(), name="api-landing"),
    path("forecast/locks", Locks.as_view(), name="api-forecast-locks"),
    path("forecast/locks/<uuid:lock_id>", LockDetail.as_view(), name="api-forecast-lock"),
    path("forecast/locks/<uuid:lock_id>/unlock", LockEnd.as_view(), name="api-forecast-unlock"),
    path("inspection", InspectionEndpoint.as_view(), name="api-inspection"),
    path("integrity", IntegrityEndpoint.as_view(), name="api-integrity"),
    path("waterfall", WaterfallEndpoint.as_view(), name="api-waterfall"),
    path("trends", TrendsEndpoint.as_view(), name="api-trends"),
    path("funnel", FunnelEndpoint.as_view(), name="api-funnel"),
    path("flow", FlowEndpoint.as_view(), name="api-flow"),
    path("forecast/adjustments", Adjustments.as_view(), name="api-adjustments"),
    path("forecast/adjustments/kept", AdjustmentsKept.as_view(), name="api-adjustments-kept"),
    path("forecast/judgements", Judgements.as_view(), name="api-judgements"),
    path("forecast/types", ForecastTypes.as_view(), name="api-forecast-types"),
    path("forecast/types/<uuid:type_id>", ForecastTypeDetail.as_view(), name="api-forecast-type"),
    path(
        "forecast/types/<uuid:type_id>/preview",
        ForecastTypePreview.as_view(),
        name="api-forecast-type-preview",
    ),
    path("forecast/rollup", RollupEndpoint.as_view(), name="api-forecast-rollup"),
    path("pay/attainment", Attainment.as_view(), name="api-pay-attainment"),
    path("pay/plans", PayPlans.as_view(), name="api-pay-plans"),
    path("pay/plans/<uuid:plan_id>/withdraw", PayPlanEnd.as_view(), name="api-pay-plan-withdraw"),
    path("forecast/preview", ForecastPreview.as_view(), name="api-forecast-preview"),
    path("quotas/ramps", Ramps.as_view(), name="api-quota-ramps"),
    path("quotas/season", QuotaSeasonEndpoint.as_view(), name="api-quota-season"),
    path("quotas", Quotas.as_view(), name="api-quotas"),
]
