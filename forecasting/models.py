"""Where Django finds the forecast's tables."""

from forecasting.alerts.models import AlertDelivery, AlertFired, AlertHook, AlertRule
from forecasting.calls.models import Call
from forecasting.inspection.models import LastVisit
from forecasting.onetoone.models import AgreedAction, OneToOne
from forecasting.quotas.models import Quota
from forecasting.trends.models import SumsStale, WeeklySample, WeeklySum

__all__ = [
    "AgreedAction",
    "AlertDelivery",
    "AlertFired",
    "AlertHook",
    "AlertRule",
    "Call",
    "LastVisit",
    "OneToOne",
    "Quota",
    "SumsStale",
    "WeeklySample",
    "WeeklySum",
]
