from importlib import import_module

from django.apps import AppConfig


class ForecastingConfig(AppConfig):
    name = "forecasting"

    def ready(self) -> None:
        # Kinds of jobs and ways to undo register themselves.
        for module in (
            "alerts.services",
            "alerts.tasks",
            "calls.tasks",
            "locks.tasks",
            "mail.tasks",
            "pay.services",
            "preview.many",
            "rhythm.services",
            "rhythm.tasks",
            "onetoone.services",
            "quotas.seasons",
            "quotas.services",
            "trends.tasks",
        ):
            import_module(f"forecasting.{module}")
        # What hangs on periods goes with them when the fiscal calendar changes.
        from forecasting.quotas.periods import CallPeriods, QuotaPeriods
        from otc.calendar.holders import hold_periods

        hold_periods(QuotaPeriods())
        hold_periods(CallPeriods())
        from forecasting.pay.panel import PANEL
        from pipeline.opportunities.panels import show_panel

        show_panel(PANEL)
        from forecasting.types.narrowing import PARAMETER, read_type
        from pipeline.opportunities.narrowing import narrow_by

        narrow_by(PARAMETER, read_type)
        from forecasting.trends import narrowing

        narrow_by(narrowing.PARAMETER, narrowing.read_age, label=narrowing.age_label)
