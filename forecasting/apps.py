from django.apps import AppConfig


class ForecastingConfig(AppConfig):
    name = "forecasting"

    def ready(self) -> None:
        import forecasting.trends.tasks  # noqa: F401  # its kind of job registers itself

        # What hangs on periods goes with them when the fiscal calendar changes.
        from forecasting.quotas.periods import CallPeriods, QuotaPeriods
        from otc.calendar.holders import hold_periods

        hold_periods(QuotaPeriods())
        hold_periods(CallPeriods())
