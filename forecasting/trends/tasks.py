"""The job that keeps the weekly sums: daily, and after history came in."""

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import long_job


@long_job("weekly_sums", is_daily=True)
def weekly_sums(lease: Lease) -> None:
    """Sum the weeks that ended, and anew what an import, a correction or a dated rate changed of the past."""
    from forecasting.trends.services import sums_refresh

    sums_refresh(lease.step, now=timezone.now())
