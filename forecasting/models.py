"""Where Django finds the forecast's tables."""

from forecasting.adjustments.models import AdjustmentStep
from forecasting.alerts.models import AlertDelivery, AlertFired, AlertHook, AlertRule
from forecasting.calls.models import Call, CallReminder
from forecasting.inspection.models import LastVisit
from forecasting.judgements.models import DealJudgement
from forecasting.locks.models import Lock, LockedRow, Unlock
from forecasting.mail.models import ForecastMail
from forecasting.onetoone.models import AgreedAction, OneToOne
from forecasting.pay.models import PayPlan
from forecasting.quotas.models import Quota, QuotaRamp, QuotaSeason
from forecasting.rhythm.models import Rhythm
from forecasting.trends.models import StageWeek, SumsStale, WeeklySample, WeeklySum
from forecasting.types.models import ForecastType, ForecastTypeFilter

__all__ = [
    "AdjustmentStep",
    "AgreedAction",
    "AlertDelivery",
    "AlertFired",
    "AlertHook",
    "AlertRule",
    "Call",
    "CallReminder",
    "DealJudgement",
    "ForecastMail",
    "ForecastType",
    "ForecastTypeFilter",
    "LastVisit",
    "Lock",
    "LockedRow",
    "OneToOne",
    "PayPlan",
    "Quota",
    "QuotaRamp",
    "QuotaSeason",
    "Rhythm",
    "StageWeek",
    "SumsStale",
    "Unlock",
    "WeeklySample",
    "WeeklySum",
]
