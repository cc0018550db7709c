"""Where Django finds the forecast's tables."""

from forecasting.alerts.models import AlertDelivery, AlertFired, AlertHook, AlertRule
from forecasting.calls.models import Call
from forecasting.inspection.models import LastVisit
from forecasting.quotas.models import Quota
from forecasting.trends.models import SumsStale, WeeklySample, WeeklySum

__all__ = [
    "AlertDelivery",
    "AlertFired",
    "AlertHook",
    "AlertRule",
    "Call",
    "LastVisit",
    "Quota",
    "SumsStale",
    "WeeklySample",
    "WeeklySum",
]
