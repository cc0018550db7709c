"""Once a day, before the digests: what became due overnight."""

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import long_job

BEFORE_DIGESTS = 6


@long_job("deals_due", is_daily=True, hour=BEFORE_DIGESTS)
def deals_due(lease: Lease) -> None:
    """Every open deal once, in batches that each commit with how far they are: a run that takes over goes on there."""
    from pipeline.telling.daily import due_tell_all

    due_tell_all(lease, now=timezone.now())
