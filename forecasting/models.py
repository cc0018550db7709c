"""Where Django finds the forecast's tables."""

from forecasting.inspection.models import LastVisit
from forecasting.quotas.models import Quota

__all__ = ["LastVisit", "Quota"]
