"""Where Django finds the forecast's tables."""

from forecasting.quotas.models import Quota

__all__ = ["Quota"]
